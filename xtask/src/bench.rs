//! `cargo xtask bench`: builds the program and what measures it, both optimised, and measures. In: names of figures and options, which
//! go through as they are. Out: what the measuring program says.

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Result, bail};
use serde_json::Value;

/// Measure what docs/performance.md promises; `cargo xtask bench -- --help` lists figures and options
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Figures and options: all figures without any, `--quick` to see that it works, `--json`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FIGURE|OPTION")]
    passed_on: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let [bench, program] = build(["vestibule-bench", "vestibule"])?;
    let status = Command::new(bench).arg("--program").arg(program).args(&args.passed_on).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::from(2), ExitCode::from))
}

/// Builds packages in one go, so that both stand on the same dependencies, and says where their programs are.
fn build<const N: usize>(packages: [&str; N]) -> Result<[PathBuf; N]> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--message-format=json-render-diagnostics"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    let built =
        cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).stderr(Stdio::inherit()).output()?;
    if !built.status.success() {
        bail!("cargo build failed");
    }
    let messages = String::from_utf8(built.stdout)?;
    let mut found = packages.map(|_| PathBuf::new());
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let name = message.pointer("/target/name").and_then(Value::as_str);
        let executable = message.get("executable").and_then(Value::as_str);
        for (package, found) in packages.iter().zip(&mut found) {
            if let (true, Some(executable)) = (name == Some(package), executable) {
                *found = PathBuf::from(executable);
            }
        }
    }
    let missing = packages.iter().zip(&found).find(|(_, found)| found.as_os_str().is_empty());
    match missing {
        Some((package, _)) => Err(anyhow::anyhow!("cargo built no program called {package}")),
        None => Ok(found),
    }
}
