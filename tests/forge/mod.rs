//! Makes hostile tokens: everything an attacker sends, and everything a careless issuer signs.
//! In: a signing key and the claims of a valid token. Out: the valid token, and named tokens that every door must refuse.
//! It stands alone (aws-lc-rs, data-encoding, serde_json), so that any test may include it with `#[path]`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod algorithm;
mod claims;
mod header;
pub(crate) mod sealer;
mod shape;
mod signer;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

pub(crate) use signer::{Signer, hs256};

/// A token that must be refused.
pub(crate) struct Hostile {
    /// What was done to it.
    pub(crate) name: String,
    /// Its text.
    pub(crate) jwt: String,
    /// The `Reject::code` it earns. Towards the outside all refusals look the same.
    pub(crate) code: &'static str,
}

/// Where hostile tokens come from: one valid token, and the key to sign variants of it.
pub(crate) struct Forge {
    /// The issuer's key.
    pub(crate) signer: Signer,
    /// The `kid` the verifier knows it by.
    pub(crate) key_id: String,
    /// The kind of token the verifier asks for.
    pub(crate) typ: String,
    /// The claims of the valid token: `iss`, `sub`, `aud`, `exp` at least.
    pub(crate) claims: Map<String, Value>,
    /// The present, in Unix seconds.
    pub(crate) now: u64,
}

impl Forge {
    /// The valid token itself. A door that refuses this one proves nothing by refusing the others.
    pub(crate) fn control(&self) -> String {
        self.sign(&self.header(), &self.claims)
    }

    /// Every hostile token.
    pub(crate) fn all(&self) -> Vec<Hostile> {
        let mut list = self.by_an_attacker();
        list.extend(claims::by_a_careless_issuer(self));
        list
    }

    /// What can be made without the issuer's key, from one valid token and the published public key.
    /// (Tokens whose header lies are signed all the same, so that only the header can give them away.)
    pub(crate) fn by_an_attacker(&self) -> Vec<Hostile> {
        let mut list = algorithm::tokens(self);
        list.extend(header::tokens(self));
        list.extend(shape::tokens(self));
        list
    }

    /// The header of the valid token.
    pub(crate) fn header(&self) -> Map<String, Value> {
        object(json!({"alg": self.signer.algorithm(), "kid": self.key_id, "typ": self.typ}))
    }

    /// Signs any header over any claims.
    pub(crate) fn sign(&self, header: &Map<String, Value>, claims: &Map<String, Value>) -> String {
        self.sign_text(text(header), text(claims))
    }

    /// Signs any header text over any payload, JSON or not.
    pub(crate) fn sign_text(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let input = signing_input(header, payload);
        let signature = self.signer.sign(input.as_bytes());
        format!("{input}.{}", base64(signature))
    }

    /// The valid header with one member changed or added.
    fn header_with(&self, member: &str, value: Value) -> Map<String, Value> {
        let mut header = self.header();
        header.insert(member.to_owned(), value);
        header
    }

    /// The valid claims with one claim changed or added.
    fn claims_with(&self, claim: &str, value: Value) -> Map<String, Value> {
        let mut claims = self.claims.clone();
        claims.insert(claim.to_owned(), value);
        claims
    }
}

fn hostile(name: impl Into<String>, jwt: impl Into<String>, code: &'static str) -> Hostile {
    Hostile { name: name.into(), jwt: jwt.into(), code }
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn signing_input(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    format!("{}.{}", base64(header), base64(payload))
}

fn text(members: &Map<String, Value>) -> String {
    serde_json::to_string(members).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => panic!("not an object: {other}"),
    }
}
