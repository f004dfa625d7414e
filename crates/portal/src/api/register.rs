//! `POST /api/v1/register`: an account for whoever asks. Needs no CSRF token, for the reasons that login needs none. In: JSON.
//! Out: 202 whether or not there was such an account, and nobody is signed in; or a problem.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use vestibule_core::registration::RegistrationOutcome;

use crate::address::API_LOGIN;
use crate::problem::Problem;
use crate::sign_in::Typed;
use crate::{Portal, body};

/// The body. No Debug: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterJson {
    identifier: String,
    password: String,
}

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign_where_said(&parts)?;
    let asked: RegisterJson = body::json(
        &parts.headers,
        body,
        "Expected a JSON object with identifier and password and nothing else.",
    )
    .await?;
    let typed = Typed { identifier: &asked.identifier, password: &asked.password };
    match portal.register(typed, &parts).await? {
        RegistrationOutcome::IdentifierRefused(cause) => Err(Problem::IdentifierRefused(cause)),
        RegistrationOutcome::PasswordRefused(reject) => Err(Problem::PasswordRefused(reject)),
        RegistrationOutcome::Registered { .. } => {
            Ok((StatusCode::ACCEPTED, Json(json!({ "next": portal.to(API_LOGIN) }))).into_response())
        }
        RegistrationOutcome::Wait(wait) => Err(Problem::Throttled(wait)),
    }
}
