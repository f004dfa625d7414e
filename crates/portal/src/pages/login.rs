//! `/login`: the form, and what becomes of it. In: a password, behind a proof that our own page asked for it. Out: a session
//! cookie and a way on, or the same form again with nothing lost but the password.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{COOKIE, SET_COOKIE, WWW_AUTHENTICATE};
use http::request::Parts;
use vestibule_core::account::Identifier;
use vestibule_core::decide::CSRF_FIELD;
use vestibule_core::login::LoginOutcome;
use vestibule_core::session::SessionKind;
use vestibule_core::{Fault, Reject};

use super::{Alert, Frame, come_back, open_too_long, render, see_other, throttled};
use crate::address::REGISTER;
use crate::form::Form;
use crate::notice::Notice;
use crate::pre_session::PreSession;
use crate::problem::{CHALLENGE, Problem};
use crate::return_to::ReturnTo;
use crate::sign_in::{Keeper, Typed};
use crate::texts::Say;
use crate::visitor::{Known, Visitor};
use crate::{Portal, body, cookie, event};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: &'a str,
    return_to: &'a str,
    notice: Option<Notice>,
    alert: Option<Alert>,
    remember: Option<Remember>,
    register: Option<String>,
}

/// The offer to be remembered.
struct Remember {
    hint: String,
    is_wished: bool,
}

/// The value of the checkbox.
const REMEMBER: &str = "yes";

/// What is not lost when a form comes back.
#[derive(Default)]
struct Filled<'a> {
    identifier: &'a str,
    remember: bool,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: &'a str,
    destination: String,
}

/// `GET`: the form; or, for who is signed in already, the way on. Not a redirect: a service that sent the browser here although
/// it has a session would send it here again.
pub(crate) async fn show(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let return_to = portal.way_back_of_query(&parts);
    if portal.has_conflicting_cookies(&parts) {
        return Ok(portal.conflict_page(portal.language(&parts.headers), return_to.as_ref())?);
    }
    let visitor = portal.visitor_of_page(&parts).await?;
    if let Visitor::Known(known) = &visitor
        && let Some(response) = portal.rotated(known, &portal.destination(return_to.as_ref())).await?
    {
        return Ok(response);
    }
    if let Visitor::Known(known) = &visitor
        && let Some(mut page) = portal.signed_in_page(known, &parts, return_to.as_ref()).await?
    {
        portal.note_use(known);
        // With both, every door would refuse what comes next.
        portal.forget_held_tokens(&parts.headers, page.headers_mut())?;
        return Ok(page);
    }
    if portal.has_conflicting_pre_sessions(&parts) {
        return Ok(portal.conflict_page(portal.language(&parts.headers), return_to.as_ref())?);
    }
    let registered = portal.registered_name(&parts);
    let identifier = registered.as_ref().map_or("", Identifier::as_str);
    let filled = Filled { identifier, ..Filled::default() };
    Ok(portal.login_form(&parts, StatusCode::OK, &filled, return_to.as_ref(), None)?)
}

/// `POST`: origin first, then the form's token, then the password. A browser whose cookies would have its next request refused gets no
/// session: it could not use it, and the session would stay open.
pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign(&parts)?;
    let form = Form::parse(&body::read(&parts.headers, body, body::FORM).await?)?;
    let filled =
        Filled { identifier: form.field("identifier"), remember: form.field("remember") == REMEMBER };
    let return_to = portal.way_back_of_form(&form).or_else(|| portal.way_back_of_query(&parts));
    if portal.has_conflicting_cookies(&parts) {
        return Ok(portal.conflict_page(portal.language(&parts.headers), return_to.as_ref())?);
    }
    let again = |status, alert| portal.login_form(&parts, status, &filled, return_to.as_ref(), Some(alert));

    if let Err(reject) = portal.check_form_token(&parts, &form) {
        event::csrf_refused(reject, portal.source(&parts));
        // The common cause is a second tab whose login form outlived a login in the first.
        if let Visitor::Known(known) = portal.visitor_of_page(&parts).await?
            && let Some(page) = portal.signed_in_page(&known, &parts, return_to.as_ref()).await?
        {
            return Ok(page);
        }
        if reject == Reject::AmbiguousCookie {
            return Ok(portal.conflict_page(portal.language(&parts.headers), return_to.as_ref())?);
        }
        return Ok(again(StatusCode::FORBIDDEN, not_from_our_form(&parts, "alert-expired-login"))?);
    }
    let typed = Typed { identifier: filled.identifier, password: form.field("password") };
    let kind = if filled.remember { SessionKind::Remembered } else { SessionKind::Browser };
    match portal.sign_in(typed, kind, Keeper::Browser, &parts).await {
        Ok(LoginOutcome::Opened { token, session, mark, .. }) => {
            let mut response = see_other(&portal.destination(return_to.as_ref()));
            let headers = response.headers_mut();
            headers.append(
                SET_COOKIE,
                cookie::session(&portal.decider.cookie, &token, &session, portal.clock.now())?,
            );
            headers.append(SET_COOKIE, cookie::pre_session_gone(&portal.pre_session_cookie)?);
            headers.append(SET_COOKIE, cookie::device(&portal.device_cookie, &mark)?);
            portal.forget_all_tokens(&parts.headers, headers)?;
            Ok(response)
        }
        Ok(LoginOutcome::Refused) => {
            let mut page = again(StatusCode::UNAUTHORIZED, REFUSED)?;
            page.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
            Ok(page)
        }
        Ok(LoginOutcome::Wait(wait)) => {
            let page = again(StatusCode::TOO_MANY_REQUESTS, throttled(wait))?;
            Ok(come_back(page, Problem::Throttled(wait).retry_after()))
        }
        Err(fault) => {
            let incident = event::fault(&portal, &fault);
            let page =
                again(StatusCode::SERVICE_UNAVAILABLE, unavailable("alert-no-login-title", &incident))?;
            Ok(come_back(page, Problem::from(fault).retry_after()))
        }
    }
}

