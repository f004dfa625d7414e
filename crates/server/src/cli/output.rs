//! What commands print: tables for people, JSON for programs, one line per error. In: views. Out: stdout and stderr; a reader that
//! went away (`| head`) is no error.

use std::io::{IsTerminal, Write};

use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{Attribute, Cell, ContentArrangement, Table};
use serde::Serialize;

use super::Failure;

/// Prints lines on stdout.
pub(super) fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).ok();
}

/// One line on stderr.
pub(super) fn error_line(what: &str) {
    let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
    writeln!(std::io::stderr().lock(), "vestibule: {line}").ok();
}

/// Prints JSON, indented on a terminal.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = if std::io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    say(&text.map_err(|error| Failure::Unknown(format!("cannot be told as JSON: {error}")))?);
    Ok(())
}

/// Prints a table; with plain columns where no person looks.
pub(super) fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let is_terminal = std::io::stdout().is_terminal();
    let mut table = Table::new();
    table.load_style(if is_terminal { UTF8_HORIZONTAL_ONLY } else { NOTHING });
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.iter().map(|it| Cell::new(it).add_attribute(Attribute::Bold)));
    rows.into_iter().for_each(|row| {
        table.add_row(row);
    });
    say(&table.trim_fmt());
}

/// Prints names with their values, one per line.
pub(super) fn facts(facts: &[(&str, String)]) {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in facts {
        say(&format!("{name:width$}  {value}"));
    }
}

/// "1 session", "3 sessions".
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
