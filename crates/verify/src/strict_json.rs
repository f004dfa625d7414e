//! JSON as security needs it: one meaning or none.
//! In: bytes from a stranger and the limits that hold. Out: a value, or the rule that was broken.
//! Refuses what RFC 8259 leaves to taste: duplicate names, depth, byte order marks, UTF-16.
//!
//! Part of the crate's surface: a [`Reject`](crate::Reject) names the rule by [`JsonReject`], and who issues tokens reads what goes
//! into them by the rules by which they will be read.
//!
//! ```
//! use vestibule_verify::strict_json::{JsonReject, Limits, parse_object};
//!
//! let claims = parse_object(br#"{"sub": "ada"}"#, Limits::JOSE)?;
//! assert_eq!(claims["sub"], "ada");
//! let twice = parse_object(br#"{"sub": "ada", "sub": "eve"}"#, Limits::JOSE);
//! assert_eq!(twice, Err(JsonReject::Duplicate));
//! # Ok::<(), JsonReject>(())
//! ```

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What a document may grow to before it is refused unread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Length of the text in bytes.
    pub bytes: usize,
    /// Levels of arrays and objects; a bare string has depth 0.
    pub depth: usize,
    /// Members in any one object.
    pub members: usize,
}

impl Limits {
    /// The limits of JOSE headers and JWT claims: 8 KiB, depth 8, 64 members.
    pub const JOSE: Self = Self { bytes: 8 * 1024, depth: 8, members: 64 };
}

/// Why a text is not the JSON we take.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonReject {
    /// Arrays and objects nest deeper than the limit.
    #[error("the JSON nests too deeply")]
    Depth,
    /// Two members of one object have the same name once escapes are read (RFC 7515 §4, RFC 7519 §4).
    #[error("the JSON has a duplicate member name")]
    Duplicate,
    /// One object has more members than the limit.
    #[error("the JSON has an object with too many members")]
    Members,
    /// Not JSON in UTF-8 without byte order mark, or a number out of range, or text after the value.
    #[error("the text is not valid JSON")]
    Syntax,
    /// The text is longer than the limit.
    #[error("the JSON is too large")]
    TooLarge,
}

/// Parses one JSON value that takes up the whole of `text`.
///
/// # Errors
/// The first rule that was broken. Nothing of a refused text is handed out.
pub fn parse(text: &[u8], limits: Limits) -> Result<Value, JsonReject> {
    if text.len() > limits.bytes {
        return Err(JsonReject::TooLarge);
    }
    let broken = Cell::new(JsonReject::Syntax);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { broken: &broken, members: limits.members, levels_left: limits.depth };
    let value = value.deserialize(&mut reader).map_err(|_| broken.get())?;
    reader.end().map_err(|_| JsonReject::Syntax)?;
    Ok(value)
}

/// Parses one JSON object; anything else is refused as [`JsonReject::Syntax`].
///
/// # Errors
/// As [`parse`].
pub fn parse_object(text: &[u8], limits: Limits) -> Result<Map<String, Value>, JsonReject> {
    match parse(text, limits)? {
        Value::Object(members) => Ok(members),
        _ => Err(JsonReject::Syntax),
    }
}

/// serde's way to build a value with rules of our own. `broken` carries the rule past
/// `serde_json::Error`, which could only carry it as text.
#[derive(Clone, Copy)]
struct Strict<'a> {
    broken: &'a Cell<JsonReject>,
    members: usize,
    levels_left: usize,
}

impl Strict<'_> {
    fn one_level_down<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Ok(Self { levels_left, ..self }),
            None => Err(self.refuse(JsonReject::Depth)),
        }
    }

    fn refuse<E: serde::de::Error>(self, rule: JsonReject) -> E {
        self.broken.set(rule);
        E::custom(rule)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| self.refuse(JsonReject::Syntax))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.one_level_down()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.one_level_down()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.len() == self.members {
                return Err(self.refuse(JsonReject::Members));
            }
            let value = members.next_value_seed(inner)?;
            if object.insert(name, value).is_some() {
                return Err(self.refuse(JsonReject::Duplicate));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests;
