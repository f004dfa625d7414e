//! What an operator says that traits have to be (JSON Schema). In: the schema's text, once; then traits. Out: nothing, or where they are not
//! so and why, without the values: those are people's.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use vestibule_core::account::Traits;
use vestibule_verify::strict_json;

/// Larger than any schema that somebody wrote by hand.
pub(crate) const MOST_BYTES: usize = 256 * 1024;
/// Of so many faults each is told; whoever has more has another kind of problem.
const TOLD: usize = 5;
/// What one pattern may take when it is compiled, in bytes. It then takes time in proportion to what it is held against.
const PATTERN_BYTES: usize = 1024 * 1024;
/// So many characters are said of a place, and as many of what is wrong there: names can be long.
const CHARACTERS: usize = 200;

/// A schema that was understood.
pub(crate) struct TraitsSchema(Validator);

impl TraitsSchema {
    /// Reads a schema: JSON Schema 2020-12, or the draft that its `$schema` names. References lead to places in the schema itself alone,
    /// nothing is fetched or read for them; a `format` that is not known is refused, for nothing would ever be held to it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(text).map_err(|cause| format!("is no JSON: {cause}"))?;
        if !schema.is_object() {
            return Err("is no JSON Schema: it is an object of keywords".to_owned());
        }
        // What stands there twice would count once, and nobody would know which.
        let limits = strict_json::Limits { bytes: MOST_BYTES, depth: 64, members: 4096 };
        strict_json::parse(text.as_bytes(), limits)
            .map_err(|reject| format!("is no JSON Schema that can be used: {reject}"))?;
        let options = jsonschema::options()
            .offline()
            .should_ignore_unknown_formats(false)
            .with_pattern_options(
                PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES),
            )
            .should_validate_formats(true);
        let validator = options.build(&schema).map_err(|fault| {
            let at = fault.instance_path().to_string();
            let at = if at.is_empty() { String::new() } else { format!(" at {at}") };
            format!("is no JSON Schema that can be used{at}: {fault}")
        })?;
        Ok(Self(validator))
    }

    /// Whether traits are as they have to be; otherwise each place where they are not, up to [`TOLD`].
    pub(crate) fn check(&self, traits: &Traits) -> Result<(), String> {
        let value: Value = serde_json::from_str(&traits.to_json())
            .map_err(|_| "the traits cannot be read back".to_owned())?;
        let mut faults = self.0.iter_errors(&value).map(|fault| {
            let at = fault.instance_path().to_string();
            let at = if at.is_empty() { "the traits".to_owned() } else { format!("traits{}", short(&at)) };
            format!("{at}: {}", short(&fault.masked_with("this").to_string()))
        });
        let told: Vec<String> = faults.by_ref().take(TOLD).collect();
        if told.is_empty() {
            return Ok(());
        }
        let more = match faults.count() {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Err(format!("not as accounts.traits_schema_file has it: {}{more}", told.join("; ")))
    }
}

