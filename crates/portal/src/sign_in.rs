//! One attempt to sign in, the same for the page and for the API: where from, what it replaces, and what is logged of it.
//! In: what was typed and the request's head. Out: core's outcome.

use http::HeaderMap;
use http::request::Parts;
use vestibule_core::Fault;
use vestibule_core::login::{DeviceMark, LoginOutcome, LoginRequest};
use vestibule_core::session::SessionKind;
use vestibule_core::wire;

use crate::visitor::{Known, user_agent};
use crate::{Portal, event};

/// What was typed. No Debug.
pub(crate) struct Typed<'a> {
    pub(crate) identifier: &'a str,
    pub(crate) password: &'a str,
}

/// Who keeps what signing in gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// A browser, in cookies: it has room for one.
    Browser,
    /// A program, in whatever place it likes.
    Program,
}

impl Portal {
    /// Tries to sign in. A browser's session replaces the one that it holds; a program's session is its own.
    pub(crate) async fn sign_in(
        &self,
        typed: Typed<'_>,
        kind: SessionKind,
        keeper: Keeper,
        parts: &Parts,
    ) -> Result<LoginOutcome, Fault> {
        let held = match keeper {
            Keeper::Browser => self.held_by_browser(parts).await?,
            Keeper::Program => Vec::new(),
        };
        let identifier = typed.identifier;
        let outcome = self.attempt(typed, kind, held.first(), parts).await;
        if matches!(outcome, Ok(LoginOutcome::Opened { .. })) {
            // One was replaced in the same step. Where a browser came to hold more, it forgets them all, so they all end.
            for known in held.iter().skip(1) {
                self.sign_out(known, parts).await?;
            }
        }
        match &outcome {
            Ok(LoginOutcome::Opened { session, ended, .. }) => {
                event::login_succeeded(session);
                // The one that it replaced, and those that had to make room.
                event::sessions_ended(ended, session.id, session.subject, self.source(parts));
            }
            Ok(LoginOutcome::Refused) => {
                event::login_refused(self.login.whom(identifier).await, self.source(parts));
            }
            Ok(LoginOutcome::Wait(_)) => {
                event::login_throttled(self.login.whom(identifier).await, self.source(parts));
            }
            Err(_) => event::login_fault(),
        }
        outcome
    }

    async fn attempt(
        &self,
        typed: Typed<'_>,
        kind: SessionKind,
        held: Option<&Known>,
        parts: &Parts,
    ) -> Result<LoginOutcome, Fault> {
        let request = LoginRequest {
            identifier: typed.identifier,
            password: typed.password,
            source: self.source(parts),
            user_agent: &user_agent(&parts.headers),
            mark: self.device_mark(&parts.headers),
            kind,
            replaces: held.map(|known| known.session.id()),
        };
        self.login.attempt(request).await
    }

    /// The mark of a device that somebody signed in on. One that is sent twice, or as no mark of ours looks, is as good as none.
    fn device_mark(&self, headers: &HeaderMap) -> Option<DeviceMark> {
        let value = wire::cookie::single(headers, &self.device_cookie).ok().flatten()?;
        DeviceMark::from_cookie_value(value)
    }
}
