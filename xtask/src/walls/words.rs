//! Words that must not be in the repository: paths that exist on one machine only, and package hosts that are not
//! the public ones.
//! In: every tracked text. Out: findings.

use super::Finding;
use super::tree::Tree;

const WALL: &str = "house words";
/// Top folders under which somebody's own files live. A word without its slashes, so that this file passes itself.
const SOMEBODYS: [&str; 4] = ["home", "root", "work", "Users"];
const NPM: &str = "\"resolved\": \"https://registry.npmjs.org/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, text) in tree.all() {
        for (at, line) in text.lines().enumerate() {
            let mut find = |what: String| {
                findings.push(Finding { file: file.to_owned(), line: at + 1, wall: WALL, what })
            };
            if let Some(path) = machine_path(line) {
                find(format!("{path}… is a path on one machine"));
            }
            if file.ends_with("package-lock.json") && line.contains("\"resolved\"") && !line.contains(NPM) {
                find("a package from elsewhere than registry.npmjs.org".to_owned());
            }
        }
    }
    findings
}

/// The start of an absolute path into somebody's folder. `./home/x` and `https://host/home/x` are not absolute paths.
fn machine_path(line: &str) -> Option<String> {
    SOMEBODYS.iter().map(|folder| format!("/{folder}/")).find(|prefix| {
        line.match_indices(prefix.as_str()).any(|(at, _)| {
            let before = line.get(..at).and_then(|before| before.chars().next_back());
            let inside_a_path = |c: char| c.is_alphanumeric() || "._-~*$}/>\\".contains(c);
            let names_a_file =
                line.get(at + prefix.len()..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
            names_a_file && !before.is_some_and(inside_a_path)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found_and_a_path_of_the_project_is_not() {
        for folder in SOMEBODYS {
            for line in
                [format!("/{folder}/ada/x"), format!("see `/{folder}/x`"), format!("dir=\"/{folder}/x\"")]
            {
                assert!(machine_path(&line).is_some(), "{line}");
            }
            for line in [
                format!("./{folder}/x"),
                format!("https://h.example/{folder}/x"),
                format!("/{folder}/"),
                folder.to_owned(),
            ] {
                assert_eq!(machine_path(&line), None, "{line}");
            }
        }
    }

    #[test]
    fn a_lock_file_names_the_public_host_only() {
        let lock =
            format!("{{\n{NPM}jose/-/jose-6.tgz\",\n\"resolved\": \"https://mirror.example/jose.tgz\"\n}}");
        let found = check(&Tree::of(&[("tests/oracles/package-lock.json", &lock)]));
        assert_eq!(found.iter().map(|it| it.line).collect::<Vec<_>>(), [3]);
    }
}
