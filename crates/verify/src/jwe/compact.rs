//! The compact serialisation of a JWE (RFC 7516 section 3.1), and its header.
//! In: the text somebody presented. Out: its five parts, decoded, the header judged, the lengths exact, nothing decrypted.
//! Every cap stands before any work that grows with the text.

use serde_json::{Map, Value};

use super::{ContentEncryption, KeyManagement, MAX_JWE_BYTES, curve::Point};
use crate::{
    jws::{bring_no_key, decode, header_members, take_text},
    key::KeyId,
    key_reject::KeyReject,
    reject::{MemberFault, Reject},
};

/// The most bytes that `apu` and `apv` each stand for.
const MAX_PARTY_BYTES: usize = 128;

/// A JWE taken apart.
pub(super) struct Jwe<'a> {
    pub(super) header: Header,
    /// The header as it was written, which the tag covers.
    pub(super) authenticated: &'a str,
    pub(super) encrypted_key: Vec<u8>,
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// All that a header may say.
pub(super) struct Header {
    pub(super) management: KeyManagement,
    pub(super) encryption: ContentEncryption,
    pub(super) key_id: Option<String>,
    pub(super) typ: Option<String>,
    pub(super) cty: Option<String>,
    pub(super) agreement: Option<Agreement>,
}

/// What the sender brings to agree on a key.
pub(super) struct Agreement {
    pub(super) epk: Point,
    pub(super) apu: Vec<u8>,
    pub(super) apv: Vec<u8>,
}

impl<'a> Jwe<'a> {
    pub(super) fn parse(jwe: &'a str) -> Result<Self, Reject> {
        let [header, encrypted_key, iv, ciphertext, tag] = split(jwe)?;
        let jwe = Self {
            header: Header::parse(header)?,
            authenticated: header,
            encrypted_key: decode(encrypted_key)?,
            iv: decode(iv)?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?,
        };
        jwe.judge_lengths()?;
        Ok(jwe)
    }

    /// Lengths that the algorithms leave no choice about; how long an RSA key is, the key knows.
    fn judge_lengths(&self) -> Result<(), Reject> {
        let encryption = self.header.encryption;
        let key_fits = match self.header.management {
            KeyManagement::Dir | KeyManagement::EcdhEs => self.encrypted_key.is_empty(),
            KeyManagement::A256Kw | KeyManagement::EcdhEsA256Kw => {
                self.encrypted_key.len() == encryption.key_length() + 8
            }
            KeyManagement::RsaOaep256 => !self.encrypted_key.is_empty(),
        };
        let content_fits = match encryption {
            ContentEncryption::A256CbcHs512 => {
                !self.ciphertext.is_empty() && self.ciphertext.len().is_multiple_of(16)
            }
            _ => true,
        };
        let iv_fits = self.iv.len() == encryption.iv_length();
        let tag_fits = self.tag.len() == encryption.tag_length();
        if key_fits && content_fits && iv_fits && tag_fits { Ok(()) } else { Err(Reject::Length) }
    }
}

/// The five segments, none of them decoded.
pub(super) fn split(jwe: &str) -> Result<[&str; 5], Reject> {
    if jwe.len() > MAX_JWE_BYTES {
        return Err(Reject::TooLarge);
    }
    let mut segments = jwe.split('.');
    let mut next = || segments.next();
    match ([next(), next(), next(), next(), next()], segments.count()) {
        ([Some(header), Some(key), Some(iv), Some(ciphertext), Some(tag)], 0) => {
            Ok([header, key, iv, ciphertext, tag])
        }
        ([Some(_), Some(_), Some(_), None, None], 0) => Err(Reject::NotEncrypted),
        _ => Err(Reject::Segments),
    }
}

impl Header {
    fn parse(segment: &str) -> Result<Self, Reject> {
        let mut members = header_members(segment)?;
        if members.contains_key("crit") {
            return Err(Reject::Critical);
        }
        if members.contains_key("zip") {
            return Err(Reject::Compressed);
        }
        bring_no_key(&members)?;
        let management = KeyManagement::parse(&take_text(&mut members, "alg")?);
        let encryption = ContentEncryption::parse(&take_text(&mut members, "enc")?);
        let (Some(management), Some(encryption)) = (management, encryption) else {
            return Err(Reject::AlgorithmUnsupported);
        };
        let key_id = take_name(&mut members, "kid")?;
        let (typ, cty) = (take_name(&mut members, "typ")?, take_name(&mut members, "cty")?);
        let agreement = if management.is_agreement() { Some(Agreement::take(&mut members)?) } else { None };
        // What is left over could change what the token means; an allow-list leaves nothing to guess.
        if !members.is_empty() {
            return Err(Reject::HeaderMember);
        }
        Ok(Self { management, encryption, key_id, typ, cty, agreement })
    }
}

impl Agreement {
    fn take(members: &mut Map<String, Value>) -> Result<Self, Reject> {
        let epk = match members.remove("epk") {
            Some(Value::Object(epk)) => epk,
            Some(_) => return Err(header_fault("epk", MemberFault::WrongType)),
            None => return Err(header_fault("epk", MemberFault::Missing)),
        };
        let wanted: &[&str] =
            if epk.contains_key("y") { &["kty", "crv", "x", "y"] } else { &["kty", "crv", "x"] };
        if epk.keys().any(|member| !wanted.contains(&member.as_str())) {
            return Err(Reject::HeaderMember);
        }
        let epk = Point::read(&epk).map_err(|reject| {
            header_fault(
                "epk",
                match reject {
                    KeyReject::Member { reason, .. } => reason,
                    _ => MemberFault::OutOfRange,
                },
            )
        })?;
        Ok(Self { epk, apu: take_party(members, "apu")?, apv: take_party(members, "apv")? })
    }
}

fn take_party(members: &mut Map<String, Value>, member: &'static str) -> Result<Vec<u8>, Reject> {
    if !members.contains_key(member) {
        return Ok(Vec::new());
    }
    let bytes = decode(&take_text(members, member)?)?;
    if bytes.len() > MAX_PARTY_BYTES {
        return Err(header_fault(member, MemberFault::OutOfRange));
    }
    Ok(bytes)
}

/// A text that is not there, or has 1 to 128 characters.
fn take_name(members: &mut Map<String, Value>, member: &'static str) -> Result<Option<String>, Reject> {
    if !members.contains_key(member) {
        return Ok(None);
    }
    let name = take_text(members, member)?;
    if name.is_empty() || name.len() > KeyId::MAX_CHARS {
        return Err(header_fault(member, MemberFault::OutOfRange));
    }
    Ok(Some(name))
}

fn header_fault(member: &'static str, reason: MemberFault) -> Reject {
    Reject::Header { member, reason }
}
