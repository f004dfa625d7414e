//! What a JWT says beside the standard claims. Verifiers and headers take only so much, so own claims are dropped where they would not
//! pass: those whose shape no verifier takes, and then the largest, until the rest fits. Standard claims and constants always stay.
//! In: the standard claims, an audience, an account. Out: a signed JWT, what goes beside it in headers, and word of what was dropped.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value};
use vestibule_verify::strict_json::Limits;

use super::audience::Copied;
use super::{Audience, ClaimSource, Minter};
use crate::account::Account;
use crate::fault::Fault;
use crate::key::SigningKey;
use crate::port::{DropLog, DroppedClaim};
use crate::time::Timestamp;
use crate::token::{Because, ClaimCopy, CopyName, HeaderEncoding};

#[cfg(test)]
mod tests;

/// The most bytes of a JWT, where nothing is configured: half of what verifiers take, and of what servers take as one header.
pub const LARGEST_JWT: usize = 4096;

/// How many bytes a JWT and the plain copies of its claims on one route may take beyond the largest JWT, header names and line ends
/// included. A proxy's buffers need room for `tokens.largest_jwt`, this, and half a kilobyte.
pub const LARGEST_COPIES: usize = 2048;

/// How much a JWT may say.
pub(super) struct Budget {
    /// The most bytes of a signed JWT.
    pub(super) largest: usize,
    /// Who is told of what did not fit.
    pub(super) log: Option<Arc<dyn DropLog>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { largest: LARGEST_JWT, log: None }
    }
}

/// A JWT, and what is known of it.
pub(super) struct Signed {
    pub(super) jwt: String,
    /// The stamp of the ring that signed it.
    pub(super) ring: u32,
    /// For each of the audience's own claims what goes beside it in headers.
    pub(super) copies: Vec<ClaimCopy>,
}

impl Minter {
    /// Tells the audience's own claims beside the standard ones, as far as they fit, and signs. Without an account there are only
    /// constants to tell.
    ///
    /// The ring is looked at here, after all waiting, so that what is signed and what it is kept under belong together.
    pub(super) fn signed(
        &self,
        mut claims: Value,
        audience: &Audience,
        account: Option<&Account>,
        now: Timestamp,
    ) -> Result<Signed, Fault> {
        let ring = self.ring.load();
        let signer = ring.signer(audience.purpose, now)?;
        let Value::Object(members) = &mut claims else {
            return Err(Fault::Bug("the standard claims are no object"));
        };
        let room = self.room_for_claims(audience, signer);
        let Told { copies, dropped, not_copied } = tell(members, audience, account, room);
        if let (false, Some(log)) = (not_copied.is_empty(), &self.budget.log) {
            log.not_copied(&audience.name, &not_copied);
        }
        if !dropped.is_empty() {
            self.counters.dropped.fetch_add(dropped.len() as u64, Ordering::Relaxed);
            let subject = members.get("sub").and_then(Value::as_str).unwrap_or_default();
            self.budget.log.iter().for_each(|log| log.dropped(subject, &audience.name, &dropped));
        }
        let mut jwt = signer.sign_jwt(&claims)?;
        if let Some(key) = audience.encryption() {
            jwt = key.encrypt(&jwt, &*self.entropy)?;
        }
        self.counters.signed.fetch_add(1, Ordering::Relaxed);
        Ok(Signed { jwt, ring: ring.stamp(), copies })
    }

    /// How many bytes of JSON the claims of a JWT for this audience may take, as a function of the bytes that its plain copies take. What
    /// is limited is what the service's server reads, which is the encrypted form.
    pub(super) fn room_for_claims(
        &self,
        audience: &Audience,
        signer: &SigningKey,
    ) -> impl Fn(usize) -> usize {
        let largest = self.budget.largest;
        move |copies| {
            let jwt = (largest + LARGEST_COPIES).saturating_sub(copies).min(largest);
            let signed = audience.encryption().map_or(jwt, |key| key.room_for_jwt(jwt));
            signer.room_for_claims(signed)
        }
    }
}

/// What became of an audience's claims.
pub(super) struct Told<'a> {
    /// As many as the audience has copies.
    pub(super) copies: Vec<ClaimCopy>,
    pub(super) dropped: Vec<DroppedClaim>,
    /// Claims that some route copies into a plain header, which cannot say them.
    pub(super) not_copied: Vec<&'a str>,
}

/// A claim that might be told.
struct Candidate<'a> {
    name: &'a str,
    value: Option<Value>,
    is_constant: bool,
    /// How many bytes of JSON it takes in the claims, its comma included.
    bytes: usize,
    /// How many bytes all its copies on one route take.
    copied: usize,
    dropped: Option<Because>,
}

impl Candidate<'_> {
    fn may_be_dropped(&self) -> bool {
        self.dropped.is_none() && self.value.is_some() && !self.is_constant
    }
}

