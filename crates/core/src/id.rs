//! Public identifiers: fit for logs, claims and listings, worthless as credentials.
//! In: 16 random bytes or their text. Out: 26 lower-case characters (base32hex, RFC 4648 section 7) and back; a client's with `vc_` before.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_DNSSEC;

/// The public name of a session: the `sid` claim, log lines, listings. Never accepted in place of the cookie.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) [u8; 16]);

/// Who a session or token speaks for: the `sub` claim. Random, stable, never re-used, never an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(pub(crate) [u8; 16]);

/// An OAuth client's public name, with `vc_` before it so that it is never taken for a subject: `client_id`, and `sub` where it acts for
/// itself. Random, never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub(crate) [u8; 16]);

/// Why a text is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: expected 26 characters out of 0-9 and a-v, a client's after vc_")]
pub struct NotAnId;

macro_rules! public_id {
    ($name:ident, $prefix:literal) => {
        impl $name {
            /// Wraps 16 bytes; the caller draws them from [`crate::port::Entropy`] or reads them from a store.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes, as a store keeps them.
            pub const fn bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 26];
                BASE32_DNSSEC.encode_mut(&self.0, &mut text);
                f.write_str($prefix)?;
                f.write_str(str::from_utf8(&text).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let text = text.strip_prefix($prefix).ok_or(NotAnId)?;
                // BASE32_DNSSEC also decodes capitals; one identifier has one spelling.
                if text.len() != 26 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return Err(NotAnId);
                }
                let mut bytes = [0; 16];
                match BASE32_DNSSEC.decode_mut(text.as_bytes(), &mut bytes) {
                    Ok(16) => Ok(Self(bytes)),
                    _ => Err(NotAnId),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

public_id!(ClientId, "vc_");
public_id!(SessionId, "");
public_id!(Subject, "");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for bytes in [[0; 16], [255; 16], *b"0123456789abcdef"] {
            let id = SessionId::from_bytes(bytes);
            assert_eq!(id.to_string().len(), 26);
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn a_client_is_never_taken_for_a_subject() {
        let id = ClientId::from_bytes([7; 16]).to_string();
        assert_eq!(id, format!("vc_{}", Subject::from_bytes([7; 16])));
        assert_eq!(id.parse(), Ok(ClientId::from_bytes([7; 16])));
        assert_eq!(id.parse::<Subject>(), Err(NotAnId));
        for other in [&id[3..], "vc_", "", "vestibule", &id.replace("vc_", "VC_"), &format!("{id} ")] {
            assert_eq!(other.parse::<ClientId>(), Err(NotAnId), "{other}");
        }
    }

    #[test]
    fn one_identifier_has_one_spelling() {
        let id = Subject::from_bytes([0xAB; 16]).to_string();
        assert_eq!(id.to_uppercase().parse::<Subject>(), Err(NotAnId));
        assert_eq!(format!("{id} ").parse::<Subject>(), Err(NotAnId));
        assert_eq!("".parse::<Subject>(), Err(NotAnId));
        // 26 characters carry 130 bits; the two spare ones must be zero.
        let mut odd = id[..25].to_owned();
        odd.push('v');
        assert_eq!(odd.parse::<Subject>(), Err(NotAnId));
    }
}
