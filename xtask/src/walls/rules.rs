//! Walls inside the sources: what may be named where, and how long a file may get.
//! In: the sources. Out: findings.

use super::Finding;
use super::source::{PathUse, Place, Source};

const LONGEST_FILE: usize = 500;

/// A path that shipped code may name only under some folders; an empty list means nowhere.
struct Wall {
    name: &'static str,
    hits: fn(&[&str]) -> bool,
    only_in: &'static [&'static str],
    why: &'static str,
}

const WALLS: [Wall; 6] = [
    Wall {
        name: "cryptography",
        hits: |path| matches!(path, ["aws_lc_rs", ..]),
        only_in: &["bench/", "crates/core/src/", "crates/verify/src/"],
        why: "signing and sealing live in core, verifying in verify",
    },
    Wall {
        name: "key room",
        hits: |path| path.iter().any(|word| word.ends_with("KeyPair")),
        only_in: &["crates/core/src/key.rs", "crates/core/src/key/", "crates/verify/src/jwe/key.rs"],
        why: "private keys stay inside core's key module, and a service's own inside verify's",
    },
    Wall {
        name: "HTTP client",
        hits: |path| matches!(path, ["hyper_util", "client", ..] | ["hyper_rustls", ..]),
        only_in: &["crates/gateway/src/", "crates/verify/src/client/"],
        why: "requests to others are made by the gateway (and by verify's client feature)",
    },
    Wall {
        name: "web framework",
        hits: |path| matches!(path, ["axum" | "axum_core" | "tower", _, ..]),
        only_in: &[
            "bench/src/figure/layer.rs",
            "crates/portal/src/",
            "crates/server/src/",
            "crates/verify/examples/",
            "crates/verify/src/axum.rs",
            "crates/verify/src/axum/",
        ],
        why: "routes are portal's and the program's; verify knows axum behind that feature, in that module alone",
    },
    Wall {
        name: "no clock in the rules",
        hits: |path| {
            matches!(
                path,
                ["std", "time", "Instant" | "SystemTime", ..] | ["Instant" | "SystemTime", "now", ..]
            )
        },
        only_in: &["crates/gateway/", "crates/portal/", "crates/server/", "crates/store/", "crates/verify/"],
        why: "core is given `now`, so that every rule about time can be tested at its edge",
    },
    Wall {
        name: "no world in the rules",
        hits: |path| matches!(path, ["std", "env" | "fs" | "net" | "process", inside, ..] if !is_address(inside)),
        only_in: &[
            "crates/gateway/",
            "crates/portal/",
            "crates/server/",
            "crates/store/",
            "crates/verify/examples/",
        ],
        why: "core and verify reach the world through ports, or not at all",
    },
];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Finding> {
    let finding = |line, wall, what: String| Finding { file: source.file.clone(), line, wall, what };
    let mut findings = Vec::new();
    if source.lines > LONGEST_FILE {
        let what = format!("{} lines; {LONGEST_FILE} is the most a file may have", source.lines);
        findings.push(finding(LONGEST_FILE + 1, "file size", what));
    }
    for line in &source.allows {
        findings.push(finding(
            *line,
            "allow",
            "say `#[expect(.., reason = \"..\")]`: it ends when its cause ends".to_owned(),
        ));
    }
    for path in &source.paths {
        let words: Vec<&str> = path.segments.iter().map(String::as_str).collect();
        if words == ["unsafe"] {
            findings.push(finding(path.line, "unsafe", "no unsafe code in this house".to_owned()));
        }
        let broken = WALLS.iter().filter(|wall| wall.is_broken(&source.file, path, &words));
        findings.extend(
            broken.map(|wall| finding(path.line, wall.name, format!("{}: {}", words.join("::"), wall.why))),
        );
    }
    findings
}

impl Wall {
    fn is_broken(&self, file: &str, path: &PathUse, words: &[&str]) -> bool {
        path.place == Place::Shipped
            && !self.only_in.iter().any(|room| file.starts_with(room))
            && (self.hits)(words)
    }
}

