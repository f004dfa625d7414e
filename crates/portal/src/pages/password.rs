//! `/account/password`: a new password for the current one. In: a session, a form of ours, both passwords. Out: a new password,
//! a new session token, no other session; or the form again, which says which of its fields is no good.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::SET_COOKIE;
use http::request::Parts;
use vestibule_core::Fault;
use vestibule_core::decide::CSRF_FIELD;
use vestibule_core::login::LoginTarget;
use vestibule_core::password_change::{NewPassword, PasswordChanged};

use super::{
    Alert, Frame, Wrong, come_back, not_repeated, open_too_long, password_refused, see_other, throttled,
};
use crate::address::PASSWORD;
use crate::form::Form;
use crate::notice::Notice;
use crate::problem::Problem;
use crate::visitor::{Known, Visitor};
use crate::{Portal, body, cookie, event};

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: &'a str,
    min_length: usize,
    /// The ids of the texts beside the fields.
    new_label: &'static str,
    repeat_label: &'static str,
    wrong: Wrong,
    alert: Option<Alert>,
}

impl PasswordPage<'_> {
    /// The current password comes first, and is to be typed again each time.
    fn focus_new(&self) -> bool {
        false
    }
}

/// `GET`: the form.
pub(crate) async fn show(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let Visitor::Known(known) = portal.visitor_of_page(&parts).await? else {
        return Ok(portal.sign_in_page(&portal.to(PASSWORD)));
    };
    portal.note_use(&known);
    portal.password_form(&known, &parts, StatusCode::OK, None).await
}

/// `GET /.well-known/change-password`: where password managers look (W3C, "A Well-Known URL for Changing Passwords").
pub(crate) async fn well_known(State(portal): State<Arc<Portal>>) -> Response {
    see_other(&portal.to(PASSWORD))
}

/// `POST`: origin, token, then both passwords.
pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign(&parts)?;
    let form = Form::parse(&body::read(&parts.headers, body, body::FORM).await?)?;
    let Visitor::Known(known) = portal.visitor_of_page(&parts).await? else {
        return Ok(portal.session_over(&portal.to(PASSWORD)));
    };
    let again = |status, wrong, alert| portal.password_form(&known, &parts, status, Some((wrong, alert)));
    if portal.refuse_forged(&known, &parts, Some(form.field(CSRF_FIELD))).is_err() {
        return again(StatusCode::FORBIDDEN, Wrong::Nothing, EXPIRED).await;
    }
    portal.note_use(&known);
    let (current, new) = (form.field("current_password"), form.field("new_password"));
    if new != form.field("repeated_password") {
        return again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::Repeated, not_repeated()).await;
    }
    match portal.change_password(&known, current, new, &parts).await? {
        PasswordChanged::Changed { renewed, mark, .. } => {
            let mut response = see_other(&Notice::PasswordChanged.told_on(&portal.home()));
            if let Some(renewed) = renewed {
                portal.deliver(&renewed, response.headers_mut())?;
            }
            if let Some(mark) = mark {
                response.headers_mut().append(SET_COOKIE, cookie::device(&portal.device_cookie, &mark)?);
            }
            Ok(response)
        }
        PasswordChanged::Gone => Ok(portal.session_over(&portal.to(PASSWORD))),
        PasswordChanged::NewRefused(reject) => {
            again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::New, password_refused(reject)).await
        }
        PasswordChanged::Refused => again(StatusCode::FORBIDDEN, Wrong::Current, REFUSED).await,
        PasswordChanged::Wait(wait) => {
            let page = again(StatusCode::TOO_MANY_REQUESTS, Wrong::Nothing, throttled(wait)).await?;
            Ok(come_back(page, Problem::Throttled(wait).retry_after()))
        }
    }
}

const EXPIRED: Alert = open_too_long("alert-expired-password");

const REFUSED: Alert = Alert::plain("alert-current-wrong-title", "alert-current-wrong-text");

impl Portal {
    /// Changes a password; logged.
    pub(crate) async fn change_password(
        &self,
        known: &Known,
        current: &str,
        new: &str,
        parts: &Parts,
    ) -> Result<PasswordChanged, Fault> {
        let source = self.source(parts);
        let changed =
            self.password_change.attempt(&known.session, NewPassword { current, new }, source).await;
        match &changed {
            Ok(PasswordChanged::Changed { ended, .. }) => {
                event::password_changed(known.session.id(), known.session.subject(), ended.len(), source);
            }
            Ok(PasswordChanged::Refused) => {
                event::confirm_refused(known.session.id(), known.session.subject(), source)
            }
            Ok(PasswordChanged::Wait(_)) => {
                event::login_throttled(LoginTarget::Account(known.session.subject()), source)
            }
            Ok(PasswordChanged::Gone | PasswordChanged::NewRefused(_)) | Err(_) => {}
        }
        changed
    }

    async fn password_form(
        &self,
        known: &Known,
        parts: &Parts,
        status: StatusCode,
        what: Option<(Wrong, Alert)>,
    ) -> Result<Response, Problem> {
        let Some(identifier) = self.called(&known.session).await? else {
            return Ok(self.session_over(&self.to(PASSWORD)));
        };
        let (wrong, alert) = what.map_or((Wrong::Nothing, None), |(wrong, alert)| (wrong, Some(alert)));
        let page = PasswordPage {
            frame: self.frame(parts),
            csrf_token: self.csrf_token_of(known),
            identifier: &identifier,
            min_length: self.password_change.policy.min_length(),
            new_label: "field-new-password",
            repeat_label: "field-repeat-new-password",
            wrong,
            alert,
        };
        Ok(self.render_with_script(status, &page)?)
    }
}
