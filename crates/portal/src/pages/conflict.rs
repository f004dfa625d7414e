//! `/cookies/delete`, and the page that leads there: the way out for a browser whose cookies contradict each other, as another
//! site of the domain can cause. In: a request with such cookies. Out: a page with a button; and behind it, sessions that have ended
//! and a browser that was told to delete its cookies.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use vestibule_core::Fault;
use vestibule_core::wire::{CookieName, cookie as wire};

use super::{Frame, render, see_other};
use crate::address::LOGIN;
use crate::form::Form;
use crate::notice::Notice;
use crate::problem::Problem;
use crate::return_to::ReturnTo;
use crate::texts::Language;
use crate::{Portal, body, cookie, event};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// For all hosts of the registrable domain: what stands in the way was set by one of the others.
const COOKIES: HeaderValue = HeaderValue::from_static("\"cookies\"");

#[derive(Template)]
#[template(path = "conflict.html")]
struct ConflictPage<'a> {
    frame: Frame<'a>,
    return_to: &'a str,
}

/// `POST`: ends what the browser holds, then has it delete its cookies. No CSRF token can be asked for: what it is bound to is a
/// cookie. Another site's page is refused by its origin.
pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign(&parts)?;
    let form = Form::parse(&body::read(&parts.headers, body, body::FORM).await?)?;
    portal.end_all_held(&parts).await?;
    let return_to = portal.way_back_of_form(&form);
    let login = ReturnTo::handed_to(return_to.as_ref(), &portal.to(LOGIN));
    let mut response = see_other(&Notice::CookiesDeleted.told_on(&login));
    let headers = response.headers_mut();
    // For browsers that do not know Clear-Site-Data: at least what is ours.
    headers.append(SET_COOKIE, cookie::session_gone(&portal.decider.cookie)?);
    headers.append(SET_COOKIE, cookie::pre_session_gone(&portal.pre_session_cookie)?);
    headers.append(SET_COOKIE, cookie::access_gone(&portal.token_cookies.access)?);
    headers.append(SET_COOKIE, cookie::refresh_gone(&portal.token_cookies.refresh)?);
    headers.insert(CLEAR_SITE_DATA, COOKIES);
    Ok(response)
}

impl Portal {
    /// Whether a browser's cookies contradict each other in a way that would have its next request refused, signed in or not.
    pub(crate) fn has_conflicting_cookies(&self, parts: &Parts) -> bool {
        let given = self.token_cookies.given();
        let tokens = given.iter().flat_map(|names| [&names.access, &names.refresh]);
        self.conflicts(parts, [&self.decider.cookie].into_iter().chain(tokens))
    }

    /// Whether it cannot be said which form of before there is a session is this browser's: none that it is shown could be sent.
    pub(crate) fn has_conflicting_pre_sessions(&self, parts: &Parts) -> bool {
        self.conflicts(parts, [&self.pre_session_cookie])
    }

    /// Whether it cannot be said what a browser would be signed out of, also where it holds what browsers are given no more.
    pub(crate) fn has_conflicting_holdings(&self, parts: &Parts) -> bool {
        let names = &self.token_cookies;
        self.conflicts(parts, [&self.decider.cookie, &names.access, &names.refresh])
    }

    fn conflicts<'a>(&self, parts: &Parts, names: impl IntoIterator<Item = &'a CookieName>) -> bool {
        let conflicts = names.into_iter().any(|name| wire::single(&parts.headers, name).is_err());
        if conflicts {
            event::ambiguous_cookie(self.source(parts));
        }
        conflicts
    }

    /// The page with the way out. It takes no cookie back: a browser that lost its own would leave an open session behind.
    pub(crate) fn conflict_page(
        &self,
        language: Arc<Language>,
        return_to: Option<&ReturnTo>,
    ) -> Result<Response, Fault> {
        let return_to = return_to.map_or("", ReturnTo::as_str);
        render(StatusCode::FORBIDDEN, &ConflictPage { frame: self.frame_in(language), return_to })
    }

    /// Ends every session that one of a browser's cookies names, each judged as if it had come alone.
    async fn end_all_held(&self, parts: &Parts) -> Result<(), Fault> {
        let names = &self.token_cookies;
        let mut alone = parts.clone();
        alone.headers.clear();
        for name in [&self.decider.cookie, &names.access, &names.refresh] {
            for value in wire::every(&parts.headers, name) {
                let pair = [name.as_str().as_bytes(), b"=", value].concat();
                let Ok(pair) = HeaderValue::from_bytes(&pair) else { continue };
                alone.headers.insert(COOKIE, pair);
                for known in self.held_by_browser(&alone).await? {
                    self.sign_out(&known, parts).await?;
                }
            }
        }
        Ok(())
    }
}
