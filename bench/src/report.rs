//! What was measured, for people and for programs. In: rows. Out: a table or JSON on stdout; progress on stderr where that is a
//! terminal.

use std::fs;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Result;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::sample::Median;

/// One line of the table.
#[derive(Serialize)]
pub(crate) struct Row {
    figure: &'static str,
    what: String,
    measured: Median,
    unit: Unit,
    /// What is promised of it, if anything is.
    promised: Option<Promised>,
    /// What is in the number, or what it stands beside.
    note: String,
}

/// The side of a bound that a number is to be on.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Promised {
    AtLeast(f64),
    AtMost(f64),
}

/// What a number counts.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Bytes,
    Count,
    Nanoseconds,
    PerSecond,
    Ratio,
}

impl Row {
    pub(crate) fn new(figure: &'static str, what: impl Into<String>, measured: Median, unit: Unit) -> Self {
        Self { figure, what: what.into(), measured, unit, promised: None, note: String::new() }
    }

    pub(crate) fn at_most(self, promised: f64) -> Self {
        Self { promised: Some(Promised::AtMost(promised)), ..self }
    }

    pub(crate) fn at_least(self, promised: f64) -> Self {
        Self { promised: Some(Promised::AtLeast(promised)), ..self }
    }

    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    fn verdict(&self) -> &'static str {
        match self.promised {
            None => "",
            Some(Promised::AtMost(most)) if self.measured.value <= most => "kept",
            Some(Promised::AtLeast(least)) if self.measured.value >= least => "kept",
            Some(_) => "missed",
        }
    }
}

impl Promised {
    fn show(self, unit: Unit) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", unit.show(least)),
            Self::AtMost(most) => format!("≤ {}", unit.show(most)),
        }
    }
}

impl Unit {
    fn show(self, number: f64) -> String {
        match self {
            Self::Bytes => format!("{number:.0} B"),
            Self::Count => format!("{number}"),
            Self::Nanoseconds if number >= 1_000_000.0 => format!("{:.2} ms", number / 1_000_000.0),
            Self::Nanoseconds if number >= 10_000.0 => format!("{:.1} µs", number / 1000.0),
            Self::Nanoseconds if number >= 1000.0 => format!("{:.2} µs", number / 1000.0),
            Self::Nanoseconds => format!("{number:.0} ns"),
            Self::PerSecond => format!("{number:.1}/s"),
            Self::Ratio => format!("{number:.3}"),
        }
    }
}

/// The machine, as far as it matters for the numbers.
#[derive(Serialize)]
struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    rustc: &'static str,
}

impl Machine {
    fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kilobytes = field(&read("/proc/meminfo"), "MemTotal");
        let kilobytes = kilobytes.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        // Only the version proper: what distributors append can name their machines.
        let kernel = read("/proc/sys/kernel/osrelease");
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: kilobytes.unwrap_or_default().div_ceil(1024 * 1024),
            kernel: kernel.trim().split('-').next().unwrap_or_default().to_owned(),
            rustc: env!("VESTIBULE_BENCH_RUSTC"),
        }
    }
}

pub(crate) fn print(rows: &[Row], json: bool, quick: bool) -> Result<()> {
    let machine = Machine::this();
    let mut out = std::io::stdout().lock();
    if json {
        #[derive(Serialize)]
        struct Report<'a> {
            machine: Machine,
            quick: bool,
            rows: &'a [Row],
        }
        serde_json::to_writer_pretty(&mut out, &Report { machine, quick, rows })?;
        return Ok(writeln!(out)?);
    }
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["figure", "what", "median", "rounds", "promised", "", "note"]);
    for row in rows {
        let Median { value, low, high } = row.measured;
        let spread = if low == high {
            String::new()
        } else {
            format!("{} – {}", row.unit.show(low), row.unit.show(high))
        };
        let promised = row.promised.map_or_else(String::new, |it| it.show(row.unit));
        let cells =
            [row.figure, &row.what, &row.unit.show(value), &spread, &promised, row.verdict(), &row.note];
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(2).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    writeln!(out, "{table}")?;
    let Machine { processor, cores, memory_gib, kernel, rustc } = machine;
    writeln!(out, "{processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}, {rustc}")?;
    if quick {
        writeln!(out, "A tenth of the sessions and requests: these figures are not for quoting.")?;
    }
    Ok(())
}

pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    // When even stderr is gone there is nobody left to tell.
    writeln!(std::io::stderr(), "bench: {error:#}").ok();
    ExitCode::from(2)
}

/// A bar for work that takes long; nothing where nobody watches.
#[derive(Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn of(what: &'static str, steps: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(steps).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg:24} {bar:40} {human_pos}/{human_len} {eta}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn step(&self, steps: u64) {
        self.0.inc(steps);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.0.position() >= self.0.length().unwrap_or_default() {
            self.0.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_on_its_own_side_of_the_bound_and_on_the_bound() {
        let row = |value| Row::new("test", "what", Median::exactly(value), Unit::Ratio);
        for (value, at_least, at_most) in
            [(2.9, "missed", "kept"), (3.0, "kept", "kept"), (3.1, "kept", "missed")]
        {
            assert_eq!(row(value).at_least(3.0).verdict(), at_least, "{value}");
            assert_eq!(row(value).at_most(3.0).verdict(), at_most, "{value}");
        }
        assert_eq!(row(3.0).verdict(), "");
        // What could not be measured keeps no promise.
        assert_eq!(row(f64::NAN).at_least(3.0).verdict(), "missed");
        assert_eq!(row(f64::NAN).at_most(3.0).verdict(), "missed");
    }

    #[test]
    fn a_bound_shows_its_side_and_unit() {
        assert_eq!(Promised::AtLeast(0.9).show(Unit::Ratio), "≥ 0.900");
        assert_eq!(Promised::AtMost(5_000_000.0).show(Unit::Nanoseconds), "≤ 5.00 ms");
    }
}
