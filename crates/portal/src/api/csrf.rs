//! `GET /auth/api/v1/csrf`: a fresh CSRF token for a page that was not made by a server. In: a session. Out: `{csrf_token}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::Portal;
use crate::problem::Problem;

pub(crate) async fn issue(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let known = portal.holder_of_api(&parts).await?;
    portal.note_use(&known);
    Ok(Json(json!({ "csrf_token": portal.csrf_token_of(&known) })).into_response())
}
