//! The OAuth side: forms in, JSON out, and errors in the form of RFC 6749 section 5.2, whatever went wrong.
//! In: what a client sends. Out: tokens, or an error with a stable code.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use vestibule_core::Fault;
use vestibule_core::problem::seconds;

use crate::form::Form;
use crate::problem::Problem;
use crate::{Portal, body, event};

pub(crate) mod client;
mod credentials;
mod exchange;
pub(crate) mod introspect;
pub(crate) mod revoke;
pub(crate) mod token;

use client::OAuthClient;

/// Reads a form, each parameter once, and finds out who sent it.
async fn read(portal: &Portal, parts: &Parts, body: Body) -> Result<(OAuthClient, Form), Refusal> {
    let unread = |problem| Refusal::unread(portal, &problem);
    let bytes = body::read(&parts.headers, body, body::FORM).await.map_err(unread)?;
    let form = Form::parse(&bytes).map_err(unread)?;
    Ok((client::authenticate(portal, parts, &form).await?, form))
}

/// Why a client gets nothing.
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
    incident: Option<String>,
    retry_after: Option<HeaderValue>,
}

impl Refusal {
    /// The request is not what this address takes: a parameter is missing, repeated or unreadable.
    fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// Client authentication failed. What is said is of the request alone, not of the client that it names.
    fn invalid_client(description: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description)
    }

    /// There is no such client, or it is not the one that asks. Which of the two is not told.
    fn unknown_client() -> Self {
        Self::invalid_client("No client of this name and proof is known.")
    }

    /// As [`Self::unknown_client`], after many of them.
    fn too_many(wait: Duration) -> Self {
        let description =
            "No client of this name and proof is known, and none was the last times. Please wait.";
        let mut refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "invalid_client", description);
        refusal.retry_after = Some(seconds(wait));
        refusal
    }

    /// The client is known, and asks faster than it may.
    fn too_fast(wait: Duration) -> Self {
        let description = "This client asks too fast. Please wait, and keep answers for as long as they say.";
        let mut refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", description);
        refusal.retry_after = Some(seconds(wait));
        refusal
    }

    /// The refresh token is not good, or not any more. Which of the two is not told.
    fn invalid_grant() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_grant",
            "The refresh token is not valid, or not any more. Sign in again, unless a newer one was received meanwhile.",
        )
    }

    fn invalid_scope(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_scope", description)
    }

    /// The audience is none that this client may ask for (RFC 8693 section 2.2.2). Whether there is one of that name is not told.
    fn invalid_target() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_target",
            "Name one audience that this client was registered for, and that is configured.",
        )
    }

    /// The client is known, and this is not for it.
    fn unauthorized_client(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unauthorized_client", description)
    }

    /// RFC 7009 section 2.2.1.
    fn unsupported_token_type(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unsupported_token_type", description)
    }

    /// RFC 7009 section 2.1: refused, and told so; by the name that RFC 6749 section 5.2 has for it.
    fn not_issued_to_client() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_grant", "This token was not issued to this client.")
    }

    fn unsupported_grant_type() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "This grant type is not offered; the server's metadata lists those that are.",
        )
    }

    /// What could not be told is logged, and named by its incident.
    fn fault(portal: &Portal, fault: &Fault) -> Self {
        let mut refusal = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "Something that we depend on did not answer, and we do not guess. Please try again in a moment.",
        );
        refusal.incident = Some(event::fault(portal, fault));
        refusal.retry_after = Some(fault.retry_after());
        refusal
    }

    /// A body that could not be read, in the words that pages and the API have for it.
    fn unread(portal: &Portal, problem: &Problem) -> Self {
        if let Problem::Fault(fault) = problem {
            return Self::fault(portal, fault);
        }
        let wording = problem.wording();
        let status = match wording.status {
            // RFC 6749 section 5.2 has one status for what cannot be read.
            StatusCode::UNSUPPORTED_MEDIA_TYPE => StatusCode::BAD_REQUEST,
            status => status,
        };
        Self::new(status, "invalid_request", wording.detail)
    }

    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), incident: None, retry_after: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        body.insert("error".to_owned(), json!(self.error));
        body.insert("error_description".to_owned(), json!(self.description));
        if let Some(incident) = self.incident {
            body.insert("incident".to_owned(), json!(incident));
        }
        let mut response = answer(self.status, Value::Object(body));
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6749 section 5.2: by the scheme that a client would authenticate with.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, CLIENTS);
        }
        if let Some(when) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, when);
        }
        response
    }
}

const CLIENTS: HeaderValue = HeaderValue::from_static("Basic realm=\"vestibule\"");

/// JSON that no cache keeps (RFC 6749 section 5.1).
fn answer(status: StatusCode, body: Value) -> Response {
    let head = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (status, head, axum::Json(body)).into_response()
}
