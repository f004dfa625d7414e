//! An account: who may sign in, with what, and what services are told about them.
//! In: what a person or operator typed. Out: parsed identifiers and traits; password hashes that nobody can print.

use serde_json::{Map, Value};

use crate::id::Subject;
use crate::time::Timestamp;

mod identifier;
pub mod password;
pub mod policy;

pub use identifier::{Identifier, NotAnIdentifier};

/// A stored password hash in PHC string form. No Debug: a hash in a log is a hash to crack.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string from a store, an import or the hasher; its form is checked where it is verified.
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// For the store and the hasher alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whether an account may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It may not; it has no sessions.
    Disabled,
    /// It may.
    Enabled,
}

impl Status {
    /// As a store keeps it and as listings show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
        }
    }

    /// Back from [`Self::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Disabled, Self::Enabled].into_iter().find(|status| status.name() == name)
    }
}

/// Facts about an account that services may be told, as a JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits(Map<String, Value>);

/// Why a text cannot be traits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTraits {
    /// Not strict JSON: syntax, duplicate names, or too deep.
    #[error("traits are not well-formed JSON: {0}")]
    Malformed(String),
    /// Some other JSON value.
    #[error("traits must be a JSON object")]
    NotAnObject,
    /// More than [`Traits::MAX_BYTES`].
    #[error("traits may take 16384 bytes of JSON at most")]
    TooLarge,
}

impl Traits {
    /// The most bytes of JSON.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Parses a JSON object, strictly: a duplicate name is refused, not resolved.
    pub fn parse(text: &str) -> Result<Self, NotTraits> {
        if text.len() > Self::MAX_BYTES {
            return Err(NotTraits::TooLarge);
        }
        let limits =
            vestibule_verify::strict_json::Limits { bytes: Self::MAX_BYTES, depth: 16, members: 256 };
        match vestibule_verify::strict_json::parse(text.as_bytes(), limits) {
            // What is kept must be readable again, and `1e9` is kept as `1000000000.0`.
            Ok(Value::Object(map)) => {
                let traits = Self(map);
                if traits.to_json().len() > Self::MAX_BYTES { Err(NotTraits::TooLarge) } else { Ok(traits) }
            }
            Ok(_) => Err(NotTraits::NotAnObject),
            Err(cause) => Err(NotTraits::Malformed(cause.to_string())),
        }
    }

    /// The value at a path of member names, if all of them exist.
    pub fn at(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(first)?, |value, name| value.get(name))
    }

    /// The object itself.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// As JSON text, for a store.
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

/// An account as the store keeps it. No Debug: it holds a password hash.
#[derive(Clone)]
pub struct Account {
    /// Stable name, the `sub` claim.
    pub subject: Subject,
    /// What its owner types.
    pub identifier: Identifier,
    /// How its owner proves itself; `None` cannot sign in with a password.
    pub password: Option<PasswordHash>,
    /// What services may be told.
    pub traits: Traits,
    /// Whether it may sign in.
    pub status: Status,
    /// Rises whenever all sessions and tokens of the account must die.
    pub epoch: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traits_are_a_strict_json_object() {
        let traits = Traits::parse(r#"{"department":"R&D","address":{"city":"London"}}"#).unwrap();
        assert_eq!(traits.at(&["address".into(), "city".into()]), Some(&Value::from("London")));
        assert_eq!(traits.at(&["address".into(), "zip".into()]), None);
        assert_eq!(traits.at(&[]), None);
        assert!(matches!(Traits::parse(r#"{"a":1,"\u0061":2}"#), Err(NotTraits::Malformed(_))));
        assert!(matches!(Traits::parse("[]"), Err(NotTraits::NotAnObject)));
        assert!(matches!(Traits::parse(&" ".repeat(16 * 1024 + 1)), Err(NotTraits::TooLarge)));
        let grows = format!(r#"{{"a":[{}1e9]}}"#, "1e9,".repeat(4000));
        assert!(matches!(Traits::parse(&grows), Err(NotTraits::TooLarge)), "it could not be read back");
        let fits = Traits::parse(&format!(r#"{{"a":[{}1e9]}}"#, "1e9,".repeat(200))).unwrap();
        assert_eq!(Traits::parse(&fits.to_json()).unwrap(), fits);
    }
}
