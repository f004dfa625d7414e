//! What an issuer says of itself (RFC 8414). In: the text, and who should have written it. Out: where its keys are.

use serde_json::Value;

use super::fault::DiscoveryFault;
use super::location::Location;
use crate::strict_json::{self, Limits};

/// The longest metadata that is looked at.
pub(super) const MAX_METADATA_BYTES: usize = 64 * 1024;

/// Where the keys are, if the metadata is of exactly this issuer (RFC 8414 section 3.3).
pub(super) fn key_set_of(issuer: &str, text: &[u8], from: &Location) -> Result<Location, DiscoveryFault> {
    let refused = |what| DiscoveryFault::Metadata { url: from.text(), what };
    let limits = Limits { bytes: MAX_METADATA_BYTES, ..Limits::JOSE };
    let metadata = strict_json::parse_object(text, limits).map_err(|_| refused("it is not strict JSON"))?;
    match metadata.get("issuer").and_then(Value::as_str) {
        None => return Err(refused("it names no issuer")),
        Some(found) if found != issuer => return Err(DiscoveryFault::IssuerMismatch { url: from.text() }),
        Some(_) => {}
    }
    let keys = metadata.get("jwks_uri").and_then(Value::as_str).ok_or(refused("it names no jwks_uri"))?;
    let keys = Location::parse(keys)?;
    if from.is_https() && !keys.is_https() {
        return Err(refused("its keys would come without TLS"));
    }
    Ok(keys)
}
