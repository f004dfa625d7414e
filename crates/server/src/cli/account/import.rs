//! `vestibule account import`: accounts of another program, one JSON object a line. In: a file or stdin. Out: accounts, added line by line;
//! for each line that was not taken, one line on stderr that names it and its field.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use vestibule_core::account::Identifier;
use vestibule_verify::strict_json;
use zeroize::Zeroizing;

use super::super::output::{self, counted, say_done};
use super::super::{Context, Failure, ask_one};
use crate::control::client::Desk;
use crate::control::{Answer, Ask, Import as Entry, ImportHow, Imported};
use crate::host::text_file;

/// An identifier, a hash and the longest traits, with room for escapes.
const LONGEST_LINE: usize = 64 * 1024;
/// How much goes into one question; with one more line it is half of what the control socket takes.
const BATCH_BYTES: usize = 64 * 1024;
/// As many as one commit of the store is good for.
const BATCH_LINES: usize = 128;

#[derive(Args)]
pub(in super::super) struct Import {
    /// JSON lines: {"identifier": …, "password_hash": …, "traits": {…}, "status": "enabled"}; without it, or with -, stdin
    file: Option<PathBuf>,
    /// Judge every line and add nothing
    #[arg(long)]
    dry_run: bool,
    /// Pass over identifiers that have an account already, to go on with an import that was cut short
    #[arg(long)]
    skip_existing: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What came of all lines.
#[derive(Default, Serialize)]
struct Tally {
    added: usize,
    skipped: usize,
    refused: Vec<RefusedLine>,
}

/// A line that was not taken, and why.
#[derive(Serialize)]
struct RefusedLine {
    line: usize,
    /// None when the whole line is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    what: String,
}

/// Reads lines and adds them.
struct Importer<'a> {
    options: &'a Import,
    desk: &'a Desk,
    progress: ProgressBar,
    tally: Tally,
    /// Where each identifier came first: a second one is not the store's business.
    seen: HashMap<Identifier, usize>,
    batch: Vec<(usize, Entry)>,
    batch_bytes: usize,
}

impl Import {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        let (mut lines, progress) = self.open()?;
        let tally = context.ask(async |desk| {
            let mut importer = Importer {
                options: &self,
                desk,
                progress: progress.clone(),
                tally: Tally::default(),
                seen: HashMap::new(),
                batch: Vec::new(),
                batch_bytes: 0,
            };
            importer.all(&mut lines).await?;
            Ok(importer.tally)
        });
        progress.finish_and_clear();
        self.report(&tally?)
    }

    /// What is read, and how far it has come, on a terminal.
    fn open(&self) -> Result<(Box<dyn BufRead>, ProgressBar), Failure> {
        let style = |template: &str| {
            let style = ProgressStyle::with_template(template);
            style.map_err(|error| Failure::Unknown(format!("the progress cannot be shown: {error}")))
        };
        let Some(path) = self.file.as_ref().filter(|path| path.as_os_str() != "-") else {
            if std::io::stdin().is_terminal() {
                output::error_line("reading accounts from stdin, one JSON object a line; end with Ctrl-D");
            }
            let progress = ProgressBar::new_spinner().with_style(style("{spinner} {bytes} read, {msg}")?);
            return Ok((Box::new(BufReader::new(std::io::stdin())), progress));
        };
        let cannot = |error| Failure::Usage(format!("cannot read {}: {error}", path.display()));
        let file = File::open(path).map_err(cannot)?;
        let length = file.metadata().map_err(cannot)?.len();
        let progress =
            ProgressBar::new(length).with_style(style("{bar:40} {percent:>3} %, {eta} left, {msg}")?);
        Ok((Box::new(BufReader::new(file)), progress))
    }

    fn report(&self, tally: &Tally) -> Result<(), Failure> {
        if self.json {
            output::json_done(tally)?;
        } else {
            let is_added = if self.dry_run { "can be added" } else { "added" };
            let mut summary = format!("{} {is_added}", counted(tally.added, "account"));
            if tally.skipped > 0 {
                summary.push_str(&format!(", {} there already", tally.skipped));
            }
            if !tally.refused.is_empty() {
                summary.push_str(&format!(", {} refused", counted(tally.refused.len(), "line")));
            }
            say_done(&summary)?;
        }
        match tally.refused.len() {
            0 => Ok(()),
            many => {
                Err(Failure::Refused(format!("{} not taken; the other lines stand", counted(many, "line"))))
            }
        }
    }
}

