//! Every crate of ours takes lints, versions and edition from the workspace, so that they stand in one place.
//! In: the members' manifests. Out: findings.

use toml::{Table, Value};

use super::Finding;
use super::graph::Graph;
use super::tree::Tree;

const WALL: &str = "manifest";
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

pub(super) fn check(graph: &Graph, tree: &Tree) -> Vec<Finding> {
    graph
        .members()
        .map(|package| graph.manifest(package))
        .flat_map(|file| check_manifest(&file, tree.text(&file).unwrap_or_default(), tree))
        .collect()
}

fn check_manifest(file: &str, text: &str, tree: &Tree) -> Vec<Finding> {
    let finding = |line, what: String| Finding { file: file.to_owned(), line, wall: WALL, what };
    let manifest: Table = match toml::from_str(text) {
        Ok(manifest) => manifest,
        Err(error) => return vec![finding(1, format!("cannot be read: {error}"))],
    };
    let mut findings = Vec::new();
    if !manifest.get("lints").is_some_and(from_workspace) {
        findings.push(finding(1, "needs `[lints] workspace = true`".to_owned()));
    }
    if !manifest.get("package").and_then(|package| package.get("edition")).is_some_and(from_workspace) {
        findings.push(finding(1, "needs `edition.workspace = true`".to_owned()));
    }
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
    let tables = targets.filter_map(|(_, target)| target.as_table()).chain([&manifest]);
    for table in tables.flat_map(|table| DEPENDENCIES.iter().filter_map(|name| table.get(*name)?.as_table()))
    {
        for (name, _) in table.iter().filter(|(_, declared)| !from_workspace(declared)) {
            let line = tree.line_of(file, |line| super::edges::declares(line, name));
            findings.push(finding(
                line,
                format!("{name}: versions stand in the root Cargo.toml; say `workspace = true`"),
            ));
        }
    }
    findings
}

fn from_workspace(declared: &Value) -> bool {
    declared.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"x\"\nedition.workspace = true\n[lints]\nworkspace = true\n";

    fn findings(text: &str) -> Vec<(usize, String)> {
        let tree = Tree::of(&[("x/Cargo.toml", text)]);
        check_manifest("x/Cargo.toml", text, &tree).into_iter().map(|it| (it.line, it.what)).collect()
    }

    #[test]
    fn a_member_takes_everything_from_the_workspace() {
        assert_eq!(findings(&format!("{GOOD}[dependencies]\nhttp.workspace = true\n")), []);
        assert_eq!(findings(&format!("{GOOD}[dev-dependencies]\nhttp = {{ workspace = true }}\n")), []);
    }

    #[test]
    fn lints_left_out_and_versions_of_its_own_are_found() {
        assert_eq!(findings("[package]\nedition.workspace = true\n").len(), 1);
        for table in ["dependencies", "build-dependencies", "target.'cfg(unix)'.dependencies"] {
            let found = findings(&format!("{GOOD}[{table}]\nhttp = \"1\"\n"));
            assert!(
                matches!(found.as_slice(), [(7, what)] if what.starts_with("http:")),
                "{table}: {found:?}"
            );
        }
    }
}
