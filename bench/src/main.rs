//! The figures that `docs/performance.md` promises, measured on this machine: ratios and medians within one run.
//! In: names of figures. Out: one table (or JSON) on stdout, progress on stderr; exit 0 measured, 2 could not.
//!
//! Some figures need a process of their own: the program then starts itself with a hidden option.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};

mod app;
mod child;
mod figure;
mod home;
mod host;
mod load;
mod report;
mod sample;
mod serve;

use figure::memory::Kept;
use serve::Answering;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "cargo xtask bench", about = "Measures what docs/performance.md promises")]
struct Cli {
    /// Which figures; all when none is named
    figures: Vec<Figure>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// A tenth of the sessions and requests: to see that it works, not to quote
    #[arg(long)]
    quick: bool,
    /// The program to measure, built beforehand; without it, the door alone is measured
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// For child processes: answer requests
    #[arg(long, hide = true, value_name = "HOW")]
    serve: Option<Answering>,
    /// For child processes: hold sessions, and say what they weigh
    #[arg(long, hide = true, value_name = "WHAT")]
    weigh: Option<Kept>,
    /// Where sessions are: for child processes, and to profile without filling a store each time
    #[arg(long, hide = true, value_name = "DIR")]
    home: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Figure {
    /// `/check` over sockets: CPU time of the server beside bare hyper
    Check,
    /// Whose JWT a swap gives, among many sessions, on many threads, while keys rotate
    SharedBucket,
    /// `/auth/oauth/introspect` answering with the JWT that a token stands for: CPU time of the program beside bare hyper
    Introspect,
    /// Decrypting at the service, beside its steps alone
    Jwe,
    /// The tower layer of `vestibule-verify` around a service
    Layer,
    /// Reading one account's sessions among many
    List,
    /// Logins with a password beside Argon2 alone
    Login,
    /// Resident memory per session
    Memory,
    /// Opening sessions without hashing: many writers beside one
    Open,
    /// Trading refresh tokens: many families beside one
    Refresh,
    /// Single steps: signing, digests, CSRF tokens
    Steps,
    /// How long `/check` takes while many sign in
    Storm,
    /// Headers to permit to JWT within the process, and what a warm request asks of store and key
    Swap,
    /// Whether the time of a refusal tells an unknown name from a known one
    Timing,
    /// JWTs at the service: first and second sight
    Verify,
}

/// How much of everything.
#[derive(Clone, Copy)]
struct Scale {
    /// 1 for figures to quote, more to see quickly that they can be had.
    divisor: u64,
}

impl Scale {
    fn of(self, full: u64) -> u64 {
        full / self.divisor
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match (&cli.serve, &cli.weigh, &cli.home) {
        (Some(how), _, home) => serve::run(*how, home.as_deref()),
        (_, Some(kept), Some(home)) => figure::memory::weigh(*kept, home),
        _ => measure(&cli),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report::failed(&error),
    }
}

fn measure(cli: &Cli) -> Result<()> {
    let mut figures = cli.figures.clone();
    if figures.is_empty() {
        figures = Figure::value_variants().to_vec();
    }
    figures.sort();
    figures.dedup();
    let scale = Scale { divisor: if cli.quick { 10 } else { 1 } };
    let mut homes = home::Homes::default();
    if let Some(folder) = &cli.home {
        homes.take(folder)?;
    }
    let mut rows = Vec::new();
    for figure in figures {
        rows.extend(match figure {
            Figure::Check => figure::check::measure(scale, &mut homes, cli.program.as_deref())?,
            Figure::SharedBucket => figure::crowd::measure(scale, &mut homes)?,
            Figure::Introspect => figure::introspect::measure(scale, &mut homes, cli.program.as_deref())?,
            Figure::Jwe => figure::jwe::measure(scale)?,
            Figure::Layer => figure::layer::measure(scale)?,
            Figure::List => figure::list::measure(scale, &mut homes)?,
            Figure::Login => figure::login::measure(scale, &mut homes, cli.program.as_deref())?,
            Figure::Memory => figure::memory::measure(scale, &mut homes)?,
            Figure::Open => figure::open::measure(scale)?,
            Figure::Refresh => figure::refresh::measure(scale)?,
            Figure::Steps => figure::steps::measure(scale)?,
            Figure::Storm => figure::storm::measure(scale, &mut homes, cli.program.as_deref())?,
            Figure::Swap => figure::swap::measure(scale, &mut homes)?,
            Figure::Timing => figure::timing::measure(scale, cli.program.as_deref())?,
            Figure::Verify => figure::verify::measure(scale)?,
        });
    }
    report::print(&rows, cli.json, cli.quick)
}
