//! `GET /api/v1/csrf`: a fresh CSRF token for a page that was not made by a server. In: a session. Out: `{csrf_token}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde_json::json;
use vestibule_core::Reject;

use crate::Portal;
use crate::problem::Problem;
use crate::visitor::{Known, Visitor};

pub(crate) async fn issue(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let known = match portal.visitor_of_api(&parts).await? {
        Visitor::Known(known) => {
            portal.note_use(&known);
            known
        }
        // No use of the session: a refresh token is used where it is traded, and only there is a used-up one noticed.
        Visitor::Stranger(reject) => portal.awaits_refresh(&parts, reject).await?,
    };
    Ok(Json(json!({ "csrf_token": portal.csrf_token_of(&known) })).into_response())
}

impl Portal {
    /// A page whose access token has run out needs a CSRF token to ask for the next one, and knows none if it was loaded since.
    async fn awaits_refresh(&self, parts: &Parts, reject: Reject) -> Result<Known, Problem> {
        if let Some(names) = self.token_cookies.given().filter(|_| reject.asks_for_login())
            && let Some(Ok((known, _))) = self.holder_by_refresh(names, parts).await?
        {
            return Ok(known);
        }
        Err(reject.into())
    }
}
