//! What an operator says that traits have to be (JSON Schema). In: the schema's text, once; then traits. Out: nothing, or where they are not
//! so and why, without the values: those are people's.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use vestibule_core::account::Traits;

/// Larger than any schema that somebody wrote by hand.
pub(crate) const MOST_BYTES: u64 = 256 * 1024;
/// Of so many faults each is told; whoever has more has another kind of problem.
const TOLD: usize = 5;
/// What one pattern may take when it is compiled, in bytes. It then takes time in proportion to what it is held against.
const PATTERN_BYTES: usize = 1024 * 1024;

/// A schema that was understood.
pub(crate) struct TraitsSchema(Validator);

impl TraitsSchema {
    /// Reads a schema: JSON Schema 2020-12, or the draft that its `$schema` names. References lead to places in the schema itself alone,
    /// nothing is fetched or read for them; `format` is held to where the format is known.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(text).map_err(|cause| format!("is no JSON: {cause}"))?;
        if !schema.is_object() {
            return Err("is no JSON Schema: it is an object of keywords".to_owned());
        }
        let options = jsonschema::options()
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
            let at = if at.is_empty() { "the traits".to_owned() } else { format!("traits{at}") };
            format!("{at}: {}", fault.masked_with("this"))
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
            (r#"{"$ref": "file:///etc/passwd"}"#, "is no JSON Schema that can be used"),
        ] {
            let said = TraitsSchema::parse(text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(said.starts_with(says), "{text}: {said}");
        }
    }
}
