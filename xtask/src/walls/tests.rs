//! The graph walls against planted breaches: a small resolved graph in which everything is right, and one wrong edge
//! put into it at a time.

use serde_json::{Value, json};

use super::graph::Graph;
use super::policy::Policy;
use super::tree::Tree;
use super::{Finding, edges};

/// (from, to, kind) over packages named by their first field; third-party ones are `(name, licence)`.
const EDGES: &[(&str, &str, &str)] = &[
    ("vestibule", "vestibule-gateway", "normal"),
    ("vestibule", "vestibule-store", "normal"),
    ("vestibule-gateway", "vestibule-core", "normal"),
    ("vestibule-store", "vestibule-core", "normal"),
    ("vestibule-core", "vestibule-verify", "normal"),
    ("vestibule-store", "sqlx", "normal"),
    ("sqlx", "tokio", "normal"),
];
const OURS: &[&str] = &[
    "vestibule",
    "vestibule-core",
    "vestibule-gateway",
    "vestibule-portal",
    "vestibule-store",
    "vestibule-verify",
];
const MANIFEST: &str = "[dependencies]\nvestibule-core.workspace = true\nvestibule-portal.workspace = true\n";
const LOCK: &str = "[[package]]\nname = \"sqlx\"\n\n[[package]]\nname = \"ring\"\n";
const DENY: &str = r#"
    [licenses]
    allow = ["MIT"]
    [bans]
    deny = [
        { crate = "ring", reason = "one provider" },
        { crate = "sqlx", wrappers = ["vestibule-store"], reason = "SQL is spoken in store" },
    ]
    [sources]
    allow-registry = ["https://index.example"]
"#;

fn graph(planted: &[(&str, &str, &str)], change: impl Fn(&mut Value)) -> Graph {
    let edges: Vec<_> = EDGES.iter().chain(planted).collect();
    let mut names: Vec<&str> = OURS.iter().copied().chain(edges.iter().map(|(_, to, _)| *to)).collect();
    names.extend(edges.iter().map(|(from, ..)| *from));
    names.sort_unstable();
    names.dedup();
    let kind = |kind: &str| {
        if kind == "normal" { Value::Null } else { json!(kind) }
    };
    let out_of = |name: &str| edges.iter().filter(|(from, ..)| *from == name).copied().collect::<Vec<_>>();

    // All features are on: every optional dependency is wanted by the one that there is.
    let features = |name: &str| {
        let optional = out_of(name).into_iter().filter(|(.., why)| *why == "optional");
        json!({ "on": optional.map(|(_, to, _)| format!("dep:{to}")).collect::<Vec<_>>() })
    };

    let packages = names.iter().map(|name| {
        let ours = OURS.contains(name);
        let source = if ours { Value::Null } else { json!("registry+https://index.example") };
        let dependencies: Vec<Value> = out_of(name)
            .iter()
            .map(|(_, to, why)| json!({ "name": to, "kind": kind(why), "optional": *why == "optional" }))
            .collect();
        let manifest_path = format!("/repo/crates/{}/Cargo.toml", name.trim_start_matches("vestibule-"));
        json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT", "source": source,
                "manifest_path": manifest_path, "dependencies": dependencies, "features": features(name) })
    });
    let nodes = names.iter().map(|name| {
        let dep =
            |(_, to, why): &&(&str, &str, &str)| json!({ "pkg": to, "dep_kinds": [{ "kind": kind(why) }] });
        json!({ "id": name, "deps": out_of(name).iter().map(dep).collect::<Vec<_>>(), "features": ["on"] })
    });
    let mut metadata = json!({
        "packages": packages.collect::<Vec<_>>(), "workspace_members": OURS, "workspace_root": "/repo",
        "resolve": { "nodes": nodes.collect::<Vec<_>>() },
    });
    change(&mut metadata);
    Graph::parse(metadata.to_string().as_bytes()).unwrap()
}

fn tree() -> Tree {
    Tree::of(&[("crates/gateway/Cargo.toml", MANIFEST), ("Cargo.lock", LOCK)])
}

fn edge_findings(planted: &[(&str, &str, &str)]) -> Vec<Finding> {
    edges::check(&graph(planted, |_| ()), &tree())
}

fn policy_findings(planted: &[(&str, &str, &str)], change: impl Fn(&mut Value)) -> Vec<Finding> {
    Policy::parse(DENY).unwrap().check(&graph(planted, change), &tree())
}

#[test]
fn the_house_as_designed_has_no_finding() {
    assert_eq!(edge_findings(&[]), []);
    assert_eq!(policy_findings(&[], |_| ()), []);
}

