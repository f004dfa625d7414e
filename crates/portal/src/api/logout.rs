//! `POST /api/v1/logout`: ends the session that asks, on the server first. In: a session, and a CSRF token where the browser
//! sends the session unasked. Out: 204, also when there was nothing left to end.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::AUTHORIZATION;
use vestibule_core::Reject;

use crate::problem::Problem;
use crate::visitor::Visitor;
use crate::{Portal, body};

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // Also without a session: what is answered makes a browser forget, and SameSite kept the cookie from what another site sent.
    portal.refuse_foreign_where_said(&parts)?;
    body::read_optional(&parts.headers, body, body::JSON).await?;
    if parts.headers.contains_key(AUTHORIZATION) {
        match portal.visitor_of_api(&parts).await? {
            Visitor::Known(known) => portal.sign_out(&known, &parts).await?,
            Visitor::Stranger(reject @ Reject::TwoCredentials) => return Err(reject.into()),
            Visitor::Stranger(_) => {}
        }
    } else {
        portal.sign_out_browser(&parts, None).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    portal.forget_session(&parts.headers, response.headers_mut())?;
    Ok(response)
}
