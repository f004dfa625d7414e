//! `POST /api/v1/confirm`: the password once more, for a session that goes on under a new session token. In: a session, a CSRF
//! token where the browser sends the session unasked, and JSON. Out: what login answers; or a problem.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use vestibule_core::Reject;
use vestibule_core::login::Reauthentication;

use crate::problem::Problem;
use crate::{Portal, body};

/// The body. No Debug: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfirmJson {
    password: String,
}

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign_where_said(&parts)?;
    let asked: ConfirmJson =
        body::json(&parts.headers, body, "Expected a JSON object with password and nothing else.").await?;
    let known = portal.holder_of_api(&parts).await?;
    portal.refuse_forged(&known, &parts, None)?;
    known.refuse_tokens()?;
    match portal.reprove(&known, &asked.password, &parts).await? {
        Reauthentication::Proven(renewed) => portal.delivered(&renewed.token, &renewed.session),
        Reauthentication::Refused => Err(Problem::LoginRefused),
        Reauthentication::Wait(wait) => Err(Problem::Throttled(wait)),
        Reauthentication::Gone => Err(Reject::UnknownSession.into()),
    }
}
