//! One attempt to sign in, the same for the page and for the API: where from, what it replaces, and what is logged of it.
//! In: what was typed and the request's head. Out: core's outcome.

use http::HeaderMap;
use http::request::Parts;
use vestibule_core::Fault;
use vestibule_core::id::SessionId;
use vestibule_core::login::{DeviceMark, LoginOutcome, LoginRequest};
use vestibule_core::session::SessionKind;
use vestibule_core::wire;

use crate::visitor::user_agent;
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
        let outcome = self.attempt(typed, kind, keeper, parts).await;
        match &outcome {
            Ok(LoginOutcome::Opened { session, ended, .. }) => {
                event::login_succeeded(session);
                // The one that it replaced, and those that had to make room.
                event::sessions_ended(ended, session.id, session.subject, self.source(parts));
            }
            Ok(LoginOutcome::Refused) => event::login_refused(self.source(parts)),
            Ok(LoginOutcome::Wait(_)) => event::login_throttled(self.source(parts)),
            Err(_) => event::login_fault(),
        }
        outcome
    }

    async fn attempt(
        &self,
        typed: Typed<'_>,
        kind: SessionKind,
        keeper: Keeper,
        parts: &Parts,
    ) -> Result<LoginOutcome, Fault> {
        let replaces = match keeper {
            Keeper::Browser => self.session_held(parts).await?,
            Keeper::Program => None,
        };
        let request = LoginRequest {
            identifier: typed.identifier,
            password: typed.password,
            source: self.source(parts),
            user_agent: &user_agent(&parts.headers),
            mark: self.device_mark(&parts.headers),
            kind,
            replaces,
        };
        self.login.attempt(request).await
    }

    /// The mark of a device that somebody signed in on. One that is sent twice, or as no mark of ours looks, is as good as none.
    fn device_mark(&self, headers: &HeaderMap) -> Option<DeviceMark> {
        let value = wire::cookie::single(headers, &self.device_cookie).ok().flatten()?;
        DeviceMark::from_cookie_value(value)
    }

    async fn session_held(&self, parts: &Parts) -> Result<Option<SessionId>, Fault> {
        Ok(self.held_by_browser(parts).await?.first().map(|known| known.session.id()))
    }
}
