//! The grant by which a client acts for itself (RFC 6749 section 4.4). In: the client, an audience and scopes. Out: a JWT for one service,
//! and no refresh token: whoever can ask again needs none.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use vestibule_core::client::Client;

use super::{Refusal, answer};
use crate::form::Form;
use crate::{Portal, event};

impl Portal {
    /// A JWT for the client itself.
    pub(super) fn client_credentials(&self, client: &Client, form: &Form) -> Result<Response, Refusal> {
        let audience = audience(client, form)?;
        let scopes = scopes(client, form)?;
        let minted = self.minter.for_client(client, audience, &scopes);
        match minted.map_err(|fault| Refusal::fault(self, &fault))? {
            Some(minted) => {
                event::client_token_issued(client.id, audience);
                let mut body = json!({
                    "access_token": minted.jwt.as_str(),
                    "token_type": "Bearer",
                    "expires_in": minted.lifetime.as_secs(),
                });
                if let (Value::Object(members), false) = (&mut body, scopes.is_empty()) {
                    members.insert("scope".to_owned(), scopes.join(" ").into());
                }
                Ok(answer(StatusCode::OK, body))
            }
            None => Err(Refusal::invalid_target()),
        }
    }
}

/// The one that is asked for, or the only one there is to ask for.
pub(super) fn audience<'a>(client: &'a Client, form: &'a Form) -> Result<&'a str, Refusal> {
    match (form.field("audience"), client.audiences.as_slice()) {
        ("", [only]) => Ok(only),
        ("", _) => Err(Refusal::invalid_target()),
        (asked, _) if client.may_ask_for(asked) => Ok(asked),
        _ => Err(Refusal::invalid_target()),
    }
}

/// Those that are asked for, in the client's own order; all of its own where none is. Asking for one that it has not is refused, and not
/// answered with less.
fn scopes<'a>(client: &'a Client, form: &Form) -> Result<Vec<&'a str>, Refusal> {
    let asked = asked_scopes(client, form)?;
    let is_meant = |scope: &&str| asked.is_empty() || asked.contains(scope);
    Ok(client.scopes.iter().map(String::as_str).filter(is_meant).collect())
}

/// Those that are asked for, each of which the client has; none where none is.
pub(super) fn asked_scopes<'a>(client: &Client, form: &'a Form) -> Result<Vec<&'a str>, Refusal> {
    let asked = form.field("scope");
    let asked: Vec<&str> = asked.split(' ').filter(|_| !asked.is_empty()).collect();
    if asked.iter().any(|scope| !client.scopes.iter().any(|own| own == scope)) {
        return Err(Refusal::invalid_scope("This client may not ask for that scope."));
    }
    Ok(asked)
}
