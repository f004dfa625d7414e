//! The grant by which a client trades what stands for a subject (RFC 8693 section 2): a session or an access token, or a JWT that was
//! presented to it, for a JWT for the service that it calls next. In: the client and its form. Out: a JWT that names both.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use vestibule_core::client::Client;
use vestibule_core::exchange::{Exchanged, NotExchanged, SubjectToken};

use super::credentials::{asked_scopes, audience};
use super::{Refusal, answer};
use crate::form::Form;
use crate::{Portal, event};

pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// RFC 8693 section 3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// Ours: what a program holds that signed in for a session.
const SESSION: &str = "urn:vestibule:token-type:session";

impl Portal {
    /// A JWT for the client, on behalf of whoever the token is of.
    pub(super) async fn exchange(&self, client: &Client, form: &Form) -> Result<Response, Refusal> {
        if !client.exchanges {
            return Err(Refusal::unauthorized_client("This client was not registered for token exchange."));
        }
        let issued = issued_type(form)?;
        let token = subject_token(form)?;
        if !form.field("actor_token").is_empty() || !form.field("actor_token_type").is_empty() {
            return Err(Refusal::invalid_request("The client that asks is the actor: it names no other."));
        }
        if !form.field("resource").is_empty() {
            return Err(Refusal::invalid_target());
        }
        let audience = audience(client, form)?;
        let scopes = asked_scopes(client, form)?;
        let exchanged = self.exchanger.exchange(client, token, audience, &scopes).await;
        match exchanged.map_err(|fault| {
            event::exchange_fault();
            Refusal::fault(self, &fault)
        })? {
            Exchanged::Jwt { jwt, scopes, session } => {
                event::exchanged(client.id, audience, session);
                let mut body = json!({
                    "access_token": jwt.jwt.as_str(),
                    "issued_token_type": issued,
                    "token_type": "Bearer",
                    "expires_in": jwt.lifetime.as_secs(),
                });
                if let (Value::Object(members), false) = (&mut body, scopes.is_empty()) {
                    members.insert("scope".to_owned(), scopes.join(" ").into());
                }
                Ok(answer(StatusCode::OK, body))
            }
            Exchanged::Refused(why) => {
                event::exchange_refused(client.id, why);
                Err(refusal(why))
            }
        }
    }
}

/// RFC 8693 section 2.2.2.
fn refusal(why: NotExchanged) -> Refusal {
    match why {
        NotExchanged::Token => Refusal::invalid_request(
            "subject_token is not valid, or not any more, or was not presented to this client.",
        ),
        NotExchanged::Actors => {
            Refusal::invalid_request("subject_token has passed through as many hands as it may.")
        }
        NotExchanged::Scope => Refusal::invalid_scope("The subject's token does not have that scope."),
        NotExchanged::Audience => Refusal::invalid_target(),
    }
}

fn subject_token(form: &Form) -> Result<SubjectToken<'_>, Refusal> {
    match (form.field("subject_token"), form.field("subject_token_type")) {
        ("", _) => Err(Refusal::invalid_request("subject_token is missing.")),
        (_, "") => Err(Refusal::invalid_request("subject_token_type is missing.")),
        (token, ACCESS_TOKEN) => Ok(SubjectToken::Access(token)),
        (token, SESSION) => Ok(SubjectToken::Session(token)),
        _ => Err(Refusal::invalid_request(
            "subject_token_type is that of an access token or of a session, and nothing else can be traded.",
        )),
    }
}

fn issued_type(form: &Form) -> Result<&'static str, Refusal> {
    match form.field("requested_token_type") {
        "" | ACCESS_TOKEN => Ok(ACCESS_TOKEN),
        JWT => Ok(JWT),
        _ => Err(Refusal::invalid_request("requested_token_type is that of an access token or of a JWT.")),
    }
}
