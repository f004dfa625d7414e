//! The pages, as HTML that works without scripts. In: what a page says. Out: a response; every page names its language, its title
//! and its one stylesheet.

use std::borrow::Cow;

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;
use vestibule_core::Fault;
use vestibule_core::live::LiveSession;

use crate::Portal;
use crate::problem::Wording;
use crate::return_to::ReturnTo;
use crate::theme::Asset;

pub(crate) mod account;
pub(crate) mod login;
pub(crate) mod logout;

/// What every page has around it.
struct Frame<'a> {
    site: &'a str,
    stylesheet: String,
    logo: Option<String>,
}

/// Something the reader must know before going on.
struct Alert {
    title: &'static str,
    text: Cow<'static, str>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    frame: Frame<'a>,
    title: &'a str,
    detail: &'a str,
    incident: Option<&'a str>,
}

/// The page for what went wrong.
pub(crate) fn problem(portal: &Portal, wording: &Wording, incident: Option<&str>) -> Response {
    let page = ProblemPage { frame: portal.frame(), title: wording.title, detail: &wording.detail, incident };
    // A page that cannot be rendered still has its status.
    render(wording.status, &page).unwrap_or_else(|_| wording.status.into_response())
}

fn render(status: StatusCode, page: &impl Template) -> Result<Response, Fault> {
    let html = page.render().map_err(|_| Fault::Bug("a page could not be rendered"))?;
    Ok((status, Html(html)).into_response())
}

/// 303, so that what follows is a GET whatever this was (RFC 9110 section 15.4.4).
fn see_other(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// Where to go when nobody said where.
const HOME: &str = "/auth/account";

fn destination(return_to: Option<&ReturnTo>) -> &str {
    return_to.map_or(HOME, ReturnTo::as_str)
}

impl Portal {
    fn frame(&self) -> Frame<'_> {
        Frame {
            site: &self.theme.name,
            stylesheet: self.theme.stylesheet.path(),
            logo: self.theme.logo.as_ref().map(Asset::path),
        }
    }

    /// What the holder of a session is called; `None` when the account is gone.
    async fn called(&self, session: &LiveSession) -> Result<Option<String>, Fault> {
        let account = self.accounts.find(session.subject()).await?;
        Ok(account.map(|account| account.identifier.as_str().to_owned()))
    }
}
