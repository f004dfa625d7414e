//! `/confirm`: the password once more, before something that changes the account or ends sessions. In: a session, a form of
//! ours, the password. Out: the same session, proven afresh under a new session token, and what was wanted done.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{SET_COOKIE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use vestibule_core::Fault;
use vestibule_core::decide::CSRF_FIELD;
use vestibule_core::id::SessionId;
use vestibule_core::login::{LoginTarget, NewToken, Reauthentication};

use super::{Alert, Frame, come_back, open_too_long, see_other, throttled};
use crate::address::CONFIRM;
use crate::ending::End;
use crate::form::Form;
use crate::notice::Notice;
use crate::problem::{CHALLENGE, Problem, step_up_challenge};
use crate::return_to::ReturnTo;
use crate::texts::Language;
use crate::visitor::{Known, Visitor};
use crate::{Portal, body, cookie, event};

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: &'a str,
    return_to: &'a str,
    then: Option<Then>,
    why: String,
    /// The id of the text on the button.
    deed: &'static str,
    alert: Option<Alert>,
}

/// What is done once the password is confirmed. It comes from a form that carries our token, never from a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    End(End),
}

impl Then {
    fn from_form(form: &Form) -> Option<Self> {
        match form.field("then") {
            "end-session" => Some(Self::End(End::One(form.field("session").parse().ok()?))),
            "end-others" => Some(Self::End(End::Others)),
            _ => None,
        }
    }

    fn key(&self) -> &'static str {
        match self {
            Self::End(End::One(_)) => "end-session",
            Self::End(End::Others) => "end-others",
        }
    }

    fn session(&self) -> Option<SessionId> {
        match self {
            Self::End(End::One(id)) => Some(*id),
            Self::End(End::Others) => None,
        }
    }
}

/// `GET`: asks.
pub(crate) async fn show(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let return_to = portal.way_back_of_query(&parts);
    let Visitor::Known(known) = portal.visitor_of_page(&parts).await? else {
        return Ok(portal.sign_in_page(&portal.home()));
    };
    portal.note_use(&known);
    portal.confirm_form(&known, &parts, StatusCode::OK, None, return_to.as_ref(), None).await
}

/// `POST`: origin, token, password; then what was wanted.
pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign(&parts)?;
    let form = Form::parse(&body::read(&parts.headers, body, body::FORM).await?)?;
    let return_to = portal.way_back_of_form(&form);
    let over = || portal.session_over(&ReturnTo::handed_to(return_to.as_ref(), &portal.to(CONFIRM)));
    let Visitor::Known(known) = portal.visitor_of_page(&parts).await? else { return Ok(over()) };
    let then = Then::from_form(&form);
    let again =
        |status, alert| portal.confirm_form(&known, &parts, status, then, return_to.as_ref(), Some(alert));
    if portal.refuse_forged(&known, &parts, Some(form.field(CSRF_FIELD))).is_err() {
        return again(StatusCode::FORBIDDEN, EXPIRED).await;
    }
    match portal.reprove(&known, form.field("password"), &parts).await? {
        Reauthentication::Proven(renewed) => {
            // The session goes on under its public name: what follows is asked by the same one.
            let mut response = match then {
                Some(Then::End(end)) => portal.end_and_say(&known, end, &parts).await,
                None if return_to.is_some() => Ok(see_other(&portal.destination(return_to.as_ref()))),
                None => Ok(see_other(&Notice::Confirmed.told_on(&portal.home()))),
            }
            // The old session token is dead: whatever became of the deed, the browser must get the new one.
            .unwrap_or_else(IntoResponse::into_response);
            if !response.headers().contains_key(SET_COOKIE) {
                portal.deliver(&renewed, response.headers_mut())?;
            }
            Ok(response)
        }
        Reauthentication::Refused => {
            let mut page = again(StatusCode::UNAUTHORIZED, REFUSED).await?;
            page.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
            Ok(page)
        }
        Reauthentication::Wait(wait) => {
            let page = again(StatusCode::TOO_MANY_REQUESTS, throttled(wait)).await?;
            Ok(come_back(page, Problem::Throttled(wait).retry_after()))
        }
        Reauthentication::Gone => Ok(over()),
    }
}

const EXPIRED: Alert = open_too_long("alert-expired-confirm");

const REFUSED: Alert = Alert::plain("alert-password-wrong-title", "alert-password-wrong-text");

impl Portal {
    /// Has a holder prove themselves again; logged like a login.
    pub(crate) async fn reprove(
        &self,
        known: &Known,
        password: &str,
        parts: &Parts,
    ) -> Result<Reauthentication, Fault> {
        let source = self.source(parts);
        let outcome = self.login.reprove(&known.session, password, source).await;
        match &outcome {
            Ok(Reauthentication::Proven(renewed)) => event::confirmed(&renewed.session, source),
            Ok(Reauthentication::Refused) => {
                event::confirm_refused(known.session.id(), known.session.subject(), source)
            }
            Ok(Reauthentication::Wait(_)) => {
                event::login_throttled(LoginTarget::Account(known.session.subject()), source)
            }
            Ok(Reauthentication::Gone) => {}
            Err(_) => event::login_fault(),
        }
        outcome
    }

    /// Asks for the password before something is done. RFC 9470 section 3, for whoever reads the head.
    pub(super) async fn confirm_first(
        &self,
        known: &Known,
        parts: &Parts,
        then: Then,
    ) -> Result<Response, Problem> {
        let asked = self.confirm_form(known, parts, StatusCode::UNAUTHORIZED, Some(then), None, None);
        let mut page = asked.await?;
        page.headers_mut().insert(WWW_AUTHENTICATE, step_up_challenge(self.login.step_up));
        Ok(page)
    }

    /// The new session token of a session that goes on, as its cookie.
    pub(crate) fn deliver(&self, renewed: &NewToken, headers: &mut HeaderMap) -> Result<(), Fault> {
        let NewToken { token, session } = renewed;
        headers.append(SET_COOKIE, cookie::session(&self.decider.cookie, token, session, self.clock.now())?);
        Ok(())
    }

    async fn confirm_form(
        &self,
        known: &Known,
        parts: &Parts,
        status: StatusCode,
        then: Option<Then>,
        return_to: Option<&ReturnTo>,
        alert: Option<Alert>,
    ) -> Result<Response, Problem> {
        let Some(identifier) = self.called(&known.session).await? else {
            return Ok(self.session_over(&self.home()));
        };
        let frame = self.frame(parts);
        let (why, deed) = self.purpose(known, &frame.language, then).await?;
        let page = ConfirmPage {
            frame,
            csrf_token: self.csrf_token_of(known),
            identifier: &identifier,
            return_to: return_to.map_or("", ReturnTo::as_str),
            then,
            why,
            deed,
            alert,
        };
        Ok(self.render_with_script(status, &page)?)
    }

    /// Why we ask, and the id of what the button says.
    async fn purpose(
        &self,
        known: &Known,
        language: &Language,
        then: Option<Then>,
    ) -> Result<(String, &'static str), Fault> {
        Ok(match then {
            Some(Then::End(End::One(id))) => {
                let device = self.device_of(known, language, id).await?;
                let device = device.unwrap_or_else(|| language.say("confirm-that-device").into_owned());
                (language.say_with("confirm-why-end", "device", device), "confirm-submit-end")
            }
            Some(Then::End(End::Others)) => {
                (language.say("confirm-why-end-others").into_owned(), "confirm-submit-end-others")
            }
            None => (language.say("confirm-why").into_owned(), "confirm-submit"),
        })
    }
}
