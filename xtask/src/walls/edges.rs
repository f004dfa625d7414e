//! Who may know whom among our own crates, and what `core` and `verify` must stay free of.
//! In: the resolved graph. Out: a finding for each edge that the tables below do not name.

use super::Finding;
use super::graph::{Graph, Kind, Package};
use super::tree::Tree;

const WALL: &str = "crate edge";

/// A crate exists if, and only if, a trust boundary stands there; a new one starts with a row here.
/// Edges for tests count like any other: a test that reaches across a wall is the first hole in it.
const MAY_KNOW: [(&str, &[&str]); 8] = [
    ("vestibule-verify", &[]),
    ("vestibule-core", &["vestibule-verify"]),
    ("vestibule-store", &["vestibule-core"]),
    ("vestibule-gateway", &["vestibule-core"]),
    ("vestibule-portal", &["vestibule-core"]),
    ("vestibule", EVERY_LIBRARY),
    // Around the product, not of it: they may know everyone, and nobody may know them.
    ("vestibule-bench", EVERY_LIBRARY),
    ("xtask", EVERY_LIBRARY),
];

const EVERY_LIBRARY: &[&str] =
    &["vestibule-core", "vestibule-gateway", "vestibule-portal", "vestibule-store", "vestibule-verify"];

/// Rules must run without a runtime, a socket or a database, so these crates do not even link one; nor a web framework. What hangs on
/// a feature (verify's `axum`) is its asker's wish.
const WITHOUT_THE_WORLD: [&str; 2] = ["vestibule-core", "vestibule-verify"];
const THE_WORLD: [&str; 14] = [
    "axum",
    "axum-core",
    "clap",
    "hyper",
    "hyper-util",
    "mio",
    "redis",
    "reqwest",
    "sqlx",
    "tokio",
    "tonic",
    "tower",
    "tower-layer",
    "tower-service",
];

pub(super) fn check(graph: &Graph, tree: &Tree) -> Vec<Finding> {
    graph.members().flat_map(|package| check_crate(graph, tree, package)).collect()
}

fn check_crate(graph: &Graph, tree: &Tree, package: &Package) -> Vec<Finding> {
    let manifest = graph.manifest(package);
    let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| *name == package.name) else {
        let what =
            format!("{} has no row in xtask/src/walls/edges.rs: which trust boundary is it?", package.name);
        return vec![Finding { file: manifest, line: 1, wall: WALL, what }];
    };
    let finding = |dependency: &Package, what: String| Finding {
        line: tree.line_of(&manifest, |line| declares(line, &dependency.name)),
        file: manifest.clone(),
        wall: WALL,
        what,
    };

    let mut findings = Vec::new();
    for known in graph.dependencies(package, &[Kind::Normal, Kind::Build, Kind::Dev]) {
        if graph.is_ours(known) && !may_know.contains(&known.name.as_str()) {
            let allowed = if may_know.is_empty() { "none of ours".to_owned() } else { may_know.join(", ") };
            findings.push(finding(
                known,
                format!("{} must not know {}; it may know {allowed}", package.name, known.name),
            ));
        }
    }
    if WITHOUT_THE_WORLD.contains(&package.name.as_str()) {
        for linked in graph.always_linked(package) {
            if THE_WORLD.contains(&linked.name.as_str()) {
                let what =
                    format!("{} links {}: it has no sockets, runtime or database", package.name, linked.name);
                findings.push(finding(linked, what));
            }
        }
    }
    findings
}

/// Whether a manifest line declares `name` (`name = …`, `name.workspace = true`).
pub(super) fn declares(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
}