#[test]
fn gateway_must_not_know_portal_not_even_in_its_tests() {
    for kind in ["normal", "dev", "build"] {
        let found = edge_findings(&[("vestibule-gateway", "vestibule-portal", kind)]);
        assert_eq!(
            found,
            [Finding {
                file: "crates/gateway/Cargo.toml".to_owned(),
                line: 3,
                wall: "crate edge",
                what: "vestibule-gateway must not know vestibule-portal; it may know vestibule-core"
                    .to_owned(),
            }],
            "{kind}"
        );
    }
}

#[test]
fn verify_must_not_know_anything_of_ours() {
    let found = edge_findings(&[("vestibule-verify", "vestibule-store", "normal")]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_crate_without_a_row_is_asked_for_its_trust_boundary() {
    let rename = |metadata: &mut Value| {
        metadata["workspace_members"][1] = json!("sqlx");
    };
    let found = edges::check(&graph(&[], rename), &tree());
    assert!(found.iter().any(|it| it.what.contains("sqlx has no row")), "{found:?}");
}

#[test]
fn core_links_no_runtime_directly_or_through_another() {
    for (planted, ok) in [
        (&[("vestibule-core", "tokio", "normal")][..], false),
        (&[("vestibule-core", "helper", "normal"), ("helper", "tokio", "normal")], false),
        (&[("vestibule-core", "tokio", "dev")], true),
        (&[("vestibule-verify", "tokio", "optional")], true),
    ] {
        let found = edge_findings(planted);
        assert_eq!(found.is_empty(), ok, "{planted:?}: {found:?}");
    }
}

#[test]
fn a_banned_crate_is_found_at_any_depth_with_the_way_to_it() {
    for kind in ["normal", "build", "dev"] {
        let found = policy_findings(&[("tokio", "ring", kind)], |_| ());
        let [finding] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((finding.file.as_str(), finding.line), ("Cargo.lock", 5));
        assert!(finding.what.contains("one provider"), "{finding:?}");
        assert!(finding.what.ends_with("vestibule-store → sqlx → tokio → ring"), "{finding:?}");
    }
}

#[test]
fn a_third_party_crate_is_held_to_its_wrappers() {
    let found = policy_findings(&[("vestibule-gateway", "sqlx", "normal")], |_| ());
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(finding.file, "crates/gateway/Cargo.toml");
    assert_eq!(finding.what, "vestibule-gateway must not depend on sqlx: SQL is spoken in store");

    let found = policy_findings(&[("tokio", "sqlx", "normal")], |_| ());
    assert_eq!(found.len(), 1, "a stranger's dependency counts too: {found:?}");
}

/// `ring?/alloc` is in the lock file and in cargo's answer, and in no program.
#[test]
fn what_no_feature_asks_for_is_not_linked() {
    let planted = [("tokio", "ring", "optional")];
    assert_eq!(policy_findings(&planted, |_| ()).len(), 1);
    for (wishes, linked) in
        [(json!(["ring?/alloc"]), 0), (json!([]), 0), (json!(["ring/alloc"]), 1), (json!(["dep:ring"]), 1)]
    {
        let found = policy_findings(&planted, |metadata| {
            let packages = metadata["packages"].as_array_mut().unwrap();
            let tokio = packages.iter_mut().find(|it| it["name"] == "tokio").unwrap();
            tokio["features"]["on"] = wishes.clone();
        });
        assert_eq!(found.len(), linked, "{wishes}: {found:?}");
    }
}

#[test]
fn licences_and_sources_are_judged_for_every_package() {
    let sqlx = |metadata: &mut Value, key: &str, value: Value| {
        for package in metadata["packages"].as_array_mut().unwrap() {
            if package["name"] == "sqlx" {
                package[key] = value.clone();
            }
        }
    };
    for (key, value) in [
        ("license", json!("GPL-3.0")),
        ("license", Value::Null),
        ("source", json!("git+https://elsewhere.example/sqlx")),
        ("source", Value::Null),
    ] {
        let found = policy_findings(&[], |metadata| sqlx(metadata, key, value.clone()));
        assert_eq!(found.len(), 1, "{key} {value}: {found:?}");
    }
}

#[test]
fn a_rule_that_cannot_be_read_is_not_passed_over() {
    assert!(Policy::parse("[bans]\ndeny = [{ crate = \"ring\" }]").is_err());
    assert!(Policy::parse(&DENY.replace("wrappers", "wrapper")).is_err());
}
