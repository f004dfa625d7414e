//! `vestibule`, the program: reads the command line, does one command, says how it went.
//! In: arguments, a configuration, the environment. Out: output, and 0 done, 1 refused or not found, 2 bad usage or
//! configuration, 3 could not tell.

mod assemble;
mod cli;
mod config;
mod control;
mod demo;
mod host;
mod key_manager;
mod listen;
mod maintenance;
mod operator;
mod secrets;
mod status;
mod telemetry;
mod traits_schema;
mod untrusted;

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Parser;

/// Why not the system's: `docs/decisions/0009-mimalloc.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => {
            let code = if usage.use_stderr() {
                cli::report_usage(&usage.render().to_string());
                usage.exit_code()
            } else {
                // --help and --version, which are no errors.
                let is_unread = usage.print().is_err_and(|error| error.kind() != ErrorKind::BrokenPipe);
                if is_unread { 3 } else { usage.exit_code() }
            };
            return ExitCode::from(u8::try_from(code).unwrap_or(2));
        }
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
