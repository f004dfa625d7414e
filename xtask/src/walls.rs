//! The walls of the house, held by reading: the manifests, the resolved dependency graph, every Rust file and every
//! other tracked text. Who may depend on whom among our crates stands in `edges.rs`, the order of core's modules in
//! `ranks.rs`, third-party walls and licences in the repository's `deny.toml`.
//! In: the repository's root. Out: findings, one line each, or one line that says what was held.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

mod edges;
mod graph;
mod licence;
mod manifests;
mod policy;
mod ranks;
mod rules;
mod source;
pub(crate) mod tree;
mod words;

#[cfg(test)]
mod tests;

use crate::checkout;
use graph::Graph;
use policy::Policy;
use source::Source;
use tree::Tree;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
    /// The checkout to judge; the one around the current folder unless it is named
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// One breach: where it is, which wall it breaks, and why that wall stands there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Finding {
    file: String,
    line: usize,
    wall: &'static str,
    what: String,
}

/// What was looked at, so that a silent pass can be told from a pass over nothing.
#[derive(Serialize)]
struct Report {
    findings: Vec<Finding>,
    crates: usize,
    packages: usize,
    files: usize,
    rust_files: usize,
    largest: Option<Largest>,
}

#[derive(Serialize)]
struct Largest {
    file: String,
    lines: usize,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let root = checkout::root(args.root.as_deref())?;
    let root = root.canonicalize().with_context(|| format!("no such folder: {}", root.display()))?;
    let report = inspect(&root)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        print(&mut out, &report)?;
    }
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn inspect(root: &Path) -> Result<Report> {
    let tree = Tree::read(root)?;
    let graph = Graph::read(root)?;
    let policy = Policy::parse(tree.text("deny.toml").context("deny.toml is missing")?)?;
    let mut findings = Vec::new();

    findings.extend(edges::check(&graph, &tree));
    findings.extend(policy.check(&graph, &tree));
    findings.extend(manifests::check(&graph, &tree));
    findings.extend(words::check(&tree));

    let mut sources = Vec::new();
    for (file, text) in tree.rust() {
        match Source::parse(file, text) {
            Ok(source) => sources.push(source),
            Err(finding) => findings.push(finding),
        }
    }
    Source::mark_test_files(&mut sources);
    findings.extend(ranks::check(&sources));
    findings.extend(rules::check(&sources));

    findings.sort();
    findings.dedup();
    let largest = sources
        .iter()
        .max_by_key(|source| source.lines)
        .map(|source| Largest { file: source.file.clone(), lines: source.lines });
    Ok(Report {
        findings,
        crates: graph.members().count(),
        packages: graph.packages().count(),
        files: tree.len(),
        rust_files: sources.len(),
        largest,
    })
}

fn print(out: &mut impl Write, report: &Report) -> Result<()> {
    for Finding { file, line, wall, what } in &report.findings {
        writeln!(out, "{file}:{line}: [{wall}] {what}")?;
    }
    let largest = report
        .largest
        .as_ref()
        .map_or_else(String::new, |it| format!(", largest {} with {} lines", it.file, it.lines));
    writeln!(
        out,
        "walls: {} found in {} crates of ours, {} packages, {} files ({} Rust{largest})",
        report.findings.len(),
        report.crates,
        report.packages,
        report.files,
        report.rust_files,
    )?;
    Ok(())
}