impl Portal {
    /// The form with a fresh CSRF token. The pre-session that the browser already has is kept, so that forms in other tabs and
    /// behind the back button stay good; its fifteen minutes start again.
    fn login_form(
        &self,
        parts: &Parts,
        status: StatusCode,
        filled: &Filled<'_>,
        return_to: Option<&ReturnTo>,
        alert: Option<Alert>,
    ) -> Result<Response, Fault> {
        let pre_session = self.pre_session(parts)?;
        let frame = self.frame(parts);
        let notice = Notice::from_query(parts).filter(|_| alert.is_none());
        // Those who just made an account need no other.
        let offers_account = self.registration.is_some() && notice != Some(Notice::Registered);
        let page = LoginPage {
            csrf_token: self.decider.csrf.issue(pre_session.binding(), self.clock.now()),
            identifier: filled.identifier,
            return_to: return_to.map_or("", ReturnTo::as_str),
            notice,
            alert,
            remember: self.login.remember.map(|limits| Remember {
                hint: frame.language.tell(
                    &Say::plain("login-remember-hint")
                        .span("idle", limits.idle)
                        .span("absolute", limits.absolute),
                ),
                is_wished: filled.remember,
            }),
            register: offers_account.then(|| ReturnTo::handed_to(return_to, &self.to(REGISTER))),
            frame,
        };
        let mut response = self.render_with_script(status, &page)?;
        let cookie = cookie::pre_session(&self.pre_session_cookie, &pre_session)?;
        response.headers_mut().append(SET_COOKIE, cookie);
        Ok(response)
    }

    /// What binds the browser's forms before there is a session: what it has already, or a new one.
    pub(super) fn pre_session(&self, parts: &Parts) -> Result<PreSession, Fault> {
        match PreSession::presented(&parts.headers, &self.pre_session_cookie) {
            // A name in it was for one page.
            Ok(Some(mut kept)) => {
                kept.take_registered();
                Ok(kept)
            }
            Ok(None) | Err(_) => PreSession::draw(&*self.entropy),
        }
    }

    /// What was registered a moment ago, where the page that follows is asked for.
    fn registered_name(&self, parts: &Parts) -> Option<Identifier> {
        Notice::from_query(parts).filter(|notice| *notice == Notice::Registered)?;
        let presented = PreSession::presented(&parts.headers, &self.pre_session_cookie);
        presented.ok().flatten()?.take_registered()
    }

    /// Whether a form of before there is a session is from a page that this browser was shown; what it is bound to.
    pub(super) fn check_form_token(&self, parts: &Parts, form: &Form) -> Result<PreSession, Reject> {
        let presented = PreSession::presented(&parts.headers, &self.pre_session_cookie)?;
        let pre_session = presented.ok_or(Reject::CsrfToken)?;
        self.decider.csrf_token(&parts.headers, Some(form.field(CSRF_FIELD)), pre_session.binding())?;
        Ok(pre_session)
    }

    /// "You are signed in"; `None` when the account went away meanwhile.
    async fn signed_in_page(
        &self,
        known: &Known,
        parts: &Parts,
        return_to: Option<&ReturnTo>,
    ) -> Result<Option<Response>, Fault> {
        let Some(identifier) = self.called(&known.session).await? else { return Ok(None) };
        let page = SignedInPage {
            frame: self.frame(parts),
            csrf_token: self.csrf_token_of(known),
            identifier: &identifier,
            destination: self.destination(return_to),
        };
        render(StatusCode::OK, &page).map(Some)
    }
}

/// One text for a wrong name, a wrong password, an unknown and a disabled account.
const REFUSED: Alert = Alert::plain("alert-login-refused-title", "alert-login-refused-text");

/// For a form whose token does not go with its browser. One that sends no cookie at all most likely keeps none.
pub(super) fn not_from_our_form(parts: &Parts, text: &'static str) -> Alert {
    if parts.headers.contains_key(COOKIE) {
        open_too_long(text)
    } else {
        Alert::plain("alert-cookies-needed-title", "alert-cookies-needed-text")
    }
}

pub(super) fn unavailable(title: &'static str, incident: &str) -> Alert {
    Alert { title: Say::plain(title), text: Say::plain("alert-unavailable-text").text("incident", incident) }
}
