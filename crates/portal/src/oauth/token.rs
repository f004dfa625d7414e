//! `POST /oauth/token` (RFC 6749 section 3.2): a refresh token for an access token and the next refresh token, or a client's proof for
//! a JWT, its own or on behalf of a subject. No cookie counts here, so no other site can make a browser do anything by it. In: a form. Out: tokens, or an error.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use serde_json::json;
use vestibule_core::grant::{Refreshed, Tokens};

use super::client::OAuthClient;
use super::{Refusal, answer, exchange, read};
use crate::form::Form;
use crate::{Portal, event};

/// Where it is, below the prefix.
pub(crate) const PATH: &str = "/oauth/token";

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (caller, form) = read(&portal, &parts, body).await?;
    match (form.field("grant_type"), caller) {
        ("", _) => Err(Refusal::invalid_request("grant_type is missing.")),
        ("client_credentials", OAuthClient::Client(client)) => portal.client_credentials(&client, &form),
        ("client_credentials", OAuthClient::FirstParty) => {
            Err(Refusal::invalid_client("This grant is for clients that prove who they are."))
        }
        (exchange::GRANT, OAuthClient::Client(client)) => portal.exchange(&client, &form).await,
        (exchange::GRANT, OAuthClient::FirstParty) => {
            Err(Refusal::invalid_client("This grant is for clients that prove who they are."))
        }
        ("refresh_token", OAuthClient::FirstParty) => portal.refresh(&form, &parts).await,
        ("refresh_token", OAuthClient::Client(_)) => {
            Err(Refusal::unauthorized_client("Refresh tokens are issued to nobody but who signs in."))
        }
        _ => Err(Refusal::unsupported_grant_type()),
    }
}

impl Portal {
    async fn refresh(&self, form: &Form, parts: &Parts) -> Result<Response, Refusal> {
        let presented = form.field("refresh_token");
        if presented.is_empty() {
            return Err(Refusal::invalid_request("refresh_token is missing."));
        }
        // RT-04: nothing was granted that could be asked for, let alone more.
        if !form.field("scope").is_empty() {
            return Err(Refusal::invalid_scope("No scope was granted, so none can be asked for."));
        }
        match self.granter.refresh(presented).await {
            Ok(Refreshed::Tokens(tokens)) => {
                event::refreshed();
                Ok(delivered(&tokens))
            }
            Ok(Refreshed::Refused(reject)) => {
                event::refresh_refused(reject, self.source(parts));
                Err(Refusal::invalid_grant())
            }
            Ok(Refreshed::Replayed(session)) => {
                event::refresh_replayed(session, self.source(parts));
                Err(Refusal::invalid_grant())
            }
            Err(fault) => {
                event::refresh_fault();
                Err(Refusal::fault(self, &fault))
            }
        }
    }
}

/// Both tokens, to whom they belong (RFC 6749 section 5.1).
pub(crate) fn delivered(tokens: &Tokens) -> Response {
    let body = json!({
        "access_token": tokens.access.jwt(),
        "token_type": "Bearer",
        "expires_in": tokens.access.expires_at.since(tokens.access.minted_at).as_secs(),
        "refresh_token": tokens.refresh.as_str(),
    });
    answer(StatusCode::OK, body)
}
