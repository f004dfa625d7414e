//! `/register`: an account for whoever asks, where an operator opened that. In: an identifier and a new password, behind a proof
//! that our own page asked for them. Out: always the way to sign in, whether or not there was such an account; or the form again.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::SET_COOKIE;
use http::request::Parts;
use vestibule_core::account::Identifier;
use vestibule_core::registration::RegistrationOutcome;
use vestibule_core::{Fault, Reject};

use super::login::{not_from_our_form, unavailable};
use super::{Alert, Frame, Wrong, come_back, not_repeated, password_refused, see_other, throttled};
use crate::address::LOGIN;
use crate::form::Form;
use crate::notice::Notice;
use crate::problem::Problem;
use crate::return_to::ReturnTo;
use crate::sign_in::Typed;
use crate::visitor::Visitor;
use crate::{Portal, body, cookie, event};

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: &'a str,
    return_to: &'a str,
    login: String,
    min_length: usize,
    /// The ids of the texts beside the fields.
    new_label: &'static str,
    repeat_label: &'static str,
    wrong: Wrong,
    alert: Option<Alert>,
}

impl RegisterPage<'_> {
    /// What was good is there still, and the password is to be typed again.
    fn focus_new(&self) -> bool {
        !self.identifier.is_empty() && self.wrong != Wrong::Identifier
    }
}

/// `GET`: the form; or, for who is signed in already, the page that says so.
pub(crate) async fn show(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let return_to = portal.way_back_of_query(&parts);
    if let Visitor::Known(_) = portal.visitor_of_page(&parts).await? {
        return Ok(see_other(&ReturnTo::handed_to(return_to.as_ref(), &portal.to(LOGIN))));
    }
    if portal.has_conflicting_pre_sessions(&parts) {
        return Ok(portal.conflict_page(portal.language(&parts.headers), return_to.as_ref())?);
    }
    Ok(portal.register_form(&parts, StatusCode::OK, "", return_to.as_ref(), None)?)
}

/// `POST`: origin first, then the form's token, then the account.
pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign(&parts)?;
    let form = Form::parse(&body::read(&parts.headers, body, body::FORM).await?)?;
    let identifier = form.field("identifier");
    let return_to = portal.way_back_of_form(&form).or_else(|| portal.way_back_of_query(&parts));
    let again = |status, wrong, alert| {
        portal.register_form(&parts, status, identifier, return_to.as_ref(), Some((wrong, alert)))
    };
    let pre_session = match portal.check_form_token(&parts, &form) {
        Ok(pre_session) => pre_session,
        Err(reject) => {
            event::csrf_refused(reject, portal.source(&parts));
            if reject == Reject::AmbiguousCookie {
                return Ok(portal.conflict_page(portal.language(&parts.headers), return_to.as_ref())?);
            }
            let alert = not_from_our_form(&parts, "alert-expired-register");
            return Ok(again(StatusCode::FORBIDDEN, Wrong::Nothing, alert)?);
        }
    };
    let password = form.field("new_password");
    if password != form.field("repeated_password") {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::Repeated, not_repeated())?);
    }
    match portal.register(Typed { identifier, password }, &parts).await {
        Ok(RegistrationOutcome::Registered { .. }) => {
            let login = ReturnTo::handed_to(return_to.as_ref(), &portal.to(LOGIN));
            let mut response = see_other(&Notice::Registered.told_on(&login));
            // What was typed, for the form that follows, whether or not there was such an account. A URL would leave it in logs.
            if let Ok(name) = Identifier::parse(identifier) {
                let cookie = cookie::pre_session(&portal.pre_session_cookie, &pre_session.naming(name))?;
                response.headers_mut().append(SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Ok(RegistrationOutcome::IdentifierRefused(_)) => {
            Ok(again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::Identifier, IDENTIFIER_REFUSED)?)
        }
        Ok(RegistrationOutcome::PasswordRefused(reject)) => {
            Ok(again(StatusCode::UNPROCESSABLE_ENTITY, Wrong::New, password_refused(reject))?)
        }
        Ok(RegistrationOutcome::Wait(wait)) => {
            let page = again(StatusCode::TOO_MANY_REQUESTS, Wrong::Nothing, throttled(wait))?;
            Ok(come_back(page, Problem::Throttled(wait).retry_after()))
        }
        Err(fault) => {
            let incident = event::fault(&portal, &fault);
            let alert = unavailable("alert-no-account-title", &incident);
            let page = again(StatusCode::SERVICE_UNAVAILABLE, Wrong::Nothing, alert)?;
            Ok(come_back(page, Problem::from(fault).retry_after()))
        }
    }
}

const IDENTIFIER_REFUSED: Alert = Alert::plain("alert-identifier-title", "alert-identifier-text");

impl Portal {
    /// The form with a fresh CSRF token, bound to the browser as the login form is.
    fn register_form(
        &self,
        parts: &Parts,
        status: StatusCode,
        identifier: &str,
        return_to: Option<&ReturnTo>,
        what: Option<(Wrong, Alert)>,
    ) -> Result<Response, Fault> {
        let pre_session = self.pre_session(parts)?;
        let (wrong, alert) = what.map_or((Wrong::Nothing, None), |(wrong, alert)| (wrong, Some(alert)));
        let page = RegisterPage {
            frame: self.frame(parts),
            csrf_token: self.decider.csrf.issue(pre_session.binding(), self.clock.now()),
            identifier,
            return_to: return_to.map_or("", ReturnTo::as_str),
            login: ReturnTo::handed_to(return_to, &self.to(LOGIN)),
            min_length: self.password_change.policy.min_length(),
            new_label: "field-password",
            repeat_label: "field-repeat-password",
            wrong,
            alert,
        };
        let mut response = self.render_with_script(status, &page)?;
        let cookie = cookie::pre_session(&self.pre_session_cookie, &pre_session)?;
        response.headers_mut().append(SET_COOKIE, cookie);
        Ok(response)
    }
}
