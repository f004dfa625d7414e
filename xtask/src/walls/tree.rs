//! The files a reader of the repository gets: tracked ones, and new ones that git would not ignore.
//! In: the root. Out: relative path and text of each; what is not UTF-8 (pictures) is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Path (with `/`, relative to the root) to text.
pub(super) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Asks git for the list; a source archive without `.git` is walked instead.
    pub(super) fn read(root: &Path) -> Result<Self> {
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
        let read =
            |path: String| Some((path.clone(), String::from_utf8(fs::read(root.join(path)).ok()?).ok()?));
        Ok(Self(paths.into_iter().filter_map(read).collect()))
    }

    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all().filter(|(path, _)| path.ends_with(".rs"))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first line of `file` that `wanted` accepts, counted from 1; 1 when there is none.
    pub(super) fn line_of(&self, file: &str, wanted: impl Fn(&str) -> bool) -> usize {
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
