//! The signature algorithms this crate checks.
//! In: the `alg` text of a header or of a JWK. Out: one of five values, or nothing.
//! There is no `none`, and no way to add one.

use std::fmt;

/// A JWS signature algorithm (RFC 7518 §3.1, RFC 8037, RFC 9864). A key has exactly one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519, under its older polymorphic name `EdDSA` or its RFC 9864 name `Ed25519`.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// HMAC with SHA-256: only where issuer and verifier are one.
    Hs256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// Reads a JOSE name, byte for byte. `None` for every other text, `none` in all its spellings included.
    ///
    /// `EdDSA` and `Ed25519` are two registered names of one operation when the curve is Ed25519
    /// (RFC 9864 §2.2), the only Edwards curve here, so both read as [`Algorithm::EdDsa`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "HS256" => Some(Self::Hs256),
            "PS256" => Some(Self::Ps256),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    /// The JOSE name, as written into headers and JWKs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    /// Whether the key that verifies can also sign.
    #[must_use]
    pub fn is_symmetric(self) -> bool {
        self == Self::Hs256
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Algorithm;

    #[test]
    fn every_name_reads_back_as_itself() {
        for algorithm in
            [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256, Algorithm::Ps256, Algorithm::Rs256]
        {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
        }
    }

    #[test]
    fn names_are_compared_byte_for_byte() {
        for name in [
            "", "none", "None", "NONE", "nOnE", "none ", " ES256", "es256", "ES256\0", "ЕS256", "ES384",
            "HS512", "ED25519", "Ed448", "RSA1_5",
        ] {
            assert_eq!(Algorithm::parse(name), None, "{name:?}");
        }
    }
}
