//! The files a reader of the repository gets: tracked ones, and new ones that git would not ignore.
//! In: the root. Out: relative path and text of each; what is not UTF-8 (pictures) is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// The files of a checkout, by path (with `/`, relative to the root).
pub(crate) struct Tree {
    texts: BTreeMap<String, String>,
    /// All paths, those of pictures included.
    paths: BTreeSet<String>,
}

impl Tree {
    /// Asks git for the list; a source archive without `.git` is walked instead.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output();
        let paths = match listed {
            Ok(output) if output.status.success() => {
                String::from_utf8(output.stdout)?.split_terminator('\0').map(str::to_owned).collect()
            }
            _ => walk(root)?,
        };
        // A path that git still lists but that is gone from the disk is being deleted: nothing to judge.
        let paths: BTreeSet<String> = paths.into_iter().filter(|path| root.join(path).exists()).collect();
        let read =
            |path: &String| Some((path.clone(), String::from_utf8(fs::read(root.join(path)).ok()?).ok()?));
        Ok(Self { texts: paths.iter().filter_map(read).collect(), paths })
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let texts: BTreeMap<_, _> =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { paths: texts.keys().cloned().collect(), texts }
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The Markdown pages.
    pub(crate) fn pages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| path.ends_with(".md"))
    }

    /// Whether there is such a file, or a folder with files in it.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty() || self.paths.contains(path) || self.paths.iter().any(|it| it.starts_with(&folder))
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The first line of `file` that `wanted` accepts, counted from 1; 1 when there is none.
    pub(crate) fn line_of(&self, file: &str, wanted: impl Fn(&str) -> bool) -> usize {
        self.text(file).and_then(|text| text.lines().position(wanted)).map_or(1, |at| at + 1)
    }
}

fn walk(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name();
            let skipped = ["target", "node_modules", ".git", ".venv"].iter().any(|skip| name == *skip);
            if entry.file_type()?.is_dir() {
                if !skipped {
                    folders.push(entry.path());
                }
            } else if let Some(path) = entry.path().strip_prefix(root).ok().and_then(Path::to_str) {
                found.push(path.to_owned());
            }
        }
    }
    Ok(found)
}
