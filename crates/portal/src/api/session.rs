//! `GET /auth/api/v1/session` and `GET /auth/api/v1/sessions`: who am I, and where else am I signed in. In: a session.
//! Out: what its holder may know. Asking for one's own session is no use of it: a page may ask every minute whether it still
//! lives without keeping it alive.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::SET_COOKIE;
use serde_json::json;
use vestibule_core::Reject;
use vestibule_core::port::Page;

use super::SessionJson;
use crate::problem::Problem;
use crate::visitor::Visitor;
use crate::{Portal, cookie};

/// The most sessions of one account that are listed, the newest first.
pub(crate) const LISTED: Page = Page { skip: 0, take: 100 };

/// `GET session`.
pub(crate) async fn current(
    State(portal): State<Arc<Portal>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let known = match portal.visitor_of_api(&parts).await? {
        Visitor::Known(known) => known,
        Visitor::Stranger(reject) => return portal.turned_away(reject),
    };
    let id = known.session.id();
    let session = portal.directory.session(id, portal.clock.now()).await?;
    let account = portal.accounts.find(known.session.subject()).await?;
    // Either may have ended while we looked.
    let (Some(session), Some(account)) = (session, account) else {
        return portal.turned_away(Reject::UnknownSession);
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
    let known = match portal.visitor_of_api(&parts).await? {
        Visitor::Known(known) => known,
        Visitor::Stranger(reject) => return portal.turned_away(reject),
    };
    portal.note_use(&known);
    let id = known.session.id();
    let now = portal.clock.now();
    let sessions = portal.directory.sessions(Some(known.session.subject()), LISTED, now).await?;
    let sessions: Vec<SessionJson> = sessions.iter().map(|session| SessionJson::of(session, id)).collect();
    Ok(Json(json!({ "sessions": sessions })).into_response())
}

impl Portal {
    /// The answer to a call without a good credential. Cookies that contradict each other are taken back as far as we can.
    pub(super) fn turned_away(&self, reject: Reject) -> Result<Response, Problem> {
        let mut response = Problem::Rejected(reject).into_response();
        if reject == Reject::AmbiguousCookie {
            response.headers_mut().append(SET_COOKIE, cookie::session_gone(&self.decider.cookie)?);
        }
        Ok(response)
    }
}
