//! Blocks of code on the pages, and commands within sentences. In: pages, the configuration's schema, and what the program takes. Out:
//! blocks that would not work: TOML that is no configuration, JSON that does not parse, Rust that nothing compiles, and commands and
//! options that the program does not have.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Finding;
use super::commands::Commands;
use super::markdown::{Block, Page};
use crate::walls::tree::Tree;

/// Languages of blocks that are not checked here: the stories run files like nginx's, and the portal's tests texts like Fluent's.
const HELD_ELSEWHERE: [&str; 2] = ["fluent", "nginx"];

pub(super) fn check(
    tree: &Tree,
    pages: &BTreeMap<String, Page>,
    schema: &Value,
    commands: &mut Commands,
) -> Result<Vec<Finding>> {
    let schema = Schema::new(schema)?;
    let mut findings = Vec::new();
    for (file, page) in pages {
        for block in &page.blocks {
            let language = block.language.split([',', ' ']).next().unwrap_or_default();
            let found: Vec<(usize, String)> = match language {
                "" | "sh" | "bash" | "console" => in_a_shell(block, commands)?,
                "json" => as_json(block),
                "rust" => as_rust(tree, file, block),
                "toml" => schema.holds(block),
                other if HELD_ELSEWHERE.contains(&other) => Vec::new(),
                other => vec![(0, format!("nothing checks blocks of {other}"))],
            };
            findings
                .extend(found.into_iter().map(|(line, what)| Finding::at(file, block.number + line, what)));
        }
        for words in &page.words {
            if let Some(what) = commands.refuses(&words.text)? {
                findings.push(Finding::at(file, words.number, what));
            }
        }
    }
    Ok(findings)
}

/// Lines that begin with the program's name, with or without a prompt.
fn in_a_shell(block: &Block, commands: &mut Commands) -> Result<Vec<(usize, String)>> {
    let mut found = Vec::new();
    for (at, line) in block.text.lines().enumerate() {
        let line = line.strip_prefix("$ ").unwrap_or(line);
        if let Some(what) = commands.refuses(line)? {
            found.push((at, what));
        }
    }
    // What looks like JSON lines is JSON lines.
    if !block.text.is_empty() && block.text.lines().all(|line| line.starts_with('{')) {
        found.extend(as_json(block));
    }
    Ok(found)
}

fn as_json(block: &Block) -> Vec<(usize, String)> {
    let mut values = serde_json::Deserializer::from_str(&block.text).into_iter::<Value>();
    match values.find_map(Result::err) {
        Some(error) => vec![(error.line().saturating_sub(1), format!("is not JSON: {error}"))],
        None => Vec::new(),
    }
}

/// A block is compiled where its page is some crate's documentation and the block a doctest; else its lines must stand together in a
/// Rust file.
fn as_rust(tree: &Tree, page: &str, block: &Block) -> Vec<(usize, String)> {
    let is_ignored = block.language.contains("ignore");
    let name = page.rsplit('/').next().unwrap_or(page);
    let folder = page.strip_suffix(name).unwrap_or_default();
    let is_doctest = tree.rust().any(|(file, text)| {
        file.starts_with(folder) && text.contains(&format!("#![doc = include_str!(\"../{name}\")]"))
    });
    if is_doctest && !is_ignored && !folder.is_empty() {
        return Vec::new();
    }
    let wanted = code_of(&block.text);
    // Documentation comments are no code: the lines must stand in what cargo compiles.
    if tree.rust().any(|(_, text)| code_of(text).contains(&wanted)) {
        return Vec::new();
    }
    vec![(0, "nothing compiles this block: let a test or an example have its lines".to_owned())]
}

/// Code without its comments and white space, so that a formatter's lines make no difference.
fn code_of(text: &str) -> String {
    let code = |line: &'_ str| {
        let line = line.trim();
        let code =
            if line.starts_with("//") { "" } else { line.split_once("  //").map_or(line, |(code, _)| code) };
        code.split_whitespace().collect::<String>()
    };
    text.lines().map(code).collect()
}

/// The configuration's schema, ready.
struct Schema {
    validator: jsonschema::Validator,
    keys: Vec<String>,
}

impl Schema {
    fn new(schema: &Value) -> Result<Self> {
        let validator = jsonschema::validator_for(schema).context("the schema is none")?;
        let properties =
            schema.get("properties").and_then(Value::as_object).context("the schema has no keys")?;
        Ok(Self { validator, keys: properties.keys().cloned().collect() })
    }

