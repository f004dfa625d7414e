//! Pages and what leads to them. In: all texts of a checkout. Out: pages with nothing on them, links that lead nowhere, and decisions
//! that are named and not there.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::Finding;
use super::markdown::Page;
use crate::walls::tree::Tree;

const DECISIONS: &str = "docs/decisions/";

pub(super) fn check(tree: &Tree, pages: &BTreeMap<String, Page>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, page) in pages {
        if !page.has_text {
            findings.push(Finding::at(file, 1, "is an empty page"));
        }
        for link in &page.links {
            if let Some(what) = dead(tree, pages, file, &link.text) {
                findings.push(Finding::at(file, link.number, what));
            }
        }
    }
    findings.extend(decisions(tree, pages));
    findings
}

/// What is wrong with a link; `None` for one that leads somewhere, or out of the repository.
fn dead(tree: &Tree, pages: &BTreeMap<String, Page>, from: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { Some(from.to_owned()) } else { beside(from, path) };
    let Some(target) = target.filter(|it| tree.has(it)) else {
        return Some(format!("the link {link} leads to no file"));
    };
    let anchor = anchor?;
    let has_anchor = pages.get(&target).is_some_and(|page| page.anchors.contains(anchor));
    (!has_anchor).then(|| format!("the link {link} leads to no heading of {target}"))
}

/// A path that starts at another file's folder; `None` where it leads out of the checkout.
fn beside(file: &str, path: &str) -> Option<String> {
    let mut folder: PathBuf = Path::new(file).parent()?.to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => folder.push(name),
            Component::ParentDir => {
                if !folder.pop() {
                    return None;
                }
            }
            Component::Prefix(_) | Component::RootDir => return None,
        }
    }
    folder.to_str().map(str::to_owned)
}

/// Each decision is named once in the list, and each that any text names is there.
fn decisions(tree: &Tree, pages: &BTreeMap<String, Page>) -> Vec<Finding> {
    let list = format!("{DECISIONS}README.md");
    let number_of = |file: &str| {
        let name = file.strip_prefix(DECISIONS)?;
        name.get(..4).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit())).map(str::to_owned)
    };
    let mut there: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for file in pages.keys() {
        if let Some(number) = number_of(file) {
            there.entry(number).or_default().push(file);
        }
    }
    let mut findings = Vec::new();
    for (number, files) in &there {
        for file in files.iter().skip(1) {
            findings.push(Finding::at(file, 1, format!("decision {number} has two pages")));
        }
        let listed = |file: &&str| {
            let name = file.strip_prefix(DECISIONS).unwrap_or(file);
            pages.get(&list).is_some_and(|page| page.links.iter().any(|link| link.text == name))
        };
        for file in files.iter().filter(|file| !listed(file)) {
            findings.push(Finding::at(file, 1, format!("is not listed in {list}")));
        }
        for file in files {
            if !tree.text(file).is_some_and(|text| text.starts_with(&format!("# {number}: "))) {
                findings.push(Finding::at(file, 1, format!("does not begin with \"# {number}: \"")));
            }
        }
    }
    for (file, text) in tree.all() {
        for (at, line) in text.lines().enumerate() {
            for number in named(line).filter(|number| !there.contains_key(*number)) {
                findings.push(Finding::at(file, at + 1, format!("decision {number} is not there")));
            }
        }
    }
    findings
}

/// The numbers behind "decision " and "decisions/" in a line.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let marks = ["decision ", "decisions/", "Decision "];
    marks.into_iter().flat_map(move |mark| {
        line.match_indices(mark).filter_map(move |(at, _)| {
            let behind = line.get(at + mark.len()..)?;
            let number = behind.get(..4).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))?;
            let ends = !behind.get(4..).is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()));
            ends.then_some(number)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(files);
        let pages = tree.pages().map(|(file, text)| (file.to_owned(), Page::read(text))).collect();
        check(&tree, &pages).into_iter().map(|it| it.to_string()).collect()
    }

    #[test]
    fn empty_pages_and_dead_links_are_found() {
        let right = [
            (
                "README.md",
                "# A\n\nSee [b](docs/b.md#some-part), [up](#a), [code](src/x.rs), [out](https://a.test/x#y).\n",
            ),
            ("docs/b.md", "# B\n\nBack to [a](../README.md).\n\n## Some part\n"),
            ("src/x.rs", ""),
        ];
        assert_eq!(findings(&right), Vec::<String>::new());
        for (file, text, says) in [
            ("docs/b.md", "", "docs/b.md:1: [docs] is an empty page"),
            ("docs/b.md", "# Only a heading\n", "docs/b.md:1: [docs] is an empty page"),
            (
                "docs/c.md",
                "# C\n\nSee [it](gone.md).\n",
                "docs/c.md:3: [docs] the link gone.md leads to no file",
            ),
            (
                "docs/c.md",
                "# C\n\nSee\n[it](b.md#gone).\n",
                "docs/c.md:4: [docs] the link b.md#gone leads to no heading",
            ),
            ("docs/c.md", "# C\n\nSee [it](#gone).\n", "the link #gone leads to no heading of docs/c.md"),
            ("docs/c.md", "# C\n\nSee [it](../../x).\n", "leads to no file"),
            ("docs/c.md", "# C\n\nSee ![it](x.png).\n", "leads to no file"),
        ] {
            let mut files: Vec<_> = right.iter().filter(|(other, _)| *other != file).copied().collect();
            files.push((file, text));
            let found = findings(&files);
            assert!(found.iter().any(|it| it.contains(says)), "{says}: {found:?}");
        }
    }

    #[test]
    fn decisions_are_listed_and_those_named_are_there() {
        let list = "# Decisions\n\n[0001](0001-one.md)\n";
        let right = [
            ("docs/decisions/README.md", list),
            ("docs/decisions/0001-one.md", "# 0001: One\n\nText.\n"),
            ("src/x.rs", "// Why: decision 0001, docs/decisions/0001-one.md.\n"),
        ];
        assert_eq!(findings(&right), Vec::<String>::new());
        for (file, text, says) in [
            ("src/x.rs", "// see decision 0009\n", "src/x.rs:1: [docs] decision 0009 is not there"),
            ("src/x.rs", "\n// docs/decisions/0009-x.md\n", "src/x.rs:2: [docs] decision 0009 is not there"),
            ("docs/decisions/0002-two.md", "# 0002: Two\n\nText.\n", "is not listed in"),
            ("docs/decisions/0001-other.md", "# 0001: Other\n\nText.\n", "has two pages"),
            ("docs/decisions/0001-one.md", "# One\n\nText.\n", "does not begin with"),
        ] {
            let mut files: Vec<_> = right.iter().filter(|(other, _)| *other != file).copied().collect();
            files.push((file, text));
            let found = findings(&files);
            assert!(found.iter().any(|it| it.contains(says)), "{says}: {found:?}");
        }
    }
}
