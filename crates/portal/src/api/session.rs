//! `/api/v1/session` and `/api/v1/sessions`: who am I, where else am I signed in, and out with them. In: a session.
//! Out: what its holder may know, or 204 for what ended. Asking for one's own session is no use of it: a page may ask every minute
//! whether it still lives without keeping it alive.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde_json::json;
use vestibule_core::Reject;
use vestibule_core::port::Page;

use super::SessionJson;
use crate::address::API_CONFIRM;
use crate::ending::End;
use crate::problem::Problem;
use crate::visitor::Known;
use crate::{Portal, body};

/// The most sessions of one account that are listed, the newest first.
pub(crate) const LISTED: Page = Page { skip: 0, take: 100 };

/// `GET session`.
pub(crate) async fn current(
    State(portal): State<Arc<Portal>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let known = portal.holder_of_api(&parts).await?;
    let id = known.session.id();
    let session = portal.directory.session(id, portal.clock.now()).await?;
    let account = portal.accounts.find(known.session.subject()).await?;
    // Either may have ended while we looked.
    let (Some(session), Some(account)) = (session, account) else {
        return Err(Reject::UnknownSession.into());
    };
    Ok(Json(json!({
        "session": SessionJson::of(&session, id),
        "account": { "subject": account.subject, "identifier": account.identifier.as_str() },
    }))
    .into_response())
}

/// `GET sessions`.
pub(crate) async fn all(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let known = portal.holder_of_api(&parts).await?;
    portal.note_use(&known);
    let id = known.session.id();
    let now = portal.clock.now();
    let sessions = portal.directory.sessions(Some(known.session.subject()), LISTED, now).await?;
    let sessions: Vec<SessionJson> = sessions.iter().map(|session| SessionJson::of(session, id)).collect();
    // Beyond those listed there may be more: a program that shows them must not call them all.
    let more = sessions.len() >= LISTED.take as usize;
    Ok(Json(json!({ "sessions": sessions, "more": more })).into_response())
}

/// `DELETE sessions/{id}`.
pub(crate) async fn end(
    State(portal): State<Arc<Portal>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let known = portal.may_end(&parts, body).await?;
    // What is no text is no id, either.
    let id = id.ok().and_then(|Path(id)| id.parse().ok()).ok_or(Problem::SessionUnknown)?;
    let ended = portal.end_own(&known, End::One(id), &parts).await?;
    if ended.is_empty() {
        return Err(Problem::SessionUnknown);
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if id == known.session.id() {
        portal.forget_session(&parts.headers, response.headers_mut())?;
    }
    Ok(response)
}

/// `DELETE sessions`: all but the one that asks.
pub(crate) async fn end_others(
    State(portal): State<Arc<Portal>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let known = portal.may_end(&parts, body).await?;
    portal.end_own(&known, End::Others, &parts).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl Portal {
    /// Who asks, if they may end sessions: not by another site's doing, and proven a short while ago.
    async fn may_end(&self, parts: &Parts, body: Body) -> Result<Known, Problem> {
        self.refuse_foreign_where_said(parts)?;
        body::read_optional(&parts.headers, body, body::JSON).await?;
        let known = self.holder_of_api(parts).await?;
        self.refuse_forged(&known, parts, None)?;
        if !self.login.is_freshly_proven(&known.session) {
            return Err(Problem::ProofTooOld { most: self.login.step_up, confirm: self.to(API_CONFIRM) });
        }
        self.note_use(&known);
        Ok(known)
    }
}
