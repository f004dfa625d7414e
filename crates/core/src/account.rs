//! An account: who may sign in, with what, and what services are told about them.
//! In: what a person or operator typed. Out: parsed identifiers and traits; password hashes that nobody can print.

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use crate::id::Subject;
use crate::text::is_unseen;
use crate::time::Timestamp;

pub mod password;
pub mod policy;

/// What a person types to say who they are, usually a mail address. Compared in NFKC and lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier(String);

/// Why a text cannot be an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an identifier is 1 to 254 bytes long, without spaces around it, without control characters and others that cannot be seen"
)]
pub struct NotAnIdentifier;

impl Identifier {
    /// Normalises and checks what was typed. Spaces around it are dropped (phones add them), inside it they stay.
    pub fn parse(typed: &str) -> Result<Self, NotAnIdentifier> {
        if typed.len() > 1024 {
            return Err(NotAnIdentifier);
        }
        // Composed again at the end: some letters have a composed form in lower case only (J̌ and ǰ).
        let normal: String = typed.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect();
        if normal.is_empty() || normal.len() > 254 || normal.trim() != normal || normal.chars().any(is_unseen)
        {
            return Err(NotAnIdentifier);
        }
        Ok(Self(normal))
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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
    fn identifiers_have_one_form() {
        let ada = Identifier::parse("ada@example.com").unwrap();
        assert_eq!(Identifier::parse("  ADA@Example.COM\n").unwrap(), ada);
        assert_eq!(Identifier::parse("\u{FF41}da@example.com").unwrap(), ada);
        let composed = Identifier::parse("\u{1F0}@example.com").unwrap();
        assert_eq!(Identifier::parse("J\u{30C}@example.com").unwrap(), composed);
        for bad in ["", "   ", "a\0b", "a\u{202E}b", "a\u{200B}b", "a\nb"] {
            assert!(Identifier::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Identifier::parse(&"x".repeat(254)).is_ok());
        assert!(Identifier::parse(&"x".repeat(255)).is_err());
    }

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
