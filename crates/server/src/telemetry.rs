//! What the program tells of itself: log lines on stderr, for people on a terminal and as JSON elsewhere, and counters for
//! `/metrics`. In: `RUST_LOG`, `--log-format`. Out: a subscriber and a recorder, installed once.
//!
//! Lines are written by a thread of their own, security events first ([`lines`]), and nobody outside can make more of them than a
//! person may read ([`floods`]).

use std::env::VarError;
use std::error::Error;
use std::io::IsTerminal;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use clap::ValueEnum;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

mod dropped_claims;
mod floods;
mod lines;

pub(crate) use dropped_claims::DroppedClaims;
use floods::{Floods, Gate, LeftOut};
pub(crate) use lines::Dropped;
use lines::{Lines, Writer, Writing};

/// The target of what people and operators did.
const EVENT: &str = "vestibule::event";
/// The target of what weakens a gate: said once at start, however many there are.
pub(crate) const DANGER: &str = "vestibule::danger";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

static LOG: OnceLock<Told> = OnceLock::new();

/// What the log could not say, for who counts.
struct Told {
    lines: Arc<Lines>,
    floods: Arc<Floods>,
}

/// The log, for as long as this is held; what waits when it is dropped is written first, for at most a second.
#[must_use]
pub(crate) struct Log {
    _writes: Writing,
}

/// Lines that were dropped since the start, because they came faster than they were read.
pub(crate) fn dropped_lines() -> Dropped {
    LOG.get().map_or(Dropped::default(), |log| log.lines.dropped())
}

/// Lines that were left out since the start, because somebody caused too many of them.
pub(crate) fn left_out_lines() -> u64 {
    LOG.get().map_or(0, |log| log.floods.left_out())
}

/// Says what was left out since the last time: one line for each kind.
pub(crate) fn tell_left_out() {
    for LeftOut { what, lines } in LOG.get().map(|log| log.floods.take_left_out()).unwrap_or_default() {
        tracing::warn!(what, lines, "lines were left out: there were more of them than 20 in a second");
    }
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
    let (lines, writes) = Lines::begin(std::io::stderr()).context("logging cannot begin")?;
    let floods = Arc::new(Floods::default());
    // Told on stderr, the failure to write a line would be a panic where stderr is what fails.
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Writer(Arc::clone(&lines)))
        .log_internal_errors(false);
    match format {
        LogFormat::Human => install(subscriber.with_ansi(on_terminal).with_target(false).finish(), &floods),
        LogFormat::Json => {
            install(subscriber.json().flatten_event(true).with_current_span(false).finish(), &floods)
        }
    }?;
    LOG.set(Told { lines, floods }).ok();
    log_panics();
    Ok(Log { _writes: writes })
}

fn install(subscriber: impl Subscriber + Send + Sync, floods: &Arc<Floods>) -> Result<()> {
    let gated = subscriber.with(Gate(Arc::clone(floods)));
    gated.try_init().map_err(|cause| anyhow::anyhow!("logging cannot begin: {cause}"))
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
