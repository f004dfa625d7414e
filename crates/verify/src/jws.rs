//! The compact serialisation of a JWS (RFC 7515 §3.1), and its header.
//! In: the text somebody presented. Out: its three parts, decoded, the header judged, nothing verified.
//! Every cap stands before any work that grows with the text.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::{
    algorithm::Algorithm,
    key::KeyId,
    reject::{MemberFault, Reject},
    strict_json::{self, JsonReject, Limits},
};

/// The longest text that is looked at.
pub const MAX_JWT_BYTES: usize = 8 * 1024;
/// The longest header, decoded, that is looked at.
pub const MAX_HEADER_BYTES: usize = 2 * 1024;

/// Members that bring a key or say where to fetch one. A key comes from the set or from nowhere.
const KEY_MEMBERS: [&str; 6] = ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"];

/// A JWS taken apart.
pub(crate) struct Jws<'a> {
    pub(crate) header: Arc<Header>,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) signing_input: &'a [u8],
}

/// The header members that decide anything.
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: String,
    pub(crate) typ: String,
    segment: String,
}

/// The last header that was under a good signature. An issuer writes the same one on token after
/// token, so reading it once is enough: equal text, equal meaning.
#[derive(Default)]
pub(crate) struct LastHeader(ArcSwapOption<Header>);

impl<'a> Jws<'a> {
    pub(crate) fn parse(jwt: &'a str, last: &LastHeader) -> Result<Self, Reject> {
        let [header, payload, signature] = split(jwt)?;
        let signing_input = jwt.as_bytes().get(..header.len() + 1 + payload.len()).ok_or(Reject::Segments)?;
        Ok(Self {
            header: last.read(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
            signing_input,
        })
    }
}

impl LastHeader {
    pub(crate) fn remember(&self, header: &Arc<Header>) {
        if self.0.load().as_ref().is_none_or(|last| !Arc::ptr_eq(last, header)) {
            self.0.store(Some(Arc::clone(header)));
        }
    }

    fn read(&self, segment: &str) -> Result<Arc<Header>, Reject> {
        match &*self.0.load() {
            Some(last) if last.segment == segment => Ok(Arc::clone(last)),
            _ => Ok(Arc::new(Header::parse(segment)?)),
        }
    }
}

impl Header {
    /// Refuses what would change the meaning of the token; ignores what is merely unknown (RFC 7515 §4).
    fn parse(segment: &str) -> Result<Self, Reject> {
        let mut members = plain_members(segment)?;
        let algorithm = algorithm(&mut members)?;
        let typ = take_text(&mut members, "typ")?;
        let key_id = take_text(&mut members, "kid")?;
        if key_id.is_empty() || key_id.len() > KeyId::MAX_CHARS {
            return Err(Reject::Header { member: "kid", reason: MemberFault::OutOfRange });
        }
        Ok(Self { algorithm, key_id, typ, segment: segment.to_owned() })
    }
}

/// The members of a header that has none which would change the meaning of the token.
pub(crate) fn plain_members(segment: &str) -> Result<Map<String, Value>, Reject> {
    let members = header_members(segment)?;
    if members.contains_key("crit") {
        return Err(Reject::Critical);
    }
    if members.contains_key("b64") {
        return Err(Reject::UnencodedPayload);
    }
    if members.contains_key("zip") {
        return Err(Reject::Compressed);
    }
    if members.contains_key("enc") {
        return Err(Reject::Encrypted);
    }
    bring_no_key(&members)?;
    Ok(members)
}

/// A key comes from the set or from nowhere.
pub(crate) fn bring_no_key(members: &Map<String, Value>) -> Result<(), Reject> {
    if KEY_MEMBERS.iter().any(|member| members.contains_key(*member)) {
        return Err(Reject::KeyInHeader);
    }
    Ok(())
}

/// The algorithm that a header names.
pub(crate) fn algorithm(members: &mut Map<String, Value>) -> Result<Algorithm, Reject> {
    Algorithm::parse(&take_text(members, "alg")?).ok_or(Reject::AlgorithmUnsupported)
}

/// The three segments, none of them decoded.
pub(crate) fn split(jwt: &str) -> Result<[&str; 3], Reject> {
    if jwt.len() > MAX_JWT_BYTES {
        return Err(Reject::TooLarge);
    }
    let mut segments = jwt.split('.');
    let parts = [segments.next(), segments.next(), segments.next()];
    match (parts, segments.count()) {
        ([Some(header), Some(payload), Some(signature)], 0) => Ok([header, payload, signature]),
        (_, 2) => Err(Reject::Encrypted),
        _ => Err(Reject::Segments),
    }
}

/// The header's members as strict JSON, not yet judged.
pub(crate) fn header_members(segment: &str) -> Result<Map<String, Value>, Reject> {
    // Judged on the encoded length, so that nothing is decoded that would only be thrown away.
    if segment.len() > MAX_HEADER_BYTES.div_ceil(3) * 4 {
        return Err(Reject::HeaderTooLarge);
    }
    let limits = Limits { bytes: MAX_HEADER_BYTES, ..Limits::JOSE };
    match strict_json::parse_object(&decode(segment)?, limits) {
        Ok(members) => Ok(members),
        Err(JsonReject::TooLarge) => Err(Reject::HeaderTooLarge),
        Err(reject) => Err(Reject::HeaderJson(reject)),
    }
}

/// Canonical base64url without padding: trailing bits are zero, so every byte string has one text.
pub(crate) fn decode(segment: &str) -> Result<Vec<u8>, Reject> {
    BASE64URL_NOPAD.decode(segment.as_bytes()).map_err(|_| Reject::Encoding)
}

pub(crate) fn take_text(members: &mut Map<String, Value>, member: &'static str) -> Result<String, Reject> {
    match members.remove(member) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Reject::Header { member, reason: MemberFault::WrongType }),
        None => Err(Reject::Header { member, reason: MemberFault::Missing }),
    }
}

#[cfg(test)]
mod tests;