    fn holds(&self, block: &Block) -> Vec<(usize, String)> {
        let table: toml::Table = match block.text.parse() {
            Ok(table) => table,
            Err(error) => return vec![(0, format!("is not TOML: {}", error.message()))],
        };
        // A dependency, as it stands in a `Cargo.toml`.
        let is_cargos = |name: &String| name == "dependencies" || name.starts_with("vestibule-");
        if !table.is_empty() && table.keys().all(is_cargos) {
            return Vec::new();
        }
        let value = match serde_json::to_value(&table) {
            Ok(value) => value,
            Err(error) => return vec![(0, format!("cannot be checked: {error}"))],
        };
        let is_unknown = |name: &&String| !self.keys.contains(name);
        let mut found: Vec<(usize, String)> = table
            .keys()
            .filter(is_unknown)
            .map(|name| (0, format!("{name} is no key of the configuration")))
            .collect();
        let wrong = self.validator.iter_errors(&value);
        found.extend(
            wrong.map(|error| (0, format!("is no configuration: {}: {error}", error.instance_path()))),
        );
        found
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let tree = Tree::of(files);
        let pages = tree.pages().map(|(file, text)| (file.to_owned(), Page::read(text))).collect();
        let schema = json!({
            "properties": {
                "registration": { "enum": ["closed", "open"] },
                "listen": { "type": "object", "properties": { "public": { "type": "string" } }, "additionalProperties": false },
            },
            "additionalProperties": false,
        });
        let mut commands = Commands::of(&[
            ("", "Commands:\n  serve  Serve\n  key    Keys\n\nOptions:\n      --config <FILE>  x\n"),
            ("serve", "Options:\n  -h, --help  x\n"),
            ("key", "Commands:\n  rotate  x\n  retire  x\n\nOptions:\n  -h, --help  x\n"),
            ("key rotate", "Options:\n      --now  x\n      --edge  x\n"),
            ("key retire", "Arguments:\n  <KID>  x\n\nOptions:\n      --now  x\n"),
        ]);
        let found = check(&tree, &pages, &schema, &mut commands).unwrap();
        found.into_iter().map(|it| it.to_string()).collect()
    }

    fn page(text: &str) -> Vec<String> {
        found(&[
            ("a.md", &format!("# A\n\n{text}\n")),
            ("crates/v/examples/x.rs", "fn main() {\n    let a = 1;\n    let b = 2;   // why\n}\n"),
        ])
    }

    #[test]
    fn blocks_that_work_pass() {
        for text in [
            "```toml\nregistration = \"open\"\n[listen]\npublic = \"x\"\n```",
            "```toml\nvestibule-verify = { version = \"0.1\" }\n```",
            "```json\n{\"a\": 1}\n{\"b\": 2}\n```",
            "```\n{\"a\": \"…\"}\n```",
            "```\n$ vestibule key rotate --now --edge > x   # --wrong is a comment\n```",
            "```sh\nvestibule --config FILE serve\ncargo run\n```",
            "```rust,ignore\nlet a = 1;\nlet b = 2;  // another comment\n```",
            "`vestibule key retire KID`, `vestibule key rotate|retire`, `vestibule key …`, `vestibule`, `vestibule.toml`",
        ] {
            assert_eq!(page(text), Vec::<String>::new(), "{text}");
        }
        let doctest = [
            ("crates/v/README.md", "# V\n\n```rust\nlet c = 3;\n```\n"),
            ("crates/v/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n"),
        ];
        assert_eq!(found(&doctest), Vec::<String>::new());
    }

    #[test]
    fn blocks_that_do_not_work_are_found() {
        for (text, says) in [
            ("```toml\nregistration = true\n```", "a.md:4: [docs] is no configuration: /registration"),
            ("```toml\n[listen]\npubic = \"x\"\n```", "is no configuration: /listen"),
            ("```toml\ncolour = 1\n```", "colour is no key"),
            ("```toml\nregistration = \n```", "is not TOML"),
            ("```json\n{\"a\": }\n```", "a.md:4: [docs] is not JSON"),
            ("```\n{\"a\": 1}\n{\"a\": }\n```", "a.md:5: [docs] is not JSON"),
            ("```\nvestibule key rotat\n```", "a.md:4: [docs] vestibule key has no command rotat"),
            (
                "```\nls\n$ vestibule key rotate --later\n```",
                "a.md:5: [docs] vestibule key rotate has no option --later",
            ),
            ("see `vestibule frobnicate`", "a.md:3: [docs] vestibule has no command frobnicate"),
            ("`vestibule key rotate|retir`", "vestibule key has no command retir"),
            ("```rust\nlet a = 1;\nlet b = 3;\n```", "nothing compiles"),
            ("```rust\nlet b = 2;\nlet a = 1;\n```", "nothing compiles"),
            ("```python\nx\n```", "nothing checks blocks of python"),
        ] {
            let found = page(text);
            assert!(found.iter().any(|it| it.contains(says)), "{says}: {found:?}");
        }
    }
}
