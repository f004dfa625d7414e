//! The order of core's modules: a file names only modules of lower rank, or its own noun's submodules. So the rules
//! can be read bottom-up, and `decide`, which may say yes, rests on nothing that comes after it.
//! In: the sources. Out: findings for `crates/core/src`; its test files are exempt.

use std::collections::BTreeMap;

use super::Finding;
use super::source::{PathUse, Place, Source};

const WALL: &str = "module rank";
const CORE: &str = "crates/core/src/";

/// From the ground up; a new module gets its place here, and in the words at the head of core's `lib.rs`.
const RANKS: [&[&str]; 11] = [
    &["fault", "id", "reject", "secret", "text", "time"],
    &["principal"],
    &["account", "client", "csrf", "key", "revocation", "session", "throttle", "token"],
    &["refresh_token", "wire"],
    &["live", "route"],
    &["port"],
    &["client_auth", "decide", "encrypt", "problem"],
    &["logout", "mint", "rotation"],
    &["grant", "introspect", "login"],
    &["identifier_change", "password_change", "registration"],
    &["exchange"],
];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let core = || sources.iter().filter_map(|source| Some((source, source.file.strip_prefix(CORE)?)));
    let lent = core()
        .find(|(_, path)| *path == "lib.rs")
        .map_or_else(BTreeMap::new, |(lib, _)| lent_at_the_root(lib));
    core()
        .filter(|(_, path)| *path != "lib.rs")
        .flat_map(|(source, path)| check_file(source, path, &lent))
        .collect()
}

fn check_file(source: &Source, path: &str, lent: &BTreeMap<String, String>) -> Vec<Finding> {
    let module: Vec<&str> = path.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
    let own = module.first().copied().unwrap_or_default();
    if source.place == Place::Test {
        return Vec::new();
    }
    let finding = |line, what| Finding { file: source.file.clone(), line, wall: WALL, what };
    let Some(own_rank) = rank(own) else {
        return vec![finding(1, format!("{own} has no rank: give it one in xtask/src/walls/ranks.rs"))];
    };
    let mut findings = Vec::new();
    for used in source.shipped_paths() {
        let Some(word) = from_the_root(used, module.len()) else {
            continue;
        };
        let noun = lent.get(word).map_or(word, String::as_str);
        if noun == own {
            continue;
        }
        match rank(noun) {
            Some(rank) if rank < own_rank => {}
            Some(rank) => {
                findings.push(finding(
                    used.line,
                    format!("{own} (rank {own_rank}) must not name {noun} (rank {rank})"),
                ));
            }
            None => {
                findings.push(finding(used.line, format!("{own} names crate::{noun}, which has no rank")))
            }
        }
    }
    findings
}

/// The first word behind the crate's root, when `path` starts there: `crate::x`, or enough `super`s for `depth`.
fn from_the_root(path: &PathUse, depth: usize) -> Option<&str> {
    let (first, rest) = path.segments.split_first()?;
    if first == "crate" {
        return rest.first().map(String::as_str);
    }
    let supers = path.segments.iter().take_while(|segment| *segment == "super").count();
    (supers > 0 && supers >= depth + path.inline)
        .then(|| path.segments.get(supers))
        .flatten()
        .map(String::as_str)
}

/// `pub use session::Session` in `lib.rs` makes `crate::Session` mean the module `session`.
fn lent_at_the_root(lib: &Source) -> BTreeMap<String, String> {
    let lends = |path: &PathUse| match path.segments.as_slice() {
        [module, .., name] if rank(module).is_some() => Some((name.clone(), module.clone())),
        _ => None,
    };
    lib.paths.iter().filter_map(lends).collect()
}

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|rank| rank.contains(&module))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let parse = |(file, text): &(&str, &str)| match Source::parse(&format!("{CORE}{file}"), text) {
            Ok(source) => source,
            Err(finding) => panic!("{finding:?}"),
        };
        check(&files.iter().map(parse).collect::<Vec<_>>()).into_iter().map(|it| it.what).collect()
    }

    #[test]
    fn a_higher_module_may_name_a_lower_one_and_its_own() {
        let lib = ("lib.rs", "pub mod time; pub use time::Timestamp;");
        let session = (
            "session/judge.rs",
            "use crate::{Timestamp, time}; use super::Session; use crate::session::Limits;",
        );
        assert_eq!(
            findings(&[lib, session, ("mint.rs", "use crate::decide::Permit;")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_planted_climb_is_refused_however_it_is_written() {
        let lib = ("lib.rs", "pub use decide::Permit;");
        for climb in [
            "use crate::decide::Permit;",
            "use crate::{time, decide::{Permit}};",
            "use crate::Permit;",
            "use super::decide;",
            "mod inner { use super::super::decide; }",
            "fn f() -> crate::decide::Permit { g!(crate::time) }",
        ] {
            let found = findings(&[lib, ("session.rs", climb)]);
            assert_eq!(found, ["session (rank 2) must not name decide (rank 6)"], "{climb}");
        }
        let nested = findings(&[lib, ("session/judge.rs", "use super::super::decide;")]);
        assert_eq!(nested, ["session (rank 2) must not name decide (rank 6)"]);
    }

    #[test]
    fn the_same_rank_is_not_lower() {
        assert_eq!(
            findings(&[("session.rs", "use crate::key::KeyId;")]),
            ["session (rank 2) must not name key (rank 2)"]
        );
    }

    #[test]
    fn tests_are_exempt_and_an_unknown_module_is_not() {
        let reaching = "use crate::decide::Permit;";
        assert_eq!(findings(&[("session/tests.rs", reaching)]), Vec::<String>::new());
        assert_eq!(
            findings(&[("session.rs", "#[cfg(test)] mod tests { use crate::decide::Permit; }")]),
            Vec::<String>::new()
        );
        assert_eq!(findings(&[("cellar.rs", "")]).len(), 1);
    }
}
