//! The pages, as HTML that works without scripts. In: what a page says. Out: a response; every page names its language, its title
//! and its one stylesheet.

use std::borrow::Cow;
use std::time::Duration;

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use vestibule_core::Fault;
use vestibule_core::account::policy::PasswordReject;
use vestibule_core::live::LiveSession;

use crate::problem::Wording;
use crate::return_to::ReturnTo;
use crate::theme::Asset;
use crate::{Portal, moment};

pub(crate) mod account;
pub(crate) mod confirm;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod register;

/// What every page has around it.
struct Frame<'a> {
    site: &'a str,
    stylesheet: String,
    logo: Option<String>,
    mark: &'a [String; 2],
}

/// Something the reader must know before going on.
struct Alert {
    title: &'static str,
    text: Cow<'static, str>,
}

/// Which field an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Current,
    Identifier,
    New,
    Nothing,
    Repeated,
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

fn throttled(wait: Duration) -> Alert {
    let text = format!("Please wait {} before you try again.", moment::span(wait));
    Alert { title: "Too many attempts", text: Cow::Owned(text) }
}

fn password_refused(reject: PasswordReject) -> Alert {
    Alert { title: "Please choose another password", text: Cow::Owned(reject.to_string()) }
}

fn not_repeated() -> Alert {
    Alert {
        title: "The new passwords are not the same",
        text: Cow::Borrowed("You typed two different ones. Type the new password twice."),
    }
}

/// For a form whose token is no good any more; with what became of it, and what to do.
const fn open_too_long(text: &'static str) -> Alert {
    Alert { title: "This page had been open too long", text: Cow::Borrowed(text) }
}

/// When to come back, where that is known.
fn come_back(mut page: Response, when: Option<HeaderValue>) -> Response {
    if let Some(when) = when {
        page.headers_mut().insert(RETRY_AFTER, when);
    }
    page
}

impl Portal {
    fn frame(&self) -> Frame<'_> {
        Frame {
            site: &self.theme.name,
            stylesheet: self.theme.stylesheet.path(),
            logo: self.theme.logo.as_ref().map(Asset::path),
            mark: &self.theme.mark,
        }
    }

    /// What the holder of a session is called; `None` when the account is gone.
    async fn called(&self, session: &LiveSession) -> Result<Option<String>, Fault> {
        let account = self.accounts.find(session.subject()).await?;
        Ok(account.map(|account| account.identifier.as_str().to_owned()))
    }
}
