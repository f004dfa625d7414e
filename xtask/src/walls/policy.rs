//! The repository's `deny.toml`, read the way cargo-deny reads it: banned crates, crates that only some may depend on
//! (`wrappers`), licences, registries.
//! In: that file and the resolved graph. Out: findings.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::graph::{Graph, Package};
use super::tree::Tree;
use super::{Finding, edges, licence};

const LOCK: &str = "Cargo.lock";

#[derive(Deserialize)]
pub(super) struct Policy {
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

/// A crate that nobody may depend on, except, directly, the named wrappers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

impl Policy {
    pub(super) fn parse(toml: &str) -> Result<Self> {
        toml::from_str(toml).context("deny.toml")
    }

    pub(super) fn check(&self, graph: &Graph, tree: &Tree) -> Vec<Finding> {
        let mut findings = Vec::new();
        for package in graph.packages() {
            findings.extend(self.bans.deny.iter().flat_map(|ban| ban.check(package, graph, tree)));
            findings.extend(self.check_licence(package, tree));
            if !graph.is_ours(package) {
                findings.extend(self.check_source(package, tree));
            }
        }
        findings
    }

    fn check_licence(&self, package: &Package, tree: &Tree) -> Option<Finding> {
        let what = match &package.license {
            None => "states no licence".to_owned(),
            Some(expression) => match licence::permits(expression, &self.licenses.allow) {
                Some(true) => return None,
                Some(false) => {
                    format!("is licensed \"{expression}\", which deny.toml does not allow")
                }
                None => format!("has a licence expression that cannot be read: \"{expression}\""),
            },
        };
        Some(in_lock(package, tree, "licence", what))
    }

    fn check_source(&self, package: &Package, tree: &Tree) -> Option<Finding> {
        let source = package.source.as_deref().unwrap_or("a path outside of the workspace");
        let from = source.strip_prefix("registry+").unwrap_or(source);
        let known = self.sources.allow_registry.iter().any(|registry| registry == from);
        (!known).then(|| in_lock(package, tree, "source", format!("comes from {source}")))
    }
}

impl Ban {
    fn check(&self, package: &Package, graph: &Graph, tree: &Tree) -> Vec<Finding> {
        if package.name != self.name {
            return Vec::new();
        }
        if self.wrappers.is_empty() {
            let what = format!("is banned ({}); it comes in by {}", self.reason, graph.way_to(package));
            return vec![in_lock(package, tree, "banned crate", what)];
        }
        let strangers =
            graph.dependents(package).filter(|dependent| !self.wrappers.contains(&dependent.name));
        strangers
            .map(|stranger| {
                let what = format!("{} must not depend on {}: {}", stranger.name, self.name, self.reason);
                if !graph.is_ours(stranger) {
                    return in_lock(stranger, tree, "third-party wall", what);
                }
                let file = graph.manifest(stranger);
                let line = tree.line_of(&file, |line| edges::declares(line, &self.name));
                Finding { file, line, wall: "third-party wall", what }
            })
            .collect()
    }
}

/// A finding about a package that is not ours points at its entry in the lock file.
fn in_lock(package: &Package, tree: &Tree, wall: &'static str, what: String) -> Finding {
    let entry = format!("name = \"{}\"", package.name);
    let line = tree.line_of(LOCK, |line| line == entry);
    Finding {
        file: LOCK.to_owned(),
        line,
        wall,
        what: format!("{} {} {what}", package.name, package.version),
    }
}
