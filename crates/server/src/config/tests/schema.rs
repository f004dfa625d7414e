//! The schema is what an editor knows of the file: it says what each key is, offers the words that a key takes, and holds what is documented.

use serde_json::{Value, json};

use super::from;
use crate::config::raw::Raw;

fn schema() -> Value {
    Value::from(schemars::schema_for!(Raw))
}

fn validate(text: &str) -> Vec<String> {
    let value = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn every_key_and_section_says_what_it_is() {
    let schema = schema();
    assert_eq!(schema["title"], "Vestibule configuration");
    let sections = schema["$defs"].as_object().unwrap().iter();
    let sections = sections.map(|(name, of)| (name.as_str(), of)).chain([("", &schema)]);
    for (name, section) in sections {
        let Some(properties) = section.get("properties").and_then(Value::as_object) else { continue };
        assert!(section.get("description").is_some(), "the section {name} says nothing of itself");
        for (key, of) in properties {
            let reference = of.get("$ref").and_then(Value::as_str).map(|it| it.trim_start_matches('#'));
            let described =
                reference.and_then(|it| schema.pointer(it)).is_some_and(|it| it.get("description").is_some());
            assert!(of.get("description").is_some() || described, "{name}.{key} says nothing of itself");
        }
    }
}

/// Each word that the schema offers is taken, and each that is taken is offered.
#[test]
fn the_words_of_the_schema_are_those_that_are_taken() {
    const ROUTE: &str = "\n[[audience]]\nname = \"o\"\n[[route]]\npath = \"/\"\naudience = \"o\"\n";
    let schema = schema();
    // Where in the schema, what stands before the word and after it, and the words.
    let cases = [
        ("/properties/registration", "registration = ".to_owned(), "", ["closed", "open"].as_slice()),
        (
            "/$defs/Tokens/properties/algorithm",
            "[tokens]\nalgorithm = ".to_owned(),
            "",
            &["ES256", "EdDSA", "RS256", "PS256"],
        ),
        ("/$defs/Route/properties/require", format!("{ROUTE}require = "), "", &["signed-in", "public"]),
        ("/$defs/Route/properties/csrf", format!("{ROUTE}csrf = "), "", &["token", "origin", "off"]),
        (
            "/$defs/Route/properties/ambiguous_path",
            format!("{ROUTE}ambiguous_path = "),
            "",
            &["refuse", "pass"],
        ),
        ("/$defs/Route/properties/case", format!("{ROUTE}case = "), "", &["fold", "sensitive"]),
        (
            "/$defs/Route/properties/headers_encoding",
            format!("{ROUTE}headers_encoding = "),
            "",
            &["drop", "percent", "utf-8"],
        ),
        (
            "/$defs/Route/properties/accept/items",
            format!("[tokens]\ncookies = true\n{ROUTE}accept = ["),
            "]",
            &["session-cookie", "session-header", "token-cookie", "token-header"],
        ),
    ];
    for (place, before, after, words) in cases {
        let at = schema.pointer(place).unwrap();
        let reference = at.get("$ref").and_then(Value::as_str);
        let at = reference.map_or(at, |it| schema.pointer(it.trim_start_matches('#')).unwrap());
        assert_eq!(at["enum"], json!(words), "{place}");
        for word in words {
            let text = format!("{before}\"{word}\"{after}");
            assert!(from(&text).is_ok(), "{word}: {:?}", from(&text).err());
            assert_eq!(validate(&text), Vec::<String>::new(), "{word}");
        }
        let text = format!("{before}\"another\"{after}");
        assert!(from(&text).is_err() && !validate(&text).is_empty(), "{place}");
    }
}

/// With and without what stands in it as a comment.
#[test]
fn the_template_and_the_examples_are_what_the_schema_takes() {
    let template = include_str!("../template.toml");
    assert_eq!(validate(template), Vec::<String>::new());
    let is_setting = |line: &str| {
        line.starts_with("[[")
            || line
                .split_once(" = ")
                .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
    };
    let everything: String = template
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|it| is_setting(it)).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert!(
        everything.contains("\nencrypt_to_file = ") && everything.contains("\n[[route]]"),
        "{everything}"
    );
    assert_eq!(validate(&everything), Vec::<String>::new());
    toml::from_str::<Raw>(&everything).unwrap();

    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut seen = 0;
    for folder in
        std::fs::read_dir(examples).unwrap().filter_map(|it| std::fs::read_dir(it.unwrap().path()).ok())
    {
        for file in
            folder.map(|it| it.unwrap().path()).filter(|it| it.extension().is_some_and(|it| it == "toml"))
        {
            let text = std::fs::read_to_string(&file).unwrap();
            assert_eq!(validate(&text), Vec::<String>::new(), "{}", file.display());
            assert!(from(&text).is_ok(), "{}: {:?}", file.display(), from(&text).err());
            seen += 1;
        }
    }
    assert!(seen >= 3, "{seen}");
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    for text in [
        "colour = 1",
        "registration = true",
        "[sessions]\nidle = 30",
        "[sessions]\nidle = \"30\"",
        "[[route]]\nrequire = \"public\"",
    ] {
        assert!(!validate(text).is_empty() && from(text).is_err(), "{text}");
    }
}
