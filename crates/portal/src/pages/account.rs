//! `/account`: who am I, where am I signed in, and out with the others. In: a session. Out: a page; or, for strangers, the way
//! to sign in and back.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use vestibule_core::decide::CSRF_FIELD;
use vestibule_core::id::SessionId;
use vestibule_core::session::{Session, SessionKind};
use vestibule_core::{Fault, Timestamp};

use super::confirm::Then;
use super::{Alert, Frame, open_too_long, see_other};
use crate::address::{LOGIN, LOGOUT};
use crate::api::session::LISTED;
use crate::device::Device;
use crate::ending::End;
use crate::form::Form;
use crate::moment::Moment;
use crate::notice::Notice;
use crate::problem::Problem;
use crate::return_to::ReturnTo;
use crate::texts::Language;
use crate::visitor::{Known, Visitor};
use crate::{Portal, body};

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: &'a str,
    notice: Option<Notice>,
    alert: Option<Alert>,
    /// Whether the owner may change the identifier.
    may_rename: bool,
    sessions: Vec<Row>,
    may_be_more: bool,
}

/// One session of the list.
struct Row {
    id: SessionId,
    device: String,
    address: Option<String>,
    /// The id of the text that names the kind; none for the ordinary kind, a browser until it closes.
    kind: Option<&'static str>,
    is_current: bool,
    opened: Moment,
    seen: Moment,
    ends: Moment,
}

/// `GET`.
pub(crate) async fn show(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let Visitor::Known(known) = portal.visitor_of_page(&parts).await? else {
        return Ok(portal.sign_in_page(&portal.home()));
    };
    if let Some(response) = portal.rotated(&known, &portal.home()).await? {
        return Ok(response);
    }
    portal.note_use(&known);
    portal.account_page(&known, &parts, StatusCode::OK, Notice::from_query(&parts), None).await
}

/// `POST /account/sessions/end`: one of them.
pub(crate) async fn end(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.end_as_asked(&parts, body, |form| form.field("session").parse().ok().map(End::One)).await
}

/// `POST /account/sessions/end-others`: all but this one.
pub(crate) async fn end_others(
    State(portal): State<Arc<Portal>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.end_as_asked(&parts, body, |_| Some(End::Others)).await
}

/// For a form whose token is no good any more.
const EXPIRED: Alert = open_too_long("alert-expired-account");

impl Portal {
    /// The way to sign in, and to a page of ours from there.
    pub(super) fn sign_in_page(&self, to: &str) -> Response {
        see_other(&self.login_from(to))
    }

    /// The same for who sent a form after their session had ended: the login page says that nothing was done.
    pub(super) fn session_over(&self, to: &str) -> Response {
        see_other(&Notice::NotSent.told_on(&self.login_from(to)))
    }

    fn login_from(&self, to: &str) -> String {
        ReturnTo::handed_to(self.way_back(to).as_ref(), &self.to(LOGIN))
    }

    /// Origin, token, a fresh proof, and only then the deed.
    async fn end_as_asked(
        &self,
        parts: &Parts,
        body: Body,
        asked: impl Fn(&Form) -> Option<End>,
    ) -> Result<Response, Problem> {
        self.refuse_foreign(parts)?;
        let form = Form::parse(&body::read(&parts.headers, body, body::FORM).await?)?;
        let Visitor::Known(known) = self.visitor_of_page(parts).await? else {
            return Ok(self.session_over(&self.home()));
        };
        if self.refuse_forged(&known, parts, Some(form.field(CSRF_FIELD))).is_err() {
            return self.account_page(&known, parts, StatusCode::FORBIDDEN, None, Some(EXPIRED)).await;
        }
        let end = asked(&form).ok_or(Problem::Malformed("The form names no session."))?;
        if !self.login.is_freshly_proven(&known.session) {
            return self.confirm_first(&known, parts, Then::End(end)).await;
        }
        self.note_use(&known);
        self.end_and_say(&known, end, parts).await
    }

    /// Ends, and goes back to the account page, which says so.
    pub(super) async fn end_and_say(
        &self,
        known: &Known,
        end: End,
        parts: &Parts,
    ) -> Result<Response, Problem> {
        let ended = self.end_own(known, end, parts).await?;
        if ended.contains(&known.session.id()) {
            let mut response = see_other(&self.to(LOGOUT));
            self.forget_session(&parts.headers, response.headers_mut())?;
            return Ok(response);
        }
        let notice = match end {
            End::One(_) if ended.is_empty() => Notice::NothingToEnd,
            End::One(_) => Notice::SessionEnded,
            End::Others => Notice::OthersEnded,
        };
        Ok(see_other(&notice.told_on(&self.home())))
    }

    async fn account_page(
        &self,
        known: &Known,
        parts: &Parts,
        status: StatusCode,
        notice: Option<Notice>,
        alert: Option<Alert>,
    ) -> Result<Response, Problem> {
        let Some(identifier) = self.called(&known.session).await? else {
            return Ok(self.sign_in_page(&self.home()));
        };
        let now = self.clock.now();
        let sessions = self.directory.sessions(Some(known.session.subject()), LISTED, now).await?;
        let frame = self.frame(parts);
        let row = |session| Row::of(&frame.language, session, known.session.id(), now);
        let mut rows: Vec<Row> = sessions.iter().map(row).collect();
        // The one that asks comes first; the others stay as they come, the newest first.
        rows.sort_by_key(|row| !row.is_current);
        let page = AccountPage {
            frame,
            csrf_token: self.csrf_token_of(known),
            identifier: &identifier,
            notice,
            alert,
            may_rename: self.identifier_change.is_some(),
            may_be_more: rows.len() >= LISTED.take as usize,
            sessions: rows,
        };
        Ok(self.render_with_script(status, &page)?)
    }

    /// What the account page calls the device of one of whoever's sessions this is.
    pub(super) async fn device_of(
        &self,
        known: &Known,
        language: &Language,
        id: SessionId,
    ) -> Result<Option<String>, Fault> {
        let found = self.directory.session(id, self.clock.now()).await?;
        let own = found.filter(|session| session.subject == known.session.subject());
        Ok(own.map(|session| Device::of(&session.device.user_agent).named_in(language)))
    }

    /// Replaces the session token of a remembered session where that is due, and comes back (CK-07, daily).
    pub(super) async fn rotated(&self, known: &Known, to: &str) -> Result<Option<Response>, Fault> {
        if !known.session.rotation_due(self.clock.now()) {
            return Ok(None);
        }
        let mut response = see_other(to).into_response();
        // None: another tab was first, and has brought the browser the new one.
        if let Some(renewed) = self.login.rotate(&known.session).await? {
            self.deliver(&renewed, response.headers_mut())?;
        }
        Ok(Some(response))
    }
}

impl Row {
    fn of(language: &Language, session: &Session, current: SessionId, now: Timestamp) -> Self {
        Self {
            id: session.id,
            device: Device::of(&session.device.user_agent).named_in(language),
            address: session.device.address.map(|address| address.to_string()),
            kind: match session.kind {
                SessionKind::Browser => None,
                SessionKind::Client | SessionKind::Tokens => Some("account-app"),
                SessionKind::Remembered => Some("account-remembered"),
            },
            is_current: session.id == current,
            opened: Moment::seen_from(language, now, session.opened_at),
            seen: Moment::seen_from(language, now, session.seen_at),
            ends: Moment::seen_from(language, now, session.ends_at),
        }
    }
}
