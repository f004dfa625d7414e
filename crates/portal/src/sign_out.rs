//! Signing out, the same for the page and for the API: the session ends on the server, then the browser is told to forget.
//! In: the holder of a session. Out: headers.

use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use vestibule_core::port::Ending;
use vestibule_core::{Fault, Reject, wire};

use crate::problem::Problem;
use crate::visitor::Known;
use crate::{Portal, cookie, event};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// Not `"cookies"`: that would sign the browser out of every sibling host, too. Not `"cache"`: browsers take seconds for it, and what is
/// ours is never kept.
const STORAGE: HeaderValue = HeaderValue::from_static("\"storage\"");

impl Portal {
    /// Ends a session, durably: by its public name, which stays the same when another tab, or whoever has a copy, had the session token
    /// replaced a moment ago.
    pub(crate) async fn sign_out(&self, known: &Known, parts: &Parts) -> Result<(), Fault> {
        let ended = self.logout.end(Ending::One(known.session.id())).await?;
        // Another tab may have been first: then that one is in the log.
        for id in ended {
            event::logout(id, known.session.subject(), self.source(parts));
        }
        Ok(())
    }

    /// Ends whatever a browser's cookies name: a session, the tokens' session where those are what it holds, also when all that is left of
    /// them is the refresh token, and both where it came to hold both. A CSRF token of one of them shows that a page of ours asks.
    pub(crate) async fn sign_out_browser(&self, parts: &Parts, field: Option<&str>) -> Result<(), Problem> {
        let held = self.held_by_browser(parts).await?;
        // Nobody is told that they are signed out of what cannot be named.
        let names = [&self.decider.cookie, &self.token_cookies.refresh, &self.token_cookies.access];
        if held.is_empty() && names.iter().any(|name| wire::cookie::single(&parts.headers, name).is_err()) {
            return Err(Reject::AmbiguousCookie.into());
        }
        let mut refused = None;
        for known in &held {
            match self.refuse_forged(known, parts, field) {
                Ok(()) => {
                    for known in &held {
                        self.sign_out(known, parts).await?;
                    }
                    return Ok(());
                }
                Err(reject) => refused = Some(reject),
            }
        }
        refused.map_or(Ok(()), |reject| Err(reject.into()))
    }

    /// Tells the browser to forget the session; and, where the operator wants that, what the application's pages stored.
    pub(crate) fn forget_session(&self, asked: &HeaderMap, headers: &mut HeaderMap) -> Result<(), Fault> {
        headers.append(SET_COOKIE, cookie::session_gone(&self.decider.cookie)?);
        self.forget_all_tokens(asked, headers)?;
        if self.clears_storage {
            headers.insert(CLEAR_SITE_DATA, STORAGE);
        }
        Ok(())
    }
}
