//! `docs/config.md`, made of the schema that the program itself prints, so that no key is without its meaning and no meaning is out
//! of date. In: the checkout. Out: the page, or with `--check` whether it is the one that stands there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

mod page;

const PAGE: &str = "docs/config.md";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing; exit 1 when the page is not what the schema says
    #[arg(long)]
    check: bool,
    /// The checkout
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    root: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let page = page::render(&schema(&args.root)?)?;
    let file = args.root.join(PAGE);
    let mut out = std::io::stdout().lock();
    if !args.check {
        std::fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))?;
        writeln!(out, "docs: {PAGE} is written")?;
        return Ok(ExitCode::SUCCESS);
    }
    let present = std::fs::read_to_string(&file).unwrap_or_default();
    match first_difference(&present, &page) {
        None => {
            writeln!(out, "docs: {PAGE} says what the schema says")?;
            Ok(ExitCode::SUCCESS)
        }
        Some((line, expected)) => {
            writeln!(
                out,
                "{PAGE}:{line}: [config docs] should be {expected:?}; run: cargo xtask docs, and commit the page"
            )?;
            Ok(ExitCode::from(1))
        }
    }
}

/// What the program of this checkout takes.
fn schema(root: &Path) -> Result<serde_json::Value> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "vestibule", "--", "config", "schema"])
        .current_dir(root)
        .output()
        .context("cannot start cargo run")?;
    if !output.status.success() {
        bail!("vestibule config schema: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("the schema is no JSON")
}

fn first_difference(present: &str, expected: &str) -> Option<(usize, String)> {
    let (mut here, mut there) = (present.lines(), expected.lines());
    let mut number = 1;
    loop {
        match (here.next(), there.next()) {
            (None, None) => return (present != expected).then(|| (number, "a newline".to_owned())),
            (one, other) if one == other => number += 1,
            (_, other) => return Some((number, other.unwrap_or("the end").to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_told_by_its_first_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some((2, "c".to_owned())));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some((2, "b".to_owned())));
        assert_eq!(first_difference("a\nb\n", "a\n"), Some((2, "the end".to_owned())));
        assert!(first_difference("a", "a\n").is_some());
    }
}
