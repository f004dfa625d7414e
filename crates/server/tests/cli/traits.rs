//! Traits as an operator's schema has them: added, set and imported, by commands with and without a running server.

use std::fs;

use serde_json::json;

use crate::place::*;

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["department"],
    "properties": { "department": { "enum": ["R&D", "Ops"] }, "level": { "type": "integer" } },
    "additionalProperties": false
}"#;
const SECTION: &str = "\n[accounts]\ntraits_schema_file = \"traits.schema.json\"\n";

fn with_schema(text: &str) -> Place {
    let place = Place::new();
    fs::write(place.folder.path().join("traits.schema.json"), text).unwrap();
    place.write_config(SECTION);
    place
}

#[test]
fn traits_are_held_to_the_schema_wherever_an_operator_sets_them() {
    let place = with_schema(SCHEMA);
    let server = Server::start_with(&place, SECTION);
    let add = |identifier: &str, traits: Option<&str>| {
        let mut arguments = vec!["account", "add", identifier, "--password-stdin"];
        arguments.extend(traits.into_iter().flat_map(|traits| ["--traits", traits]));
        place.run(&arguments, PASSWORD)
    };
    assert_eq!(add("ada@example.com", Some(r#"{"department":"R&D"}"#)).code, 0);
    for (traits, says) in [
        (Some(r#"{"department":"Sales-secret"}"#), "traits/department: "),
        (Some(r#"{"department":"Ops","shoe":"Sales-secret"}"#), "'shoe' was unexpected"),
        (
            Some(r#"{"department":"Ops","level":"Sales-secret"}"#),
            "traits/level: this is not of type \"integer\"",
        ),
        (None, "\"department\" is a required property"),
    ] {
        let ended = add("bob@example.com", traits);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.err.contains("accounts.traits_schema_file") && ended.err.contains(says), "{ended:?}");
        assert!(!ended.err.contains("Sales-secret"), "what is wrong is said, and not what it was: {ended:?}");
    }
    let set = ["account", "set", "ada@example.com", "--traits"];
    place.fails(1, &[&set[..], &[r#"{"department":"Sales"}"#]].concat(), "", "traits/department: ");
    place.ok(&[&set[..], &[r#"{"department":"Ops"}"#]].concat(), "");
    assert_eq!(place.json(&["account", "show", "ada@example.com"])["traits"], json!({"department": "Ops"}));

    let lines = [
        json!({"identifier": "one@example.com", "traits": {"department": "Ops", "level": 3}}),
        json!({"identifier": "two@example.com", "traits": {"department": "Ops", "level": "3"}}),
        json!({"identifier": "three@example.com"}),
    ];
    let import = lines.map(|line| line.to_string()).join("\n");
    let ended = place.run(&["account", "import"], &import);
    assert_ne!(ended.code, 0, "{ended:?}");
    let said = format!("{}{}", ended.out, ended.err);
    assert!(said.contains("traits/level: this is not of type \"integer\""), "{said}");
    assert!(said.contains("\"department\" is a required property"), "{said}");
    let there = place.json(&["account", "list"]);
    let there: Vec<_> =
        there.as_array().unwrap().iter().map(|it| it["identifier"].as_str().unwrap()).collect();
    assert!(there.contains(&"one@example.com") && there.len() == 2, "{there:?}");
    // What members are called comes from elsewhere, and a terminal obeys it. A trial says the same.
    let odd =
        "{\"identifier\": \"odd@example.com\", \"traits\": {\"department\": \"Ops\", \"\\u001b[2J\": 1}}";
    for options in [&["--dry-run"][..], &[]] {
        let ended = place.run(&[&["account", "import"], options].concat(), odd);
        assert!(ended.code == 1 && ended.err.contains("\\u{1b}[2J"), "{ended:?}");
        assert!(!ended.err.contains('\u{1b}'), "{ended:?}");
    }
    // A password that came with wrong traits is not set either.
    let both = ["account", "set", "ada@example.com", "--traits", "{}", "--password-stdin"];
    place.fails(1, &both, "a bicycle made of green glass", "\"department\" is a required property");
    assert!(!server.sign_in("ada@example.com").is_empty(), "the password is the one of before");
    assert_eq!(server.end(), 0);

    // Who was there before the schema stays as they are, and is held to it when they are set anew.
    place.write_config("");
    place.ok(&["account", "set", "ada@example.com", "--traits", r#"{"old":true}"#], "");
    place.write_config(SECTION);
    assert_eq!(place.json(&["account", "show", "ada@example.com"])["traits"], json!({"old": true}));
    place.fails(1, &[&set[..], &[r#"{"old":true}"#]].concat(), "", "'old' was unexpected");
}

#[test]
fn a_schema_that_is_none_stops_before_anything_is_held_to_it() {
    for (text, says) in [
        ("{", "traits.schema.json is no JSON: "),
        (
            r#"{"properties":{"a":{"type":"strnig"}}}"#,
            "traits.schema.json is no JSON Schema that can be used",
        ),
        (r#"{"$ref":"https://example.com/x"}"#, "traits.schema.json is no JSON Schema that can be used"),
    ] {
        let place = with_schema(text);
        for command in [&["config", "check"][..], &["serve"], &["account", "list"]] {
            place.fails(2, command, "", "accounts.traits_schema_file: ");
            place.fails(2, command, "", says);
        }
    }
    let place = with_schema(SCHEMA);
    fs::remove_file(place.folder.path().join("traits.schema.json")).unwrap();
    place.fails(2, &["config", "check"], "", "traits.schema.json cannot be read: ");
}
