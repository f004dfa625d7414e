//! A claim as it is configured: the name of what it comes from, or what it says to everybody. In: TOML. Out: the same as JSON, for what
//! JSON has no word for is refused.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};

/// Where a claim comes from, or what it always says.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(untagged)]
pub(crate) enum Claim {
    Constant(Constant),
    Source(String),
}

/// What a claim says to everybody.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constant {
    /// A text, a number, a truth value, or a list or table of these.
    value: Value,
}

/// What serde makes of untagged variants has lost what TOML knows of dates, and says nothing that helps.
impl<'de> Deserialize<'de> for Claim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(source) => Ok(Self::Source(source)),
            toml::Value::Table(mut members) if members.len() == 1 => {
                let value = members.remove("value").ok_or_else(|| D::Error::custom(NO_CLAIM))?;
                let value = json(&value).ok_or_else(|| D::Error::custom(NO_JSON))?;
                Ok(Self::Constant(Constant { value }))
            }
            _ => Err(D::Error::custom(NO_CLAIM)),
        }
    }
}

const NO_CLAIM: &str = "a claim is the text of a source, like \"account.traits.department\", or a constant, like { value = \"acme\" }";

const NO_JSON: &str = "a constant is what JSON can say; write a date as a text";

/// All claims of an audience, those with a source apart from the constants.
pub(super) fn told(claims: &BTreeMap<String, Claim>) -> Told<'_> {
    let mut told = Told { sources: Vec::new(), constants: Vec::new() };
    for (name, claim) in claims {
        match claim {
            Claim::Constant(Constant { value }) => told.constants.push((name.clone(), value.clone())),
            Claim::Source(text) => told.sources.push((name.as_str(), text.as_str())),
        }
    }
    told
}

/// The claims of an audience.
pub(super) struct Told<'a> {
    /// Name and source.
    pub(super) sources: Vec<(&'a str, &'a str)>,
    pub(super) constants: Vec<(String, Value)>,
}

/// Dates are no JSON, and neither are numbers without an end.
fn json(value: &toml::Value) -> Option<Value> {
    match value {
        toml::Value::Array(items) => items.iter().map(json).collect::<Option<Vec<_>>>().map(Value::Array),
        toml::Value::Boolean(truth) => Some(Value::Bool(*truth)),
        toml::Value::Datetime(_) => None,
        toml::Value::Float(number) => Number::from_f64(*number).map(Value::Number),
        toml::Value::Integer(number) => Some(Value::from(*number)),
        toml::Value::String(text) => Some(Value::String(text.clone())),
        toml::Value::Table(members) => {
            let members = members.iter().map(|(name, value)| Some((name.clone(), json(value)?)));
            members.collect::<Option<_>>().map(Value::Object)
        }
    }
}