impl Importer<'_> {
    async fn all(&mut self, lines: &mut dyn BufRead) -> Result<(), Failure> {
        for number in 1.. {
            let line = match next_line(lines) {
                Ok(Line::End) => break,
                Ok(Line::Read(line)) => line,
                Ok(Line::TooLong) => {
                    self.refuse(number, None, format!("is longer than {LONGEST_LINE} bytes"));
                    continue;
                }
                Err(error) => {
                    self.send().await?;
                    return Err(Failure::Unknown(format!("cannot read line {number}: {error}")));
                }
            };
            self.progress.inc(line.len() as u64);
            let text = match number {
                1 => text_file::unmarked(&line)
                    .map_err(|wrong| Failure::Usage(format!("what is read {wrong}")))?,
                _ => &line[..],
            };
            let text = text.trim_ascii();
            if text.is_empty() {
                continue;
            }
            match self.read(number, text) {
                Ok(entry) => self.take(number, entry),
                Err((field, what)) => self.refuse(number, field, what),
            }
            if self.batch.len() >= BATCH_LINES || self.batch_bytes >= BATCH_BYTES {
                self.send().await?;
            }
        }
        self.send().await
    }

    fn take(&mut self, number: usize, entry: Entry) {
        // As it will be sent: numbers can grow when they are written again.
        let bytes = serde_json::to_vec(&entry).map_or(usize::MAX, |text| Zeroizing::new(text).len());
        if bytes > LONGEST_LINE {
            return self.refuse(number, Some("traits"), "are too long".to_owned());
        }
        self.batch_bytes += bytes;
        self.batch.push((number, entry));
    }

    /// Reads one line; what is wrong comes with its field, where one is to blame.
    fn read(&mut self, number: usize, line: &[u8]) -> Result<Entry, (Option<&'static str>, String)> {
        let limits = strict_json::Limits { bytes: LONGEST_LINE, depth: 18, members: 300 };
        let value = strict_json::parse(line, limits)
            .map_err(|cause| (None, format!("is not well-formed JSON: {cause}")))?;
        let serde_json::Value::Object(members) = &value else {
            return Err((None, "is not a JSON object".to_owned()));
        };
        for (field, is_right, kind) in [
            ("identifier", members.get("identifier").is_some_and(serde_json::Value::is_string), "a string"),
            ("password_hash", is_text_or_absent(members.get("password_hash")), "a string"),
            ("status", is_text_or_absent(members.get("status")), "a string"),
            ("traits", members.get("traits").is_none_or(|it| it.is_object() || it.is_null()), "an object"),
        ] {
            if !is_right {
                return Err((Some(field), format!("must be {kind}")));
            }
        }
        let entry: Entry =
            serde_json::from_value(value).map_err(|cause| (None, cause.to_string().replace('`', "\"")))?;
        if let Ok(identifier) = Identifier::parse(&entry.identifier) {
            let first = *self.seen.entry(identifier).or_insert(number);
            if first != number {
                return Err((Some("identifier"), format!("is the one of line {first}")));
            }
        }
        Ok(entry)
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let (numbers, accounts): (Vec<_>, Vec<_>) = std::mem::take(&mut self.batch).into_iter().unzip();
        self.batch_bytes = 0;
        if accounts.is_empty() {
            return Ok(());
        }
        let how = if self.options.dry_run { ImportHow::Judge } else { ImportHow::Add };
        let cut_short = |what: String, tally: &Tally| {
            let first = numbers.first().copied().unwrap_or_default();
            let added = counted(tally.added, "account");
            Failure::Unknown(format!(
                "{what}; {added} added before line {first}, and perhaps some after it: run it again with --skip-existing"
            ))
        };
        let answer = match ask_one(self.desk, Ask::AccountImport { accounts, how }).await {
            Ok(answer) => answer,
            Err(Failure::Refused(what) | Failure::Unknown(what) | Failure::Usage(what)) => {
                return Err(cut_short(what, &self.tally));
            }
        };
        let Answer::Imported { accounts } = answer else { return Err(Failure::mismatch()) };
        if accounts.len() != numbers.len() {
            return Err(Failure::mismatch());
        }
        let mut fault = None;
        for (number, imported) in numbers.iter().copied().zip(accounts) {
            match imported {
                Imported::Added => self.tally.added += 1,
                Imported::Exists if self.options.skip_existing => self.tally.skipped += 1,
                Imported::Exists => {
                    let what = "has an account already; --skip-existing passes over such lines";
                    self.refuse(number, Some("identifier"), what.to_owned());
                }
                Imported::Fault { what } => fault = fault.or(Some(what)),
                Imported::Refused { field, what } => self.refuse(number, Some(&field), what),
            }
        }
        self.progress.set_message(counted(self.tally.added, "account"));
        self.progress.tick();
        fault.map_or(Ok(()), |what| Err(cut_short(what, &self.tally)))
    }

    fn refuse(&mut self, line: usize, field: Option<&str>, what: String) {
        let place = field.map_or_else(String::new, |field| format!("{field}: "));
        self.progress.suspend(|| output::error_line(&format!("line {line}: {place}{what}")));
        self.tally.refused.push(RefusedLine { line, field: field.map(str::to_owned), what });
    }
}

fn is_text_or_absent(value: Option<&serde_json::Value>) -> bool {
    value.is_none_or(|it| it.is_string() || it.is_null())
}

enum Line {
    End,
    /// With its end; wiped when dropped.
    Read(Zeroizing<Vec<u8>>),
    /// All of it was passed over.
    TooLong,
}

fn next_line(lines: &mut dyn BufRead) -> std::io::Result<Line> {
    let mut line = Zeroizing::new(Vec::new());
    let most = LONGEST_LINE as u64 + 1;
    lines.take(most).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(Line::End);
    }
    if line.len() <= LONGEST_LINE || line.last() == Some(&b'\n') {
        return Ok(Line::Read(line));
    }
    while !line.is_empty() && line.last() != Some(&b'\n') {
        line.clear();
        lines.take(most).read_until(b'\n', &mut line)?;
    }
    Ok(Line::TooLong)
}
