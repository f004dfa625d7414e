//! `/logout`: GET asks, POST does. In: a session and a form of ours. Out: a session that has ended on the server, a browser
//! that was told to forget it, and a way on. Signing out twice is no error.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use vestibule_core::Fault;
use vestibule_core::decide::CSRF_FIELD;

use super::{Alert, Frame, open_too_long, render, see_other};
use crate::address::{LOGIN, LOGOUT};
use crate::form::Form;
use crate::problem::Problem;
use crate::return_to::ReturnTo;
use crate::visitor::Known;
use crate::{Portal, body};

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutPage<'a> {
    frame: Frame<'a>,
    csrf_token: String,
    identifier: Option<&'a str>,
    return_to: &'a str,
    alert: Option<Alert>,
}

#[derive(Template)]
#[template(path = "signed_out.html")]
struct SignedOutPage<'a> {
    frame: Frame<'a>,
    login: String,
}

/// `GET`: asks, or says that there is nothing to sign out of. Where cookies contradict each other there may be something, and a page
/// that can end it.
pub(crate) async fn show(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let return_to = portal.way_back_of_query(&parts);
    if portal.has_conflicting_holdings(&parts) {
        return Ok(portal.conflict_page(portal.language(&parts.headers), return_to.as_ref())?);
    }
    Ok(match portal.held_by_browser(&parts).await?.first() {
        Some(known) => portal.logout_form(known, &parts, StatusCode::OK, return_to.as_ref(), None).await?,
        None => {
            let login = ReturnTo::handed_to(return_to.as_ref(), &portal.to(LOGIN));
            render(StatusCode::OK, &SignedOutPage { frame: portal.frame(&parts), login })?
        }
    })
}

/// `POST`: ends the session.
pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    // Also without a session: what is answered makes a browser forget, and SameSite kept the cookie from what another site sent.
    portal.refuse_foreign(&parts)?;
    let form = Form::parse(&body::read_optional(&parts.headers, body, body::FORM).await?)?;
    let return_to = portal.way_back_of_form(&form).or_else(|| portal.way_back_of_query(&parts));
    if portal.has_conflicting_holdings(&parts) {
        return Ok(portal.conflict_page(portal.language(&parts.headers), return_to.as_ref())?);
    }
    match portal.sign_out_browser(&parts, Some(form.field(CSRF_FIELD))).await {
        Ok(()) => {}
        // The origin was judged above: what is left to refuse is the token.
        Err(problem @ Problem::Rejected(_)) => {
            let held = portal.held_by_browser(&parts).await?;
            let Some(known) = held.first() else { return Err(problem) };
            let return_to = return_to.as_ref();
            let asked = portal.logout_form(known, &parts, StatusCode::FORBIDDEN, return_to, Some(EXPIRED));
            return Ok(asked.await?);
        }
        Err(problem) => return Err(problem),
    }
    let mut response = match &return_to {
        Some(wish) => see_other(wish.as_str()),
        None => see_other(&portal.to(LOGOUT)),
    };
    portal.forget_session(&parts.headers, response.headers_mut())?;
    Ok(response)
}

const EXPIRED: Alert = open_too_long("alert-expired-logout");

impl Portal {
    async fn logout_form(
        &self,
        known: &Known,
        parts: &Parts,
        status: StatusCode,
        return_to: Option<&ReturnTo>,
        alert: Option<Alert>,
    ) -> Result<Response, Fault> {
        let identifier = self.called(&known.session).await?;
        let page = LogoutPage {
            frame: self.frame(parts),
            csrf_token: self.csrf_token_of(known),
            identifier: identifier.as_deref(),
            return_to: return_to.map_or("", ReturnTo::as_str),
            alert,
        };
        render(status, &page)
    }
}
