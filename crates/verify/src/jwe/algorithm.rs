//! What encrypted tokens are made with, as far as this crate takes them (RFC 7518 sections 4 and 5, RFC 8037).
//! In: the names that headers and JWKs have for it. Out: one of a few values with their lengths, or nothing.
//! There is no RSA1_5, no password-based key, no compression, and no way to add them.

use std::fmt;

/// How a token's content key reaches its recipient: the `alg` of a JWE. A key has exactly one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum KeyManagement {
    /// AES key wrap with a shared key of 256 bits.
    A256Kw,
    /// The shared key is the content key.
    Dir,
    /// The key that sender and recipient agree on is the content key.
    EcdhEs,
    /// The key that they agree on wraps the content key.
    EcdhEsA256Kw,
    /// RSAES-OAEP with SHA-256 and MGF1 with SHA-256.
    RsaOaep256,
}

impl KeyManagement {
    /// Reads a JOSE name, byte for byte; `None` for every other text.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "A256KW" => Some(Self::A256Kw),
            "dir" => Some(Self::Dir),
            "ECDH-ES" => Some(Self::EcdhEs),
            "ECDH-ES+A256KW" => Some(Self::EcdhEsA256Kw),
            "RSA-OAEP-256" => Some(Self::RsaOaep256),
            _ => None,
        }
    }

    /// The JOSE name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A256Kw => "A256KW",
            Self::Dir => "dir",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
            Self::RsaOaep256 => "RSA-OAEP-256",
        }
    }

    /// Whether sender and recipient agree on a key, for which the sender makes one of its own.
    #[must_use]
    pub fn is_agreement(self) -> bool {
        matches!(self, Self::EcdhEs | Self::EcdhEsA256Kw)
    }

    /// Whether whoever can decrypt can also encrypt.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        matches!(self, Self::A256Kw | Self::Dir)
    }
}

impl fmt::Display for KeyManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the content is encrypted: the `enc` of a JWE.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ContentEncryption {
    /// AES-128 in Galois/counter mode.
    A128Gcm,
    /// AES-256 in Galois/counter mode.
    A256Gcm,
    /// AES-256 in CBC mode with HMAC-SHA-512 over all of it.
    A256CbcHs512,
}

impl ContentEncryption {
    /// All that there are.
    pub const ALL: [Self; 3] = [Self::A128Gcm, Self::A256Gcm, Self::A256CbcHs512];

    /// Reads a JOSE name, byte for byte; `None` for every other text.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encryption| encryption.name() == name)
    }

    /// The JOSE name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
            Self::A256CbcHs512 => "A256CBC-HS512",
        }
    }

    /// Length of the content key in bytes.
    #[must_use]
    pub fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
            Self::A256CbcHs512 => 64,
        }
    }

    /// Length of the initialization vector in bytes.
    #[must_use]
    pub fn iv_length(self) -> usize {
        match self {
            Self::A128Gcm | Self::A256Gcm => 12,
            Self::A256CbcHs512 => 16,
        }
    }

    /// Length of the authentication tag in bytes.
    #[must_use]
    pub fn tag_length(self) -> usize {
        match self {
            Self::A128Gcm | Self::A256Gcm => 16,
            Self::A256CbcHs512 => 32,
        }
    }
}

impl fmt::Display for ContentEncryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
