//! What commands print: tables for people, JSON for programs, one line per error. In: views. Out: stdout and stderr. A reader that
//! went away (`| head`) is no error; every other failure to write is one, for a script must not take half an answer for a whole one.

use std::fs::{self, File};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{Attribute, Cell, ColumnConstraint, ContentArrangement, Table};
use serde::Serialize;
use vestibule_core::text::{is_unseen, spelled_out};

use super::Failure;

/// A column of a table.
pub(super) enum Column {
    /// What people copy from it: never broken over two lines, however narrow the terminal is.
    Id(&'static str),
    /// Broken where the terminal is too narrow.
    Text(&'static str),
}

/// Prints lines on stdout. What cannot be seen in them is spelled out.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    put(&lines_spelled_out(text))
}

/// Says what was done. Where stdout cannot be written, the failure says that it was done all the same, and what.
pub(super) fn say_done(text: &str) -> Result<(), Failure> {
    say(text).map_err(|unwritten| done_but(unwritten, text))
}

/// The same as JSON.
pub(super) fn json_done(value: &impl Serialize) -> Result<(), Failure> {
    let text = json_text(value)?;
    put(&text).map_err(|unwritten| done_but(unwritten, &text))
}

fn done_but(unwritten: Failure, text: &str) -> Failure {
    unwritten.and(&format!("what was asked is done all the same: {text}"))
}

/// Prints lines that have nothing in them to spell out.
fn put(text: &str) -> Result<(), Failure> {
    match print(text).map(drop) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| unwritten(&error)),
    }
}

/// Prints what cannot be shown again. Every failure counts here, also a reader that went away: the caller then undoes what was done.
pub(super) fn say_once(text: &str) -> Result<(), Failure> {
    print(text).and_then(|stdout| to_the_disk(&stdout)).map_err(|error| unwritten(&error))
}

/// Refuses, before anything is done, an output that keeps nothing: `/dev/null`, which also stands in for a closed stdout.
pub(super) fn refuse_lost_output(what: &str) -> Result<(), Failure> {
    let output = stdout().and_then(|it| it.metadata()).map_err(|error| unwritten(&error))?;
    let is_lost = fs::metadata("/dev/null")
        .is_ok_and(|null| output.file_type().is_char_device() && output.rdev() == null.rdev());
    if is_lost {
        return Err(Failure::Usage(format!("{what} is shown once, and stdout is closed or /dev/null")));
    }
    Ok(())
}

/// One line on stderr.
pub(super) fn error_line(what: &str) {
    stderr_line("vestibule", what);
}

/// One line on stderr about something that is no error.
pub(super) fn note(what: &str) {
    stderr_line("note", what);
}

fn stderr_line(label: &str, what: &str) {
    let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
    writeln!(io::stderr().lock(), "{label}: {}", spelled_out(&line)).ok();
}

/// Usage that is wrong, as the parser of arguments tells it, without its colours: it repeats what was typed.
pub(crate) fn usage_lines(usage: &str) {
    writeln!(io::stderr().lock(), "{}", lines_spelled_out(usage.trim_end())).ok();
}

fn lines_spelled_out(text: &str) -> String {
    text.split('\n').map(spelled_out).collect::<Vec<_>>().join("\n")
}

/// Prints JSON, indented on a terminal.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    put(&json_text(value)?)
}

/// What [`json`] prints. Beyond what JSON asks for, everything that cannot be seen is escaped; the value is the same.
pub(super) fn json_text(value: &impl Serialize) -> Result<String, Failure> {
    let text = if io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    text.map(|text| json_spelled_out(&text))
        .map_err(|error| Failure::Unknown(format!("cannot be told as JSON: {error}")))
}

/// Outside of strings JSON is visible ASCII, spaces and line ends: all else that cannot be seen is in a string.
fn json_spelled_out(text: &str) -> String {
    let mut readable = String::with_capacity(text.len());
    for character in text.chars() {
        if character == '\n' || !is_unseen(character) {
            readable.push(character);
        } else {
            let mut units = [0; 2];
            readable.extend(character.encode_utf16(&mut units).iter().map(|it| format!("\\u{it:04x}")));
        }
    }
    readable
}

/// Prints a table; with plain columns where no person looks.
pub(super) fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), Failure> {
    let is_terminal = io::stdout().is_terminal();
    let mut table = Table::new();
    table.load_style(if is_terminal { UTF8_HORIZONTAL_ONLY } else { NOTHING });
    put(&laid_out(table, columns, rows))
}

fn laid_out(mut table: Table, columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|it| Cell::new(it.heading()).add_attribute(Attribute::Bold)));
    rows.into_iter().for_each(|row| {
        table.add_row(row.iter().map(|cell| spelled_out(cell)));
    });
    for (column, laid_out) in columns.iter().zip(table.column_iter_mut()) {
        if let Column::Id(_) = column {
            laid_out.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

/// Prints names with their values, one per line.
pub(super) fn facts(facts: &[(&str, String)]) -> Result<(), Failure> {
    say(&facts_text(facts))
}

/// What [`facts`] prints.
pub(super) fn facts_text(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let line = |(name, value): &(&str, String)| format!("{name:width$}  {}", spelled_out(value));
    facts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// "1 session", "3 sessions".
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Writes a text and a line end. The file itself, for Rust's own stdout takes a descriptor that cannot be written for one that was.
fn print(text: &str) -> io::Result<File> {
    let mut stdout = stdout()?;
    stdout.write_all(format!("{text}\n").as_bytes())?;
    Ok(stdout)
}

fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// A full disk may say so only now; a pipe or a terminal has nothing to say.
fn to_the_disk(stdout: &File) -> io::Result<()> {
    match stdout.metadata()?.is_file() {
        true => stdout.sync_all(),
        false => Ok(()),
    }
}

fn unwritten(error: &io::Error) -> Failure {
    Failure::Unknown(format!("stdout cannot be written: {error}"))
}

impl Column {
    fn heading(&self) -> &'static str {
        match self {
            Self::Id(heading) | Self::Text(heading) => heading,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_what_cannot_be_seen() {
        let value = serde_json::json!({ "a": "\u{202e}b\u{7f}\u{e0041}\ne é" });
        let text = json_spelled_out(&serde_json::to_string(&value).unwrap());
        assert_eq!(text, r#"{"a":"\u202eb\u007f\udb40\udc41\ne é"}"#);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn lines_stay_lines_and_show_what_is_in_them() {
        assert_eq!(lines_spelled_out("a\u{1b}[31m\nb\u{202e}\n"), "a\\u{1b}[31m\nb\\u{202e}\n");
    }

    #[test]
    fn a_narrow_table_breaks_texts_and_no_id() {
        let id = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
        let mut narrow = Table::new();
        narrow.load_style(NOTHING).set_width(40);
        let columns = [Column::Id("KID"), Column::Text("NOTE"), Column::Id("SUBJECT")];
        let text = "one two three four five six seven eight nine ten".to_owned();
        let shown = laid_out(narrow, &columns, [vec![id.to_owned(), text.clone(), id.to_owned()]]);
        assert_eq!(shown.matches(id).count(), 2, "{shown}");
        assert!(!shown.contains(&text), "the text gives way:\n{shown}");
    }
}
