//! The OAuth side: forms in, JSON out, and errors in the form of RFC 6749 section 5.2, whatever went wrong.
//! In: what a client sends. Out: tokens, or an error with a stable code.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use vestibule_core::Fault;

use crate::form::Form;
use crate::problem::Problem;
use crate::{Portal, body, event};

pub(crate) mod revoke;
pub(crate) mod token;

/// The `client_id` of those who sign in here with a password: our own, which has no secret.
const FIRST_PARTY: &str = "vestibule";

/// Reads the form of a client that has no secret: ours. Clients that prove themselves are not known here, and one that tries must not be
/// taken for one that need not.
async fn first_party(portal: &Portal, parts: &Parts, body: Body) -> Result<Form, Refusal> {
    let unread = |problem| Refusal::unread(portal, &problem);
    let bytes = body::read(&parts.headers, body, body::FORM).await.map_err(unread)?;
    let form = Form::parse(&bytes).map_err(unread)?;
    let names_another = !["", FIRST_PARTY].contains(&form.field("client_id"));
    let authenticates =
        parts.headers.contains_key(header::AUTHORIZATION) || !form.field("client_secret").is_empty();
    if names_another || authenticates { Err(Refusal::invalid_client()) } else { Ok(form) }
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

    /// Client authentication failed, or there is no such client.
    fn invalid_client() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", "No client of this name and secret is known.")
    }

    /// The refresh token is not good, or not any more. Which of the two is not told.
    fn invalid_grant() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_grant",
            "The refresh token is not valid, or not any more. Sign in again, unless a newer one was received meanwhile.",
        )
    }

    fn invalid_scope() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_scope", "No scope was granted, so none can be asked for.")
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