/// Adds what fits to the standard claims; answers the copies, and what was dropped. `room` says how many bytes of JSON there may be beside
/// a number of bytes of plain copies.
pub(super) fn tell<'a>(
    members: &mut Map<String, Value>,
    audience: &'a Audience,
    account: Option<&Account>,
    room: impl Fn(usize) -> usize,
) -> Told<'a> {
    let mut candidates: Vec<Candidate<'_>> = audience
        .sources()
        .map(|(name, source)| {
            let (value, is_constant) = (source.value(account), matches!(source, ClaimSource::Constant(_)));
            // The names are such that JSON writes them as they are: `,"name":value`.
            let bytes = value.as_ref().map_or(0, |value| name.len() + 4 + value.to_string().len());
            let has_shape = is_constant || value.as_ref().is_none_or(|it| has_shape(it, DEEPEST));
            let dropped = (!has_shape).then_some(Because::Shape);
            Candidate { name, value, is_constant, bytes, copied: 0, dropped }
        })
        .collect();
    let text_of = |name: &CopyName| {
        let candidate = candidates.iter().find(|it| it.name == name.claim)?;
        header_text(candidate.value.as_ref()?, name.encoding)
    };
    let mut texts: Vec<Option<String>> = audience.copies.iter().map(text_of).collect();
    let length_of = |copied: &Copied| texts.get(copied.copy).and_then(Option::as_ref).map_or(0, String::len);
    for (at, candidate) in candidates.iter_mut().enumerate() {
        candidate.copied = audience.copied_bytes_of(at, length_of);
    }
    let told = candidates.iter().filter(|it| it.dropped.is_none());
    let mut bytes = told.map(|it| it.bytes).sum::<usize>() + text_length(members);
    let copies = |candidates: &[Candidate<'_>]| {
        let is_told = |at: usize| candidates.get(at).is_some_and(|it| it.dropped.is_none());
        audience.copied_bytes(|it| if is_told(it.claim) { length_of(it) } else { 0 })
    };
    while bytes > room(copies(&candidates)) {
        let droppable = candidates.iter_mut().filter(|it| it.may_be_dropped());
        // Of two that are equally large the one that is named last, so that every node drops the same.
        let Some(largest) = droppable.max_by_key(|it| it.bytes + it.copied) else { break };
        largest.dropped = Some(Because::Size);
        bytes -= largest.bytes;
    }
    let (mut copies, mut not_copied) = (Vec::with_capacity(texts.len()), Vec::new());
    for (at, (name, text)) in audience.copies.iter().zip(texts.drain(..)).enumerate() {
        let candidate = candidates.iter().find(|it| it.name == name.claim);
        let because = candidate.and_then(|it| it.dropped);
        let says = candidate.is_some_and(|it| it.value.as_ref().is_some_and(|value| !value.is_null()));
        copies.push(match (because, text) {
            // Said once for each claim, and not for each of its copies.
            (Some(because), _) if name.encoding == HeaderEncoding::Drop => ClaimCopy::Dropped(because),
            (Some(_), _) => ClaimCopy::Absent,
            (None, Some(text)) => ClaimCopy::Text(text),
            (None, None) => {
                if says && audience.is_copied(at) {
                    not_copied.push(name.claim.as_str());
                }
                ClaimCopy::Absent
            }
        });
    }
    let mut dropped = Vec::new();
    for Candidate { name, value, bytes, dropped: because, .. } in candidates {
        match (because, value) {
            (Some(because), _) => dropped.push(DroppedClaim { claim: name.to_owned(), bytes, because }),
            (None, None) => {}
            (None, Some(value)) => drop(members.insert(name.to_owned(), value)),
        }
    }
    Told { copies, dropped, not_copied }
}

/// How deep a claim may be where the claims set is one level itself.
pub(super) const DEEPEST: usize = Limits::JOSE.depth - 1;

/// Whether every verifier takes it: traits may be deeper and wider than what a stranger's JSON is read with.
pub(super) fn has_shape(value: &Value, levels: usize) -> bool {
    let inside = |value: &Value| levels.checked_sub(1).is_some_and(|levels| has_shape(value, levels));
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(inside),
        Value::Object(members) => {
            levels > 0 && members.len() <= Limits::JOSE.members && members.values().all(inside)
        }
        _ => true,
    }
}

/// How many bytes of JSON these members take.
fn text_length(members: &Map<String, Value>) -> usize {
    // Braces, and between members a comma.
    let texts = members
        .iter()
        .map(|(name, value)| Value::from(name.as_str()).to_string().len() + 1 + value.to_string().len());
    texts.map(|length| length + 1).sum::<usize>().max(1) + 1
}

/// A claim as a plain header: scalars as their text, anything else as JSON; nothing when it cannot be a header value.
pub(super) fn header_text(claim: &Value, encoding: HeaderEncoding) -> Option<String> {
    let text = match claim {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    match encoding {
        HeaderEncoding::Percent => Some(percent_encoded(&text)),
        // Receivers take outer spaces off (RFC 9110 section 5.5).
        _ if text.trim() != text => None,
        // Only visible ASCII and space: bytes beyond that are read differently by different servers.
        HeaderEncoding::Drop => text.bytes().all(is_visible).then_some(text),
        HeaderEncoding::Utf8 => (!text.contains(char::is_control)).then_some(text),
    }
}

/// Escapes all but visible ASCII; and `+`, which some decoders take for a space.
fn percent_encoded(text: &str) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase();
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' && byte != b'+' {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}
