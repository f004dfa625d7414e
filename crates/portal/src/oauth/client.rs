//! Who calls an OAuth endpoint: our own first party, which has no secret, or a client that proves who it is. In: a request's head and its
//! form. Out: the caller, or an error in the form of RFC 6749 section 5.2.
//!
//! A proof comes in one of two ways (RFC 6749 section 2.3.1, RFC 7523 section 2.2), never in two at once, and never as a secret in the form:
//! what stands in a body ends up in logs.

use std::sync::Arc;

use data_encoding::BASE64;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use vestibule_core::client::Client;
use vestibule_core::client_auth::{Known, Shown};
use vestibule_core::wire::form;

use super::Refusal;
use crate::form::Form;
use crate::{Portal, event};

/// The `client_id` of those who sign in here with a password: our own, which has no secret.
const FIRST_PARTY: &str = "vestibule";

/// RFC 7523 section 2.2.
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Who calls.
pub(crate) enum OAuthClient {
    /// A client that proved who it is.
    Client(Arc<Client>),
    /// Whoever holds what was issued to us.
    FirstParty,
}

/// The names that a client authenticates by in its form. Others than these are nobody's secret.
const MEMBERS: [&str; 4] = ["client_assertion", "client_assertion_type", "client_id", "client_secret"];

/// Finds out who calls.
pub(crate) async fn authenticate(
    portal: &Portal,
    parts: &Parts,
    form: &Form,
) -> Result<OAuthClient, Refusal> {
    let [assertion, assertion_type, named, secret] = MEMBERS.map(|name| form.field(name));
    if !secret.is_empty() {
        return Err(Refusal::invalid_client(
            "A secret is taken in the Authorization header (Basic), not in the form.",
        ));
    }
    let asserts = !assertion.is_empty() || !assertion_type.is_empty();
    let basic = match (basic(&parts.headers)?, asserts) {
        (Some(_), true) => {
            return Err(Refusal::invalid_request("A client proves who it is in one way, not in two."));
        }
        (basic, _) => basic,
    };
    let shown = match &basic {
        Some((client, _)) if !named.is_empty() && named != client => {
            return Err(Refusal::invalid_request("client_id is not the one in the Authorization header."));
        }
        Some((client, secret)) => Shown::Secret { client, secret },
        None if asserts && assertion_type != ASSERTION => {
            return Err(Refusal::invalid_client("This kind of client assertion is not taken."));
        }
        None if asserts => {
            Shown::Assertion { client: Some(named).filter(|named| !named.is_empty()), jwt: assertion }
        }
        None if ["", FIRST_PARTY].contains(&named) => return Ok(OAuthClient::FirstParty),
        None => return Err(Refusal::unknown_client()),
    };
    let source = portal.source(parts);
    match portal.client_auth.know(shown, source).await {
        Ok(Known::Client(client)) => {
            event::client_known();
            Ok(OAuthClient::Client(client))
        }
        Ok(Known::Refused(not_known)) => {
            event::client_refused(not_known, source);
            Err(Refusal::unknown_client())
        }
        Ok(Known::Throttled(wait)) => {
            event::client_throttled();
            Err(Refusal::too_many(wait))
        }
        Err(fault) => {
            event::client_fault();
            Err(Refusal::fault(portal, &fault))
        }
    }
}

/// Name and secret as RFC 6749 section 2.3.1 has them: each encoded as in a form, then both in Basic (RFC 7617).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Err(Refusal::invalid_request("There are two Authorization headers.")),
    };
    let read = || {
        let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = BASE64.decode(credentials.trim().as_bytes()).ok()?;
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        let (name, secret) = decoded.split_at_checked(colon)?;
        let text = |encoded: &[u8]| String::from_utf8(form::decode(encoded)?).ok();
        Some((text(name)?, text(secret.get(1..)?)?))
    };
    match read() {
        Some(both) => Ok(Some(both)),
        None => {
            Err(Refusal::invalid_client("The Authorization header is not Basic with a name and a secret."))
        }
    }
}