/// `std::net` also holds plain values, which are no way out.
fn is_address(word: &str) -> bool {
    word.starts_with("Ip") || word.starts_with("SocketAddr") || word == "AddrParseError"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walls(file: &str, text: &str) -> Vec<&'static str> {
        match Source::parse(file, text) {
            Ok(source) => check_file(&source).into_iter().map(|it| it.wall).collect(),
            Err(finding) => panic!("{finding:?}"),
        }
    }

    #[test]
    fn private_keys_stay_in_the_key_room() {
        let text = "use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair as _};";
        assert_eq!(walls("crates/core/src/mint.rs", text), ["key room", "key room"]);
        assert_eq!(
            walls("crates/server/src/cli/key.rs", "fn f() { aws_lc_rs::rsa::KeyPair::generate() }"),
            ["cryptography", "key room"]
        );
        for rightful in
            ["crates/core/src/key.rs", "crates/core/src/key/ring.rs", "crates/verify/tests/forge.rs"]
        {
            assert!(walls(rightful, text).is_empty(), "{rightful}");
        }
        assert!(
            walls("crates/verify/src/jws.rs", &format!("#[cfg(test)] mod tests {{ {text} }}")).is_empty()
        );
    }

    #[test]
    fn cryptography_is_named_where_it_lives() {
        let text = "use aws_lc_rs::digest::digest;";
        assert_eq!(walls("crates/server/src/host/entropy.rs", text), ["cryptography"]);
        assert_eq!(walls("crates/portal/src/pre_session.rs", text), ["cryptography"]);
        for rightful in ["crates/core/src/secret.rs", "crates/verify/src/jws.rs", "tests/forge/signer.rs"] {
            assert!(walls(rightful, text).is_empty(), "{rightful}");
        }
    }

    #[test]
    fn only_the_gateway_makes_requests() {
        let text = "use hyper_util::{client::legacy::Client, rt::TokioIo};";
        assert_eq!(walls("crates/server/src/listen.rs", text), ["HTTP client"]);
        assert!(walls("crates/gateway/src/upstream.rs", text).is_empty());
    }

    #[test]
    fn verify_knows_axum_in_one_module_alone() {
        let text = "use axum_core::extract::FromRequestParts; fn f() { tower::service_fn(g) }";
        for closed in
            ["crates/verify/src/verifier.rs", "crates/core/src/decide.rs", "crates/gateway/src/swap.rs"]
        {
            assert_eq!(walls(closed, text), ["web framework", "web framework"], "{closed}");
        }
        for rightful in
            ["crates/verify/src/axum.rs", "crates/verify/src/axum/refusal.rs", "crates/portal/src/router.rs"]
        {
            assert!(walls(rightful, text).is_empty(), "{rightful}");
        }
    }

    #[test]
    fn the_rules_have_no_clock_and_no_world() {
        assert_eq!(
            walls("crates/core/src/mint.rs", "use std::time::{Duration, Instant};"),
            ["no clock in the rules"]
        );
        assert_eq!(walls("crates/core/src/key.rs", "fn f() { std::fs::read(p) }"), ["no world in the rules"]);
        assert!(
            walls("crates/core/src/wire.rs", "use std::net::{IpAddr, SocketAddr}; use std::time::Duration;")
                .is_empty()
        );
        assert!(walls("crates/store/src/sqlite.rs", "use std::time::Instant; use std::fs::File;").is_empty());
    }

    #[test]
    fn unsafe_and_allow_and_length_are_seen_everywhere() {
        assert_eq!(walls("crates/store/src/tests.rs", "fn f() { unsafe { g() } }"), ["unsafe"]);
        assert_eq!(walls("tests/story_sign_in.rs", "#[allow(dead_code)] fn f() {}"), ["allow"]);
        assert!(walls("crates/store/src/x.rs", &"\n".repeat(500)).is_empty());
        assert_eq!(walls("crates/store/src/x.rs", &"\n".repeat(501)), ["file size"]);
    }
}
