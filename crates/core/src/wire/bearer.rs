//! The `Authorization` header: `Bearer` and one credential (RFC 6750 section 2.1), once. What it holds is told apart by form:
//! a session token has its own prefix, a JWT has dots.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::Credential;
use crate::reject::Reject;
use crate::session::SessionToken;

/// The credential in the `Authorization` header; `None` when there is no such header.
pub fn credential(headers: &HeaderMap) -> Result<Option<Credential<'_>>, Reject> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Err(Reject::TwoCredentials),
    };
    let text = value.to_str().map_err(|_| Reject::MalformedCredential)?;
    let (scheme, credential) = text.split_once(' ').ok_or(Reject::MalformedCredential)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Reject::UnknownScheme);
    }
    if !is_token(credential.as_bytes()) {
        return Err(Reject::MalformedCredential);
    }
    if SessionToken::looks_like_bearer(credential) {
        return SessionToken::from_bearer(credential).map(|token| Some(Credential::Reference(token)));
    }
    if credential.contains('.') {
        Ok(Some(Credential::Value(credential)))
    } else {
        Err(Reject::MalformedCredential)
    }
}

/// An access token as the value of a cookie.
pub(super) fn access_token(value: &[u8]) -> Result<Credential<'_>, Reject> {
    match std::str::from_utf8(value) {
        Ok(jwt) if is_token(value) && jwt.contains('.') => Ok(Credential::Value(jwt)),
        _ => Err(Reject::MalformedCredential),
    }
}

/// The b64token of RFC 6750; anything else, a comma-joined second credential included, is not ours.
fn is_token(text: &[u8]) -> bool {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    !text.is_empty() && text.iter().all(good)
}
