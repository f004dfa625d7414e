//! The pages: `docs/config.md`, made of the schema that the program itself prints, so that no key is without its meaning and no meaning
//! is out of date; and all Markdown of the repository, held to what it names. In: the checkout. Out: the page, or with `--check` what is
//! wrong with the pages.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::walls::tree::Tree;
use crate::{built, checkout};
use commands::Commands;
use markdown::Page;

mod code;
mod commands;
mod links;
mod markdown;
mod page;

const PAGE: &str = "docs/config.md";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Change nothing; exit 1 when docs/config.md is not what the schema says, or any page is empty, has a dead link, or names a
    /// decision, a command or a key that is not there
    #[arg(long)]
    check: bool,
    /// The checkout; the one around the current folder unless it is named
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// One thing that is wrong on a page.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    line: usize,
    what: String,
}

impl Finding {
    fn at(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [docs] {}", self.file, self.line, self.what)
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let root = checkout::root(args.root.as_deref())?;
    let program = built::program(&root, built::Profile::Debug, "vestibule")?;
    let schema = schema(&program)?;
    let config = page::render(&schema)?;
    let mut out = std::io::stdout().lock();
    if !args.check {
        let file = root.join(PAGE);
        std::fs::write(&file, config).with_context(|| format!("cannot write {}", file.display()))?;
        writeln!(out, "docs: {PAGE} is written")?;
        return Ok(ExitCode::SUCCESS);
    }
    let tree = Tree::read(&root)?;
    let pages: BTreeMap<String, Page> =
        tree.pages().map(|(file, text)| (file.to_owned(), Page::read(text))).collect();
    let mut findings = links::check(&tree, &pages);
    findings.extend(code::check(&tree, &pages, &schema, &mut Commands::asked_of(program))?);
    if let Some((line, expected)) = first_difference(tree.text(PAGE).unwrap_or_default(), &config) {
        let what = format!("should be {expected:?}; run: cargo xtask docs, and commit the page");
        findings.push(Finding::at(PAGE, line, what));
    }
    findings.sort();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let links: usize = pages.values().map(|page| page.links.len()).sum();
    let blocks: usize = pages.values().map(|page| page.blocks.len()).sum();
    writeln!(
        out,
        "docs: {} found in {} pages, {links} links and {blocks} blocks",
        findings.len(),
        pages.len()
    )?;
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What the program of this checkout takes.
fn schema(program: &Path) -> Result<serde_json::Value> {
    let output = Command::new(program)
        .args(["config", "schema"])
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
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
