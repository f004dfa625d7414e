//! `POST /auth/oauth/revoke` (RFC 7009): whoever has a token can end the session that it is of, and with it all its tokens. In: a form.
//! Out: 200, whether or not there was anything to end.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use super::client::Caller;
use super::{Refusal, answer, read};
use crate::{Portal, event};

/// Where it is.
pub(crate) const PATH: &str = "/auth/oauth/revoke";

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (caller, form) = read(&portal, &parts, body).await?;
    let presented = form.field("token");
    if presented.is_empty() {
        return Err(Refusal::invalid_request("token is missing."));
    }
    if let Caller::Client(_) = caller {
        // What a client is issued are JWTs. Nothing else is its own, so nothing happens to it (RFC 7009 section 2.1).
        let is_jwt = presented.split('.').count() > 2;
        return if is_jwt {
            Err(Refusal::unsupported_token_type())
        } else {
            Ok(answer(StatusCode::OK, json!({})))
        };
    }
    // `token_type_hint` is a hint for those who would have to search (RFC 7009 section 2.1): our tokens tell what they are.
    let digest = match portal.granter.session_of(presented) {
        Some(digest) => digest,
        None => match portal.decider.session_of(presented) {
            Ok(digest) => digest,
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
