//! `/auth/account`: who am I, and where am I signed in. In: a session. Out: a page; or, for strangers, the way to sign in and back.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use vestibule_core::Timestamp;
use vestibule_core::id::SessionId;
use vestibule_core::session::{Session, SessionKind};

use super::{Frame, HOME, render, see_other};
use crate::api::session::LISTED;
use crate::moment::Moment;
use crate::problem::Problem;
use crate::return_to::ReturnTo;
use crate::visitor::Visitor;
use crate::{Portal, device};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: &'a str,
    sessions: Vec<Row>,
    may_be_more: bool,
}

/// One session of the list.
struct Row {
    id: SessionId,
    device: String,
    address: Option<String>,
    is_client: bool,
    is_current: bool,
    opened: Moment,
    seen: Moment,
    ends: Moment,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let login = || see_other(&ReturnTo::handed_to(ReturnTo::parse(HOME).as_ref(), "/auth/login"));
    let Visitor::Known(known) = portal.visitor_of_page(&parts).await? else { return Ok(login()) };
    let Some(identifier) = portal.called(&known.session).await? else { return Ok(login()) };
    portal.note_use(&known);
    let now = portal.clock.now();
    let sessions = portal.directory.sessions(Some(known.session.subject()), LISTED, now).await?;
    let mut rows: Vec<Row> =
        sessions.iter().map(|session| Row::of(session, known.session.id(), now)).collect();
    // The one that asks comes first; the others stay as they come, the newest first.
    rows.sort_by_key(|row| !row.is_current);
    let page = AccountPage {
        frame: portal.frame(),
        csrf_token: portal.csrf_token_of(&known),
        identifier: &identifier,
        may_be_more: rows.len() >= LISTED.take as usize,
        sessions: rows,
    };
    Ok(render(StatusCode::OK, &page)?)
}

impl Row {
    fn of(session: &Session, current: SessionId, now: Timestamp) -> Self {
        Self {
            id: session.id,
            device: device::name(&session.device.user_agent),
            address: session.device.address.map(|address| address.to_string()),
            is_client: session.kind == SessionKind::Client,
            is_current: session.id == current,
            opened: Moment::seen_from(now, session.opened_at),
            seen: Moment::seen_from(now, session.seen_at),
            ends: Moment::seen_from(now, session.ends_at),
        }
    }
}
