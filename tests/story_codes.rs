//! docs/codes.md against the code: each code that an answer, a metric or a log line can have is on the page, and nothing else is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What stands right before a code, white space apart.
const BEFORE: [&str; 6] =
    ["code: ", "_CODE: &str = ", "StatusCode::", "*status,", "Problem::Unsupported(", "Refusal::new("];

/// Functions that are one `match` from a reject or fault to its code.
const CODE_FUNCTIONS: [&str; 3] = ["fn code(", "fn detail(self) ", "fn problem_code("];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

fn is_code(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    text.len() > 2 && text.bytes().all(good)
}

/// The literal that this text begins with.
fn literal(text: &str) -> Option<&str> {
    let (found, _) = text.trim_start().strip_prefix('"')?.split_once('"')?;
    Some(found).filter(|found| is_code(found))
}

/// The codes in a source file, its tests left out.
fn codes_in(source: &str, codes: &mut BTreeSet<String>) {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    for before in BEFORE {
        for rest in source.split(before).skip(1) {
            let rest = if before == "StatusCode::" {
                let name = rest.trim_start_matches(|it: char| it.is_ascii_uppercase() || it == '_');
                name.strip_prefix(',').unwrap_or_default()
            } else {
                rest
            };
            codes.extend(literal(rest).map(str::to_owned));
        }
    }
    for function in CODE_FUNCTIONS {
        for rest in source.split(function).skip(1).filter(|rest| rest.contains("&'static str {")) {
            let body = rest.split("\n    }\n").next().unwrap_or_default();
            codes.extend(body.split("=>").skip(1).filter_map(literal).map(str::to_owned));
        }
    }
}

#[test]
fn the_page_of_codes_says_what_the_code_says() {
    let mut files = Vec::new();
    for part in ["core", "gateway", "portal", "server"] {
        sources(&repository().join("crates").join(part).join("src"), &mut files);
    }
    files.push(repository().join("crates/verify/src/reject.rs"));
    let mut in_code = BTreeSet::new();
    files.iter().for_each(|file| codes_in(&std::fs::read_to_string(file).unwrap(), &mut in_code));
    for known in
        ["csrf-origin", "no-upstream", "login-refused", "invalid_grant", "headers-too-large", "b64", "proxy"]
    {
        assert!(in_code.contains(known), "the control: {known} is not found in the code: {in_code:?}");
    }

    let page = std::fs::read_to_string(repository().join("docs/codes.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let first = rows.map(|row| row.trim_start_matches('|').split('|').next().unwrap_or_default());
    let mut on_page = BTreeSet::new();
    for code in first.flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
        assert!(on_page.insert(code.to_owned()), "docs/codes.md has {code} twice");
    }
    let missing: Vec<_> = in_code.difference(&on_page).collect();
    let gone: Vec<_> = on_page.difference(&in_code).collect();
    assert!(missing.is_empty() && gone.is_empty(), "docs/codes.md: add {missing:?}, remove {gone:?}");
}
