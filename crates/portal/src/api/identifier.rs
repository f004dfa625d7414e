//! `PUT /api/v1/identifier`: another identifier for the account, with the current password. In: a session, a CSRF token where the
//! browser sends the session unasked, and JSON. Out: the identifier as it is kept; or a problem with a code for each reason.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use vestibule_core::Reject;
use vestibule_core::identifier_change::IdentifierChanged;

use crate::problem::Problem;
use crate::{Portal, body};

/// The body. No Debug: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentifierJson {
    current_password: String,
    identifier: String,
}

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign_where_said(&parts)?;
    let asked: IdentifierJson = body::json(
        &parts.headers,
        body,
        "Expected a JSON object with current_password and identifier and nothing else.",
    )
    .await?;
    let known = portal.holder_of_api(&parts).await?;
    portal.refuse_forged(&known, &parts, None)?;
    known.refuse_tokens()?;
    portal.note_use(&known);
    match portal.change_identifier(&known, &asked.current_password, &asked.identifier, &parts).await? {
        IdentifierChanged::Changed(identifier) | IdentifierChanged::Unchanged(identifier) => {
            Ok(Json(json!({ "identifier": identifier.as_str() })).into_response())
        }
        IdentifierChanged::Gone => Err(Reject::UnknownSession.into()),
        IdentifierChanged::NewRefused(cause) => Err(Problem::IdentifierRefused(cause)),
        IdentifierChanged::Refused => Err(Problem::CurrentPasswordRefused),
        IdentifierChanged::Taken => Err(Problem::IdentifierTaken),
        IdentifierChanged::Wait(wait) => Err(Problem::Throttled(wait)),
    }
}
