//! The curves on which keys are agreed, and their points.
//! In: the coordinates of a JWK. Out: a point that was looked at, in the form in which cryptographic libraries take it.

use aws_lc_rs::agreement::{self, ParsedPublicKey, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use crate::{jwk, key_reject::KeyReject};

/// A curve on which keys are agreed (RFC 7518 section 6.2.1.1, RFC 8037).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// Curve25519.
    X25519,
}

/// The u coordinates of all points of Curve25519 whose order is small, in canonical form: with them the result of an agreement is zero.
const X25519_SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda,
        0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04,
        0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
];

impl Curve {
    /// Reads the name that JWKs have for it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521, Self::X25519].into_iter().find(|curve| curve.name() == name)
    }

    /// The curve of a JWK of this type.
    pub(super) fn parse(kty: &str, crv: &str) -> Option<Self> {
        Self::named(crv).filter(|curve| curve.kty() == kty)
    }

    /// The name that JWKs have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::X25519 => "X25519",
        }
    }

    /// Length of a coordinate, and of a private key, in bytes.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::P256 | Self::X25519 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(super) fn agreement(self) -> &'static agreement::Algorithm {
        match self {
            Self::P256 => &agreement::ECDH_P256,
            Self::P384 => &agreement::ECDH_P384,
            Self::P521 => &agreement::ECDH_P521,
            Self::X25519 => &agreement::X25519,
        }
    }

    /// The `kty` of its JWKs.
    fn kty(self) -> &'static str {
        if self == Self::X25519 { "OKP" } else { "EC" }
    }

    /// The members of a JWK with this point.
    #[must_use]
    pub fn to_jwk(self, point: &[u8]) -> Value {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let (kty, crv) = (self.kty(), self.name());
        if self == Self::X25519 {
            return json!({ "kty": kty, "crv": crv, "x": text(point) });
        }
        let (x, y) = point.get(1..).unwrap_or_default().split_at(self.length().min(point.len() / 2));
        json!({ "kty": kty, "crv": crv, "x": text(x), "y": text(y) })
    }
}

/// A curve and a point on it that no rule speaks against. NIST's points are uncompressed: `04`, x, y.
pub(super) struct Point {
    pub(super) curve: Curve,
    pub(super) bytes: Vec<u8>,
}

impl Point {
    /// The public half of a JWK. Whether the point is on its curve is found out by [`Self::check`], or when a key is agreed with it.
    pub(super) fn read(members: &Map<String, Value>) -> Result<Self, KeyReject> {
        let (kty, crv) = (jwk::required(members, "kty")?, jwk::required(members, "crv")?);
        let curve = Curve::parse(kty, crv).ok_or(KeyReject::CurveUnsupported)?;
        let x = coordinate(members, "x", curve)?;
        if curve != Curve::X25519 {
            let mut bytes = Vec::with_capacity(1 + 2 * curve.length());
            bytes.push(4);
            bytes.extend(x);
            bytes.extend(coordinate(members, "y", curve)?);
            return Ok(Self { curve, bytes });
        }
        if !is_canonical(&x) {
            return Err(KeyReject::Encoding("x"));
        }
        if X25519_SMALL_ORDER.iter().any(|small| x == small) {
            return Err(KeyReject::SmallOrder);
        }
        Ok(Self { curve, bytes: x })
    }

    pub(super) fn check(&self) -> Result<(), KeyReject> {
        let unparsed = UnparsedPublicKey::new(self.curve.agreement(), &self.bytes);
        ParsedPublicKey::try_from(unparsed).map(drop).map_err(|_| KeyReject::NotOnCurve)
    }
}

/// Of full length, leading zeros included (RFC 7518 section 6.2.1.2).
pub(super) fn coordinate(
    members: &Map<String, Value>,
    member: &'static str,
    curve: Curve,
) -> Result<Vec<u8>, KeyReject> {
    let bytes = jwk::bytes(members, member)?;
    if bytes.len() == curve.length() { Ok(bytes) } else { Err(KeyReject::Length(member)) }
}

/// Below 2^255 - 19, in little endian: of the many texts of one point the one that honest senders write.
fn is_canonical(u: &[u8]) -> bool {
    let prime = || std::iter::once(0x7f).chain(std::iter::repeat_n(0xff, 30)).chain([0xed]);
    u.iter().rev().copied().lt(prime())
}
