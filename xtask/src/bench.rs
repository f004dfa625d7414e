//! `cargo xtask bench`: builds the program and what measures it, both optimised, and measures. In: names of figures and options, which
//! go through as they are. Out: what the measuring program says.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{built, checkout};

/// Measure what docs/performance.md promises; `cargo xtask bench -- --help` lists figures and options
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Figures and options: all figures without any, `--quick` to see that it works, `--json`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FIGURE|OPTION")]
    passed_on: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let [bench, program] =
        built::programs(&checkout::root(None)?, built::Profile::Release, ["vestibule-bench", "vestibule"])?;
    let status = Command::new(bench).arg("--program").arg(program).args(&args.passed_on).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::from(2), ExitCode::from))
}
