//! `PUT /api/v1/password`: a new password for the current one. In: a session, a CSRF token where the browser sends the session
//! unasked, and JSON. Out: the session under its new session token, as login answers; or a problem with a code for each reason.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::SET_COOKIE;
use serde::Deserialize;
use vestibule_core::Reject;
use vestibule_core::password_change::PasswordChanged;
use vestibule_core::session::SessionKind;

use crate::problem::Problem;
use crate::{Portal, body, cookie};

/// The body. No Debug: it holds passwords.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordJson {
    current_password: String,
    new_password: String,
}

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign_where_said(&parts)?;
    let asked: PasswordJson = body::json(
        &parts.headers,
        body,
        "Expected a JSON object with current_password and new_password and nothing else.",
    )
    .await?;
    let known = portal.holder_of_api(&parts).await?;
    portal.refuse_forged(&known, &parts, None)?;
    known.refuse_tokens()?;
    portal.note_use(&known);
    match portal.change_password(&known, &asked.current_password, &asked.new_password, &parts).await? {
        PasswordChanged::Changed { renewed: Some(renewed), mark, .. } => {
            let mut response = portal.delivered(&renewed.token, &renewed.session)?;
            // A client that keeps no session cookie keeps no mark.
            if let Some(mark) = mark.filter(|_| renewed.session.kind != SessionKind::Client) {
                response.headers_mut().append(SET_COOKIE, cookie::device(&portal.device_cookie, &mark)?);
            }
            Ok(response)
        }
        PasswordChanged::Changed { renewed: None, .. } => Ok(StatusCode::NO_CONTENT.into_response()),
        PasswordChanged::Gone => Err(Reject::UnknownSession.into()),
        PasswordChanged::NewRefused(reject) => Err(Problem::PasswordRefused(reject)),
        PasswordChanged::Refused => Err(Problem::CurrentPasswordRefused),
        PasswordChanged::Wait(wait) => Err(Problem::Throttled(wait)),
    }
}
