//! The pages, as HTML that works without scripts. In: what a page says. Out: a response; every page names its language, its title
//! and its one stylesheet, and some name our one script, which shows passwords and says times in the reader's zone.

use std::borrow::{Borrow, Cow};
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::header::{CONTENT_SECURITY_POLICY, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use vestibule_core::Fault;
use vestibule_core::account::policy::PasswordReject;
use vestibule_core::live::LiveSession;
use vestibule_core::secret::Password;
use vestibule_core::wire::Paths;

use crate::Portal;
use crate::answer::page_with_script;
use crate::problem::Problem;
use crate::return_to::ReturnTo;
use crate::texts::{Language, Say};

pub(crate) mod account;
pub(crate) mod confirm;
pub(crate) mod conflict;
pub(crate) mod identifier;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod password;
pub(crate) mod refusal;
pub(crate) mod register;

/// What every page has around it.
struct Frame<'a> {
    language: Arc<Language>,
    paths: &'a Paths,
    site: &'a str,
    stylesheet: String,
    /// For the pages that `Portal::render_with_script` renders; no other page may run it.
    script: Option<String>,
    logo: Option<String>,
    mark: &'a [String; 2],
    /// Where the application is.
    home: &'a str,
    /// The id of the text and the URL of each.
    links: &'a [(&'static str, String)],
    logo_alone: bool,
}

impl Frame<'_> {
    /// The text with this id.
    fn say(&self, id: &str) -> Cow<'_, str> {
        self.language.say(id)
    }

    /// The path of an address of ours.
    fn at(&self, address: &str) -> String {
        self.paths.to(address)
    }

    /// The text with this id, and one value in it.
    fn say_with(&self, id: &str, name: &str, value: &str) -> String {
        self.language.say_with(id, name, value)
    }

    /// The same with a number.
    fn count(&self, id: &str, name: &str, count: impl Borrow<usize>) -> String {
        self.language.say_with(id, name, *count.borrow())
    }

    /// A title, marked where the page tells of an error: what is read out first.
    fn title(&self, id: &str, alert: &Option<Alert>) -> String {
        let title = self.say(id);
        match alert {
            Some(_) => self.say_with("title-error", "title", &title),
            None => title.into_owned(),
        }
    }
}

/// Something the reader must know before going on.
struct Alert {
    title: Say,
    text: Say,
}

impl Alert {
    /// By the ids of texts into which nothing is filled.
    const fn plain(title: &'static str, text: &'static str) -> Self {
        Self { title: Say::plain(title), text: Say::plain(text) }
    }
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
    title: String,
    text: String,
    incident: Option<&'a str>,
}

/// The page for what went wrong.
pub(crate) fn problem(
    portal: &Portal,
    language: Arc<Language>,
    problem: &Problem,
    incident: Option<&str>,
) -> Response {
    let status = problem.wording().status;
    let [title, text] = problem.told().map(|say| language.tell(&say));
    let page = ProblemPage { frame: portal.frame_in(language), title, text, incident };
    // A page that cannot be rendered still has its status.
    render(status, &page).unwrap_or_else(|_| status.into_response())
}

fn render(status: StatusCode, page: &impl Template) -> Result<Response, Fault> {
    let html = page.render().map_err(|_| Fault::Bug("a page could not be rendered"))?;
    Ok((status, Html(html)).into_response())
}

/// 303, so that what follows is a GET whatever this was (RFC 9110 section 15.4.4).
fn see_other(path: &str) -> Response {
    Redirect::to(path).into_response()
}

fn throttled(wait: Duration) -> Alert {
    Alert {
        title: Say::plain("alert-throttled-title"),
        text: Say::plain("alert-throttled-text").span("wait", wait),
    }
}

fn password_refused(reject: PasswordReject) -> Alert {
    Alert { title: Say::plain("alert-policy-title"), text: password_rule(reject) }
}

/// Which rule a new password breaks.
pub(crate) fn password_rule(reject: PasswordReject) -> Say {
    match reject {
        PasswordReject::Common => Say::plain("alert-policy-common"),
        PasswordReject::Contextual => Say::plain("alert-policy-contextual"),
        PasswordReject::TooLong => {
            Say::plain("alert-policy-too-long").count("max", Password::MAX_CODE_POINTS)
        }
        PasswordReject::TooShort { min } => Say::plain("alert-policy-too-short").count("min", min),
    }
}

fn not_repeated() -> Alert {
    Alert::plain("alert-not-repeated-title", "alert-not-repeated-text")
}

/// For a form whose token is no good any more; with what became of it, and what to do.
const fn open_too_long(text: &'static str) -> Alert {
    Alert::plain("alert-expired-title", text)
}

/// When to come back, where that is known.
fn come_back(mut page: Response, when: Option<HeaderValue>) -> Response {
    if let Some(when) = when {
        page.headers_mut().insert(RETRY_AFTER, when);
    }
    page
}

impl Portal {
    /// Where a wish leads; without one, to the account page.
    fn destination(&self, return_to: Option<&ReturnTo>) -> String {
        return_to.map_or_else(|| self.home(), |wish| wish.as_str().to_owned())
    }

    /// What the page that answers this request has around it.
    fn frame(&self, parts: &Parts) -> Frame<'_> {
        self.frame_in(self.language(&parts.headers))
    }

    fn frame_in(&self, language: Arc<Language>) -> Frame<'_> {
        Frame {
            language,
            paths: &self.paths,
            site: &self.theme.name,
            stylesheet: self.theme.stylesheet.path(&self.paths),
            script: self.script_url().map(|_| self.theme.script.path(&self.paths)),
            logo: self.theme.logo.as_ref().map(|logo| logo.path(&self.paths)),
            mark: &self.theme.mark,
            home: &self.theme.home,
            links: &self.theme.links,
            logo_alone: self.theme.logo_alone && self.theme.logo.is_some(),
        }
    }

    /// A page whose template has our script, allowed to run it.
    fn render_with_script(&self, status: StatusCode, page: &impl Template) -> Result<Response, Fault> {
        let mut response = render(status, page)?;
        if let Some(url) = self.script_url() {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, page_with_script(&url)?);
        }
        Ok(response)
    }

    /// Where the script is, as a Content-Security-Policy names it. `None` where the origin's host is an IPv6 address: such a policy has
    /// no way to write it (CSP Level 3 section 2.3.1), and pages then have no script.
    fn script_url(&self) -> Option<String> {
        let origin = self.minter.issuer();
        (!origin.contains('[')).then(|| format!("{origin}{}", self.theme.script.path(&self.paths)))
    }

    /// The language of the pages for a request with these headers.
    pub(crate) fn language(&self, headers: &HeaderMap) -> Arc<Language> {
        self.texts.negotiate(headers)
    }

    /// What the holder of a session is called; `None` when the account is gone.
    async fn called(&self, session: &LiveSession) -> Result<Option<String>, Fault> {
        let account = self.accounts.find(session.subject()).await?;
        Ok(account.map(|account| account.identifier.as_str().to_owned()))
    }
}
