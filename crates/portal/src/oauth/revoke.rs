//! `POST /oauth/revoke` (RFC 7009): whoever has a token can end the session that it is of, and with it all its tokens. In: a form.
//! Out: 200, whether or not there was anything to end; or an error for a token of a kind that is not revoked here.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use vestibule_core::session::SessionToken;

use super::client::OAuthClient;
use super::{Refusal, answer, read};
use crate::address::{API_LOGOUT, LOGOUT};
use crate::{Portal, event};

/// Where it is, below the prefix.
pub(crate) const PATH: &str = "/oauth/revoke";

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (caller, form) = read(&portal, &parts, body).await?;
    let presented = form.field("token");
    if presented.is_empty() {
        return Err(Refusal::invalid_request("token is missing."));
    }
    if is_session_token(presented) {
        return Err(Refusal::unsupported_token_type(session(&portal)));
    }
    if let OAuthClient::Client(_) = caller {
        // What a client is issued are JWTs. Nothing else is its own, so nothing happens to it, and it is told so (RFC 7009 section 2.1).
        return match is_jwt(presented) {
            true => Err(Refusal::unsupported_token_type(JWT)),
            false if portal.granter.session_of(presented).is_some() => Err(Refusal::not_issued_to_client()),
            false => Ok(answer(StatusCode::OK, json!({}))),
        };
    }
    // `token_type_hint` is a hint for those who would have to search (RFC 7009 section 2.1): our tokens tell what they are.
    let digest = match portal.granter.session_of(presented) {
        Some(digest) => digest,
        None => match portal.decider.session_of(presented) {
            Ok(digest) => digest,
            Err(_) if is_for_a_service(presented, portal.minter.issuer()) => {
                return Err(Refusal::unsupported_token_type(JWT));
            }
            // Not ours, or expired: there is nothing that it could still do (RFC 7009 section 2.2).
            Err(_) => return Ok(answer(StatusCode::OK, json!({}))),
        },
    };
    match portal.granter.end(digest).await {
        Ok(ended) => {
            event::tokens_revoked(&ended, portal.source(&parts));
            Ok(answer(StatusCode::OK, json!({})))
        }
        Err(fault) => Err(Refusal::fault(&portal, &fault)),
    }
}

const JWT: &str = "A JWT is not revoked by itself: it ends within minutes, and before that with the session or the client that it is of.";

fn session(portal: &Portal) -> String {
    let [page, api] = [LOGOUT, API_LOGOUT].map(|address| portal.to(address));
    format!("A session token is not revoked here: its holder signs out, at {page} or POST {api}.")
}

/// By its form alone, so that nothing is told of what is behind it.
fn is_session_token(presented: &str) -> bool {
    SessionToken::looks_like_bearer(presented)
        || SessionToken::from_cookie_value(presented.as_bytes()).is_ok()
}

/// Signed, or encrypted.
fn is_jwt(presented: &str) -> bool {
    presented.split('.').count() > 2
}

/// Whether it says that it is meant for somebody else than our own doors, or does not let itself be read, as one that is encrypted to a
/// service. What it says is not verified: the answer tells the holder nothing that it could not read itself.
fn is_for_a_service(presented: &str, issuer: &str) -> bool {
    let audience = || vestibule_core::verify::inspect(presented, 0).ok()?.claims?.remove("aud");
    match presented.split('.').count() {
        3 => audience().is_some_and(|audience| audience != *issuer),
        count => count == 5,
    }
}
