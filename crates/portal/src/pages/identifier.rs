//! `/account/identifier`: another identifier for the account, with the current password. In: a session, a form of ours, both. Out: the
//! account page, which shows the new one; or the form again, which says which of its fields is no good.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use vestibule_core::Fault;
use vestibule_core::decide::CSRF_FIELD;
use vestibule_core::identifier_change::{IdentifierChanged, NewIdentifier};
use vestibule_core::login::LoginTarget;

use super::{Alert, Frame, Wrong, come_back, open_too_long, see_other, throttled};
use crate::address::IDENTIFIER;
use crate::form::Form;
use crate::notice::Notice;
use crate::problem::Problem;
use crate::visitor::{Known, Visitor};
use crate::{Portal, body, event};

#[derive(Template)]
#[template(path = "identifier.html")]
struct IdentifierPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: &'a str,
    /// As typed; empty at first.
    new: &'a str,
    wrong: Wrong,
    alert: Option<Alert>,
}

/// `GET`: the form.
pub(crate) async fn show(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let Visitor::Known(known) = portal.visitor_of_page(&parts).await? else {
        return Ok(portal.sign_in_page(&portal.to(IDENTIFIER)));
    };
    portal.note_use(&known);
    portal.identifier_form(&known, &parts, StatusCode::OK, "", None).await
}

/// `POST`: origin, token, then what was typed.
pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign(&parts)?;
    let form = Form::parse(&body::read(&parts.headers, body, body::FORM).await?)?;
    let Visitor::Known(known) = portal.visitor_of_page(&parts).await? else {
        return Ok(portal.session_over(&portal.to(IDENTIFIER)));
    };
    let new = form.field("new_identifier");
    let again =
        |status, wrong, alert| portal.identifier_form(&known, &parts, status, new, Some((wrong, alert)));
    if portal.refuse_forged(&known, &parts, Some(form.field(CSRF_FIELD))).is_err() {
        return again(StatusCode::FORBIDDEN, Wrong::Nothing, EXPIRED).await;
    }
    portal.note_use(&known);
    match portal.change_identifier(&known, form.field("current_password"), new, &parts).await? {
        IdentifierChanged::Changed(_) => Ok(see_other(&Notice::IdentifierChanged.told_on(&portal.home()))),
        IdentifierChanged::Unchanged(_) => Ok(see_other(&portal.home())),
        IdentifierChanged::Gone => Ok(portal.session_over(&portal.to(IDENTIFIER))),
        IdentifierChanged::NewRefused(_) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::Identifier, IMPOSSIBLE).await
        }
        IdentifierChanged::Refused => again(StatusCode::FORBIDDEN, Wrong::Current, REFUSED).await,
        IdentifierChanged::Taken => again(StatusCode::CONFLICT, Wrong::Identifier, TAKEN).await,
        IdentifierChanged::Wait(wait) => {
            let page = again(StatusCode::TOO_MANY_REQUESTS, Wrong::Nothing, throttled(wait)).await?;
            Ok(come_back(page, Problem::Throttled(wait).retry_after()))
        }
    }
}

const EXPIRED: Alert = open_too_long("alert-expired-identifier");

const IMPOSSIBLE: Alert = Alert::plain("alert-identifier-title", "alert-identifier-text");

const REFUSED: Alert = Alert::plain("alert-identifier-kept-title", "alert-identifier-kept-text");

const TAKEN: Alert = Alert::plain("alert-identifier-taken-title", "alert-identifier-taken-text");

impl Portal {
    /// Changes an identifier; logged, without either identifier.
    pub(crate) async fn change_identifier(
        &self,
        known: &Known,
        current_password: &str,
        identifier: &str,
        parts: &Parts,
    ) -> Result<IdentifierChanged, Fault> {
        let Some(change) = &self.identifier_change else {
            return Err(Fault::Bug("an identifier is to be changed where that is closed"));
        };
        let (session, subject) = (known.session.id(), known.session.subject());
        let source = self.source(parts);
        let typed = NewIdentifier { current_password, identifier };
        let changed = change.attempt(&known.session, typed, source).await;
        match &changed {
            Ok(IdentifierChanged::Changed(_)) => event::identifier_changed(session, subject, source),
            Ok(IdentifierChanged::Refused) => event::confirm_refused(session, subject, source),
            Ok(IdentifierChanged::Taken) => event::identifier_taken(session, subject, source),
            Ok(IdentifierChanged::Wait(_)) => event::login_throttled(LoginTarget::Account(subject), source),
            Ok(
                IdentifierChanged::Gone | IdentifierChanged::NewRefused(_) | IdentifierChanged::Unchanged(_),
            )
            | Err(_) => {}
        }
        changed
    }

    async fn identifier_form(
        &self,
        known: &Known,
        parts: &Parts,
        status: StatusCode,
        new: &str,
        what: Option<(Wrong, Alert)>,
    ) -> Result<Response, Problem> {
        let Some(identifier) = self.called(&known.session).await? else {
            return Ok(self.session_over(&self.to(IDENTIFIER)));
        };
        let (wrong, alert) = what.map_or((Wrong::Nothing, None), |(wrong, alert)| (wrong, Some(alert)));
        let page = IdentifierPage {
            frame: self.frame(parts),
            csrf_token: self.csrf_token_of(known),
            identifier: &identifier,
            new,
            wrong,
            alert,
        };
        Ok(self.render_with_script(status, &page)?)
    }
}
