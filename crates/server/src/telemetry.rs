//! What the program tells of itself: log lines on stderr, for people on a terminal and as JSON elsewhere, and counters for
//! `/metrics`. In: `RUST_LOG`, `--log-format`. Out: a subscriber and a recorder, installed once.
//!
//! Lines are written by a thread of their own: whoever reads them slowly, or not at all, holds up no request. What does not fit into
//! the queue is dropped and counted.

use std::env::VarError;
use std::error::Error;
use std::io::IsTerminal;
use std::sync::OnceLock;

use anyhow::{Context, Result};
use clap::ValueEnum;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Lines that may wait to be written: at some 300 bytes each, about a megabyte.
const LINES_WAITING: usize = 4096;

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();

/// The log, for as long as this is held; what waits when it is dropped is written first, for at most a second.
#[must_use]
pub(crate) struct Log {
    _writes: WorkerGuard,
}

/// Lines that were dropped since the start, because they came faster than they were read.
pub(crate) fn dropped_lines() -> u64 {
    DROPPED.get().map_or(0, |dropped| dropped.dropped_lines() as u64)
}

/// Begins to log; `default_filter` holds where there is no `RUST_LOG`. One that cannot be read is refused: whoever set it is looking for
/// something.
pub(crate) fn log(format: Option<LogFormat>, default_filter: &str) -> Result<Log> {
    let on_terminal = std::io::stderr().is_terminal();
    let format = format.unwrap_or(if on_terminal { LogFormat::Human } else { LogFormat::Json });
    let filter = match EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).try_from_env() {
        Err(error) if error.source().is_some_and(|cause| cause.is::<VarError>()) => {
            EnvFilter::try_new(default_filter).context("the default log filter cannot be read")?
        }
        said => said.context("RUST_LOG cannot be read")?,
    };
    let (writer, writes) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING)
        .thread_name("log")
        .finish(std::io::stderr());
    DROPPED.set(writer.error_counter()).ok();
    // A log that cannot be written, on a full disk or with its reader gone, must take nothing down: told on stderr, the failure
    // to write to stderr would be a panic.
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).log_internal_errors(false);
    let installed = match format {
        LogFormat::Human => lines.with_ansi(on_terminal).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    installed.map_err(|cause| anyhow::anyhow!("logging cannot begin: {cause}"))?;
    log_panics();
    Ok(Log { _writes: writes })
}

/// Begins to count.
pub(crate) fn count() -> Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).context("counting cannot begin")?;
    Ok(handle)
}

/// A panic ends the connection it happened in and nothing else; here it gets its log line.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic
            .payload()
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str))
            .unwrap_or_default();
        tracing::error!(
            panic.place = place,
            panic.message = message,
            "a defect: this request is not answered"
        );
    }));
}
