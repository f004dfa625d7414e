//! The page itself. In: a JSON Schema as schemars writes it. Out: Markdown, one table for each section; a key without a meaning is
//! an error.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

const HEAD: &str = "\
# Configuration, key by key

Made by `cargo xtask docs` of what `vestibule config schema` prints; `./test docs` holds it to that. `vestibule init` writes a
commented file to begin with, `vestibule config check` says whether yours is right, `vestibule config show` what is in force.

- The file is TOML: `--config FILE`, else `VESTIBULE_CONFIG`, else `./vestibule.toml`. Every key is optional unless it says *required*;
  an empty file is valid and safe. Unknown keys are refused.
- `VESTIBULE__SECTION__KEY` in the environment overrides a key: `VESTIBULE__SESSIONS__IDLE=15m`.
- A *duration* is written with its units: `30s`, `10m`, `12h`, `7d`, `1h30m`.
- Secrets are in files, never in the configuration; their keys end in `_file`. Relative paths start at the configuration's folder.
- What weakens a gate is named `danger_…`, is logged at start and listed by `/readyz` and `config show`.
";

pub(super) fn render(schema: &Value) -> Result<String> {
    let definitions = schema.get("$defs").and_then(Value::as_object).context("the schema has no $defs")?;
    let mut page = Page { text: HEAD.to_owned(), definitions };
    page.section("", "", schema)?;
    Ok(page.text)
}

struct Page<'a> {
    text: String,
    definitions: &'a Map<String, Value>,
}

/// What may stand under a key.
enum Shape<'a> {
    /// One value, in words.
    Plain(String),
    /// A section of its own, and whether it may be there many times.
    Section { of: &'a Value, many: bool },
}

impl<'a> Page<'a> {
    /// The table of one section, then the sections in it.
    fn section(&mut self, path: &str, heading: &str, section: &'a Value) -> Result<()> {
        let properties = section.get("properties").and_then(Value::as_object);
        let properties = properties.with_context(|| format!("{path} has no keys"))?;
        let required: Vec<&str> = section
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let (mut rows, mut inner) = (String::new(), Vec::new());
        for (name, key) in properties {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match self.shape(key).with_context(|| path.clone())? {
                Shape::Section { of, many } => inner.push((path, key, of, many)),
                Shape::Plain(kind) => {
                    let (meaning, default) = meaning(key);
                    if meaning.is_empty() && default.is_none() {
                        bail!("{path} has no meaning: give its field in config/raw.rs a doc comment");
                    }
                    let default = match default.or_else(|| key.get("default").map(value)) {
                        _ if required.contains(&name.as_str()) => "*required*".to_owned(),
                        Some(default) => default,
                        None => "none".to_owned(),
                    };
                    writeln!(rows, "| `{name}` | {kind} | {default} | {} |", cell(&meaning))?;
                }
            }
        }
        if !heading.is_empty() {
            writeln!(self.text, "\n## {heading}")?;
        }
        if !path.is_empty()
            && let Some(words) = section.get("description").and_then(Value::as_str)
        {
            writeln!(self.text, "\n{}", one_line(words))?;
        }
        if !rows.is_empty() {
            write!(self.text, "\n| key | | default | |\n|---|---|---|---|\n{rows}")?;
        }
        for (path, key, of, many) in inner {
            let heading = if many { format!("`[[{path}]]`") } else { format!("`[{path}]`") };
            self.section_with(&path, &heading, key, of)?;
        }
        Ok(())
    }

    /// A section's own words are the field's, where it has some.
    fn section_with(&mut self, path: &str, heading: &str, key: &'a Value, of: &'a Value) -> Result<()> {
        let words = key.get("description").filter(|_| of.get("description").is_none());
        let begin = self.text.len();
        self.section(path, heading, of)?;
        if let Some(words) = words.and_then(Value::as_str) {
            let at = begin + format!("\n## {heading}\n").len();
            self.text.insert_str(at, &format!("\n{}\n", one_line(words)));
        }
        Ok(())
    }