/// Without what a terminal would obey: members may be called anything, and imports come from elsewhere.
fn short(text: &str) -> String {
    let mut short = String::new();
    for character in text.chars().take(CHARACTERS) {
        match character {
            '"' | '\'' | '\\' => short.push(character),
            _ => short.extend(character.escape_debug()),
        }
    }
    if text.chars().nth(CHARACTERS).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r##"{
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["department"],
        "properties": {
            "department": { "type": "string", "maxLength": 20 },
            "roles": { "type": "array", "items": { "enum": ["admin", "clerk"] }, "uniqueItems": true },
            "mail": { "type": "string", "format": "email" },
            "address": { "$ref": "#/$defs/address" },
            "badge": { "type": "string", "pattern": "^(a|a)*b$" }
        },
        "additionalProperties": false,
        "$defs": { "address": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] } }
    }"##;

    fn check(traits: &str) -> Result<(), String> {
        TraitsSchema::parse(SCHEMA).unwrap().check(&Traits::parse(traits).unwrap())
    }

    #[test]
    fn what_fits_is_taken() {
        check(r#"{"department":"R&D"}"#).unwrap();
        check(r#"{"department":"R&D","roles":["admin","clerk"],"mail":"a@example.com","address":{"city":"Bern","zip":3000}}"#)
            .unwrap();
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_place_and_never_by_its_value() {
        for (traits, place) in [
            ("{}", "the traits: \"department\" is a required property"),
            (
                r#"{"department":"secret-secret-secret-secret"}"#,
                "traits/department: this is longer than 20 characters",
            ),
            (r#"{"department":7777}"#, "traits/department: this is not of type \"string\""),
            (r#"{"department":"x","roles":["admin","secret"]}"#, "traits/roles/1: this is not one of "),
            (r#"{"department":"x","mail":"secret"}"#, "traits/mail: this is not a \"email\""),
            (
                r#"{"department":"x","address":{"zip":7777}}"#,
                "traits/address: \"city\" is a required property",
            ),
            (
                r#"{"department":"x","shoe":7777}"#,
                "the traits: Additional properties are not allowed ('shoe' was unexpected)",
            ),
        ] {
            let said = check(traits).unwrap_err();
            assert!(
                said.starts_with(&format!("not as accounts.traits_schema_file has it: {place}")),
                "{said}"
            );
            assert!(!said.contains("secret") && !said.contains("7777"), "{said}");
        }
        let many: Vec<String> = (0..9).map(|it| format!("\"x{it}\"")).collect();
        let said = check(&format!(r#"{{"department":"x","roles":[{}]}}"#, many.join(","))).unwrap_err();
        assert!(said.ends_with("; and 4 more") && said.matches("traits/roles/").count() == 5, "{said}");
    }

    /// Names come from files of other programs, and a terminal obeys what stands in them.
    #[test]
    fn whatever_members_are_called_what_is_said_is_one_short_line() {
        let schema = TraitsSchema::parse(r#"{"additionalProperties":{"type":"string"}}"#).unwrap();
        let members: Vec<String> =
            (0..9).map(|it| format!(r#""\u001b[2J\n\u202e{it}{}":{it}"#, "n".repeat(900))).collect();
        let traits = Traits::parse(&format!("{{{}}}", members.join(","))).unwrap();
        let said = schema.check(&traits).unwrap_err();
        assert!(!said.contains(['\u{1b}', '\n', '\u{202e}']) && said.contains("\\u{1b}"), "{said}");
        assert!(said.len() < 2500 && said.ends_with("; and 4 more"), "{} bytes: {said}", said.len());
    }

    /// Stack and time alike.
    #[test]
    fn a_check_ends_also_where_a_schema_leads_back_to_itself() {
        let traits = Traits::parse(r#"{"a":"x","b":{"b":{"b":{}}}}"#).unwrap();
        for schema in [
            r##"{"$ref":"#"}"##,
            r##"{"allOf":[{"$ref":"#"},{"$ref":"#"}]}"##,
            r##"{"anyOf":[{"$ref":"#"},{"type":"string"}]}"##,
            r##"{"if":{"$ref":"#"},"then":{"$ref":"#"}}"##,
            r##"{"additionalProperties":{"$ref":"#"},"properties":{"a":true}}"##,
            r##"{"propertyNames":{"$ref":"#"}}"##,
            r##"{"$dynamicAnchor":"x","$dynamicRef":"#x"}"##,
            r##"{"$ref":"#","unevaluatedProperties":{"$ref":"#"}}"##,
            r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
        ] {
            let _ = TraitsSchema::parse(schema).unwrap().check(&traits);
        }
    }

    /// A pattern that would keep another engine busy until the sun goes out.
    #[test]
    fn patterns_take_time_in_proportion() {
        let long = format!(r#"{{"department":"x","badge":"{}"}}"#, "a".repeat(10_000));
        check(&long).unwrap_err();
    }

    #[test]
    fn what_is_no_schema_is_said_to_be_none() {
        for (text, says) in [
            ("{", "is no JSON: "),
            ("[]", "is no JSON Schema: it is an object"),
            (r#"{"type": 7}"#, "is no JSON Schema that can be used"),
            (r#"{"properties": {"a": {"type": "strnig"}}}"#, "is no JSON Schema that can be used"),
            (r#"{"properties": {"a": {"pattern": "("}}}"#, "is no JSON Schema that can be used"),
            (r#"{"properties": {"a": {"pattern": "(?=x)"}}}"#, "is no JSON Schema that can be used"),
            (r#"{"$ref": "https://example.com/schema.json"}"#, "is no JSON Schema that can be used"),
            (
                r#"{"type": "object", "type": "string"}"#,
                "is no JSON Schema that can be used: the JSON has a duplicate",
            ),
            (
                r#"{"properties": {"a": {"format": "emial"}}}"#,
                "is no JSON Schema that can be used at /properties/a/format",
            ),
            (r#"{"$ref": "file:///etc/passwd"}"#, "is no JSON Schema that can be used"),
        ] {
            let said = TraitsSchema::parse(text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(said.starts_with(says), "{text}: {said}");
        }
    }
}
