//! The checks and measurements around the code: what a contributor runs that is not the product.
//! In: a command. Out: its report on stdout; exit 0 clean, 1 findings, 2 could not run.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod blocklist;
mod built;
mod checkout;
mod docs;
mod mutants;
mod walls;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Checks and measurements around the code")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Args),
    /// Write docs/config.md, the page of all keys, from the configuration's schema; with --check, hold all pages to what they name
    Docs(docs::Args),
    Blocklist(blocklist::Args),
    Mutants(mutants::Args),
    /// Hold the walls: crate edges, module ranks, banned crates, licences, file sizes, house words
    Walls(walls::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Bench(args) => bench::run(&args),
        Command::Blocklist(args) => blocklist::run(&args),
        Command::Docs(args) => docs::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::Walls(args) => walls::run(&args),
    };
    outcome.unwrap_or_else(|error| report(&error))
}

#[expect(clippy::print_stderr, reason = "the one place that talks to the person at the terminal")]
fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("xtask: {error:#}");
    ExitCode::from(2)
}