    fn shape(&self, key: &'a Value) -> Result<Shape<'a>> {
        if let Some(variants) = key.get("anyOf").and_then(Value::as_array) {
            let given = variants.iter().find(|it| it.get("type").and_then(Value::as_str) != Some("null"));
            return self.shape(given.context("nothing but null is allowed")?);
        }
        if let Some(name) = key.get("$ref").and_then(Value::as_str) {
            let name = name.trim_start_matches("#/$defs/");
            let of = self.definitions.get(name).with_context(|| format!("{name} is not defined"))?;
            return match (of.get("properties"), name) {
                (Some(_), _) => Ok(Shape::Section { of, many: false }),
                (None, "Span") => Ok(Shape::Plain("duration".to_owned())),
                (None, _) => self.shape(of),
            };
        }
        if let Some(values) = key.get("enum").and_then(Value::as_array) {
            return Ok(Shape::Plain(values.iter().map(value).collect::<Vec<_>>().join(", ")));
        }
        let kinds = match key.get("type") {
            Some(Value::String(kind)) => vec![kind.as_str()],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let kind = match kinds.iter().find(|kind| **kind != "null") {
            Some(&"array") => match key.get("items").map(|items| self.shape(items)).transpose()? {
                Some(Shape::Section { of, .. }) => return Ok(Shape::Section { of, many: true }),
                Some(Shape::Plain(one)) => format!("list of {one}s"),
                None => "list".to_owned(),
            },
            Some(&"object") if key.pointer("/additionalProperties/type") == Some(&"string".into()) => {
                "table of texts".to_owned()
            }
            Some(&"object") => "table".to_owned(),
            Some(&"string") => "text".to_owned(),
            Some(&"integer" | &"number") => "number".to_owned(),
            Some(&"boolean") => "true or false".to_owned(),
            _ => bail!("a kind that this page has no word for: {key}"),
        };
        Ok(Shape::Plain(kind))
    }
}

/// The words of a key, and the default where they name one.
fn meaning(key: &Value) -> (String, Option<String>) {
    let words = one_line(key.get("description").and_then(Value::as_str).unwrap_or_default());
    match words.split_once("Default: ") {
        Some((before, default)) => {
            let (default, after) = default.split_once(". ").unwrap_or((default, ""));
            let meaning = format!("{before}{after}");
            (meaning.trim().to_owned(), Some(cell(default.trim_end_matches('.'))))
        }
        None => (words, None),
    }
}

/// A value as it is written in TOML.
fn value(value: &Value) -> String {
    match value {
        Value::Object(members) if members.is_empty() => "`{}`".to_owned(),
        other => format!("`{}`", cell(&other.to_string().replace("\",\"", "\", \""))),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "properties": {
                "name": { "type": "string", "default": "x", "description": "What it is\ncalled." },
                "mode": { "$ref": "#/$defs/Mode", "default": "a", "description": "a|b." },
                "file": { "type": ["string", "null"], "description": "Where. Default: beside it. Keep it." },
                "limits": { "$ref": "#/$defs/Limits", "default": { "idle": "30m" } },
                "tls": { "anyOf": [{ "$ref": "#/$defs/Tls" }, { "type": "null" }], "description": "For https." },
                "route": { "type": "array", "items": { "$ref": "#/$defs/Route" }, "default": [] },
            },
            "$defs": {
                "Mode": { "type": "string", "enum": ["a", "b"] },
                "Span": { "type": "string" },
                "Limits": { "description": "How long.", "properties": {
                    "idle": { "$ref": "#/$defs/Span", "default": "30m", "description": "Unused." },
                } },
                "Tls": { "properties": { "key": { "type": "string", "description": "A key." } }, "required": ["key"] },
                "Route": { "properties": {
                    "accept": { "type": "array", "items": { "type": "string" }, "default": ["x", "y"], "description": "What." },
                } },
            },
        })
    }

    #[test]
    fn every_key_has_its_row_and_every_section_its_heading() {
        let page = render(&schema()).unwrap();
        let page = page.strip_prefix(HEAD).unwrap();
        for expected in [
            "| `name` | text | `\"x\"` | What it is called. |",
            "| `mode` | `\"a\"`, `\"b\"` | `\"a\"` | a\\|b. |",
            "| `file` | text | beside it | Where. Keep it. |",
            "## `[limits]`\n\nHow long.\n\n| key |",
            "| `idle` | duration | `\"30m\"` | Unused. |",
            "## `[tls]`\n\nFor https.\n\n| key |",
            "| `key` | text | *required* | A key. |",
            "## `[[route]]`\n",
            "| `accept` | list of texts | `[\"x\", \"y\"]` | What. |",
        ] {
            assert!(page.contains(expected), "{expected}\nin\n{page}");
        }
    }

    #[test]
    fn a_key_without_meaning_is_refused_by_its_name() {
        let mut schema = schema();
        schema["$defs"]["Limits"]["properties"]["idle"].as_object_mut().unwrap().remove("description");
        let error = render(&schema).unwrap_err().to_string();
        assert!(error.contains("limits.idle"), "{error}");
    }
}
