//! The dependency graph as cargo resolved it, all features on, development dependencies included.
//! In: `cargo metadata`. Out: our crates, every package, and who depends on whom.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

pub(super) struct Graph {
    root: String,
    members: BTreeSet<String>,
    packages: BTreeMap<String, Package>,
    edges: BTreeMap<String, Vec<Edge>>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) license: Option<String>,
    pub(super) source: Option<String>,
    manifest_path: String,
    #[serde(default)]
    dependencies: Vec<Declared>,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
}

/// A line of a manifest, before features decide whether it counts.
#[derive(Deserialize)]
struct Declared {
    name: String,
    rename: Option<String>,
    kind: Option<String>,
    optional: bool,
}

/// What a dependency is for; `cargo metadata` calls the normal one `null`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Build,
    Dev,
}

struct Edge {
    to: String,
    kinds: Vec<Kind>,
}

impl Graph {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let cargo = crate::checkout::cargo();
        let output = Command::new(cargo)
            .args(["metadata", "--format-version=1", "--all-features"])
            .current_dir(root)
            .output()
            .context("cannot start cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Self::parse(&output.stdout)
    }

    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        let raw: Raw = serde_json::from_slice(json).context("cargo metadata answered in an unknown form")?;
        let packages: BTreeMap<String, Package> =
            raw.packages.into_iter().map(|package| (package.id.clone(), package)).collect();
        let edges = raw.resolve.nodes.into_iter().map(|node| {
            let is_wanted = |dep: &RawDep| match (packages.get(&node.id), packages.get(&dep.pkg)) {
                (Some(from), Some(to)) => from.wants(&to.name, &node.features),
                _ => true,
            };
            let to =
                |dep: RawDep| Edge { to: dep.pkg, kinds: dep.dep_kinds.iter().map(RawKind::kind).collect() };
            (node.id.clone(), node.deps.into_iter().filter(is_wanted).map(to).collect())
        });
        let edges = edges.collect();
        let members = raw.workspace_members.into_iter().collect();
        let mut graph = Self { root: raw.workspace_root, members, edges, packages };
        graph.forget_the_unlinked();
        Ok(graph)
    }

    /// Keeps what a crate of ours links, by however many others.
    fn forget_the_unlinked(&mut self) {
        let mut linked = BTreeSet::new();
        let mut queue: VecDeque<&String> = self.members.iter().collect();
        while let Some(next) = queue.pop_front() {
            if linked.insert(next.clone()) {
                queue.extend(self.edges.get(next).into_iter().flatten().map(|edge| &edge.to));
            }
        }
        self.packages.retain(|id, _| linked.contains(id));
    }

    pub(super) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages().filter(|package| self.is_ours(package))
    }

    pub(super) fn is_ours(&self, package: &Package) -> bool {
        self.members.contains(&package.id)
    }

    /// The direct dependencies of `package`, of any of `kinds`.
    pub(super) fn dependencies<'a>(
        &'a self,
        package: &Package,
        kinds: &'a [Kind],
    ) -> impl Iterator<Item = &'a Package> + use<'a> {
        self.edges
            .get(&package.id)
            .into_iter()
            .flatten()
            .filter(|edge| edge.kinds.iter().any(|kind| kinds.contains(kind)))
            .filter_map(|edge| self.packages.get(&edge.to))
    }

    /// Whoever depends on `package` directly, for whatever reason.
    pub(super) fn dependents<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a Package> {
        self.edges
            .iter()
            .filter(|(_, edges)| edges.iter().any(|edge| edge.to == package.id))
            .filter_map(|(id, _)| self.packages.get(id))
    }

    /// What ships with `package` and does not hang on a feature: its normal and build dependencies that are not
    /// optional, and all that these pull in. Other crates of ours are left out: they have walls of their own.
    pub(super) fn always_linked(&self, package: &Package) -> Vec<&Package> {
        const SHIPPED: &[Kind] = &[Kind::Normal, Kind::Build];
        let always = |found: &&Package| {
            let is_dev = |kind: Option<&str>| kind == Some("dev");
            package
                .dependencies
                .iter()
                .any(|it| it.name == found.name && !it.optional && !is_dev(it.kind.as_deref()))
        };
        let mut seen = BTreeSet::new();
        let mut queue: VecDeque<_> = self.dependencies(package, SHIPPED).filter(always).collect();
        let mut linked = Vec::new();
        while let Some(next) = queue.pop_front() {
            if !self.is_ours(next) && seen.insert(&next.id) {
                linked.push(next);
                queue.extend(self.dependencies(next, SHIPPED));
            }
        }
        linked
    }

    /// One shortest way from a crate of ours to `package`, for the person who must break it: `a → b → c`.
    pub(super) fn way_to(&self, package: &Package) -> String {
        let mut way_from: BTreeMap<&str, String> =
            BTreeMap::from([(package.id.as_str(), package.name.clone())]);
        let mut queue = VecDeque::from([package]);
        while let Some(next) = queue.pop_front() {
            let way = way_from.get(next.id.as_str()).cloned().unwrap_or_default();
            if self.is_ours(next) {
                return way;
            }
            for dependent in self.dependents(next) {
                if !way_from.contains_key(dependent.id.as_str()) {
                    way_from.insert(&dependent.id, format!("{} → {way}", dependent.name));
                    queue.push_back(dependent);
                }
            }
        }
        package.name.clone()
    }

    /// The manifest of a crate of ours, relative to the root.
    pub(super) fn manifest(&self, package: &Package) -> String {
        let path = package.manifest_path.strip_prefix(&self.root).unwrap_or(&package.manifest_path);
        path.trim_start_matches('/').to_owned()
    }
}

impl Package {
    /// Whether it links `name` with these features on. Cargo also lists what a feature would only add to (`ring?/alloc`) if something
    /// else brought it in.
    fn wants(&self, name: &str, features: &[String]) -> bool {
        let mut declared = self.dependencies.iter().filter(|it| it.name == name).peekable();
        if declared.peek().is_none() {
            return true;
        }
        let asks_for = |wish: &str, key: &str| {
            wish.strip_prefix("dep:") == Some(key) || wish.split_once('/').is_some_and(|(it, _)| it == key)
        };
        declared.any(|it| {
            let key = it.rename.as_deref().unwrap_or(&it.name);
            let mut wishes = features.iter().filter_map(|on| self.features.get(on)).flatten();
            !it.optional || wishes.any(|wish| asks_for(wish, key))
        })
    }
}

#[derive(Deserialize)]
struct Raw {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    workspace_root: String,
    resolve: RawResolve,
}

#[derive(Deserialize)]
struct RawResolve {
    nodes: Vec<RawNode>,
}

#[derive(Deserialize)]
struct RawNode {
    id: String,
    #[serde(default)]
    features: Vec<String>,
    deps: Vec<RawDep>,
}

#[derive(Deserialize)]
struct RawDep {
    pkg: String,
    dep_kinds: Vec<RawKind>,
}

#[derive(Deserialize)]
struct RawKind {
    kind: Option<String>,
}

impl RawKind {
    fn kind(&self) -> Kind {
        match self.kind.as_deref() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        }
    }
}
