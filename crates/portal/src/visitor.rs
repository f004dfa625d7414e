//! Who asks, and from where. In: a request's head. Out: a live session, or why there is none; or a fault when it could not be
//! told, which is never taken for "nobody".

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use http::header::{ORIGIN, USER_AGENT};
use http::request::Parts;
use vestibule_core::csrf::Binding;
use vestibule_core::id::SessionId;
use vestibule_core::live::{LiveSession, Use};
use vestibule_core::session::SessionKind;
use vestibule_core::wire::{Credential, Presented, Transport, cookie};
use vestibule_core::{Fault, Reject};

use crate::problem::Problem;
use crate::{Peer, Portal, event};

/// Who asks.
pub(crate) enum Visitor {
    /// The holder of a live session.
    Known(Known),
    /// Nobody we know, and why.
    Stranger(Reject),
}

/// The holder of a live session.
pub(crate) struct Known {
    pub(crate) session: Arc<LiveSession>,
    transport: Transport,
}

impl Known {
    /// Known by something that the browser sent unasked.
    pub(crate) fn by_cookie(session: Arc<LiveSession>) -> Self {
        Self { session, transport: Transport::Cookie }
    }

    /// Refuses who holds tokens: they cannot be exchanged in the same step, as a session token is, when the password is given or changed.
    pub(crate) fn refuse_tokens(&self) -> Result<(), Problem> {
        match self.session.kind() {
            SessionKind::Tokens => Err(TOKENS),
            SessionKind::Browser | SessionKind::Client | SessionKind::Remembered => Ok(()),
        }
    }
}

const TOKENS: Problem = Problem::Unsupported(
    "session-required",
    "This takes a session. Sign in with mode \"session\" for it; signing in again for tokens is a proof, too.",
);

impl Portal {
    /// Who asks for a page. Pages know one credential, the cookie; an `Authorization` header is none of their business.
    pub(crate) async fn visitor_of_page(&self, parts: &Parts) -> Result<Visitor, Fault> {
        match cookie::session_token(&parts.headers, &self.decider.cookie) {
            Ok(Some(token)) => self.holder(&Credential::Reference(token), Transport::Cookie).await,
            Ok(None) => Ok(Visitor::Stranger(Reject::NoCredential)),
            Err(reject) => Ok(self.stranger(reject, parts)),
        }
    }

    /// Who calls the API: by session token or access token, in a cookie or in the `Authorization` header.
    pub(crate) async fn visitor_of_api(&self, parts: &Parts) -> Result<Visitor, Fault> {
        match self.decider.presented(&parts.headers) {
            Ok(Some(Presented { credential, transport })) => self.holder(&credential, transport).await,
            Ok(None) => Ok(Visitor::Stranger(Reject::NoCredential)),
            Err(reject) => Ok(self.stranger(reject, parts)),
        }
    }

    /// Who calls the API, where nobody but the holder of a session has anything to ask.
    pub(crate) async fn holder_of_api(&self, parts: &Parts) -> Result<Known, Problem> {
        match self.visitor_of_api(parts).await? {
            Visitor::Known(known) => Ok(known),
            Visitor::Stranger(reject) => Err(Problem::Rejected(reject)),
        }
    }

    async fn holder(&self, credential: &Credential<'_>, transport: Transport) -> Result<Visitor, Fault> {
        Ok(match self.decider.holder(credential).await? {
            Ok(session) => Visitor::Known(Known { session, transport }),
            Err(reject) => Visitor::Stranger(reject),
        })
    }

    fn stranger(&self, reject: Reject, parts: &Parts) -> Visitor {
        if reject == Reject::AmbiguousCookie {
            event::ambiguous_cookie(self.source(parts));
        }
        Visitor::Stranger(reject)
    }

    /// Takes a person's own request as use of the session. Calls that pages make by themselves to look at it are none.
    pub(crate) fn note_use(&self, known: &Known) {
        let now = self.clock.now();
        if known.session.used(now) == Use::ToBeNoted {
            self.decider.sessions.note_use(known.session.digest(), now);
        }
    }

    /// A fresh CSRF token for the pages of a session.
    pub(crate) fn csrf_token_of(&self, known: &Known) -> String {
        self.csrf_token_for(known.session.id())
    }

    /// The same for a session that was just opened.
    pub(crate) fn csrf_token_for(&self, session: SessionId) -> String {
        self.decider.csrf.issue(Binding::Session(&session), self.clock.now())
    }

    /// Refuses an unsafe request that another site could have caused: by origin, then by token, and only where the browser sends
    /// the credential unasked.
    pub(crate) fn refuse_forged(
        &self,
        known: &Known,
        parts: &Parts,
        field: Option<&str>,
    ) -> Result<(), Reject> {
        if !known.transport.is_ambient() {
            return Ok(());
        }
        self.refuse_foreign(parts)?;
        let binding = known.session.id();
        self.decider
            .csrf_token(&parts.headers, field, Binding::Session(&binding))
            .inspect_err(|reject| event::csrf_refused(*reject, self.source(parts)))
    }

    /// Refuses a request that does not come from a page of ours.
    pub(crate) fn refuse_foreign(&self, parts: &Parts) -> Result<(), Reject> {
        let judged = self.decider.origins.load().judge(&parts.headers);
        judged.inspect_err(|reject| event::csrf_refused(*reject, self.source(parts)))
    }

    /// The same for calls that programs make, too: browsers say where a request comes from, programs need not.
    pub(crate) fn refuse_foreign_where_said(&self, parts: &Parts) -> Result<(), Reject> {
        if parts.headers.contains_key("sec-fetch-site") || parts.headers.contains_key(ORIGIN) {
            return self.refuse_foreign(parts);
        }
        Ok(())
    }

    /// The client's address, behind proxies that we trust.
    pub(crate) fn source(&self, parts: &Parts) -> Option<IpAddr> {
        let Peer(peer) = parts.extensions.get::<Peer>()?;
        Some(self.proxies.client(*peer, &parts.headers))
    }
}

/// What the client says it is.
pub(crate) fn user_agent(headers: &HeaderMap) -> std::borrow::Cow<'_, str> {
    headers.get(USER_AGENT).map_or_else(Default::default, |value| String::from_utf8_lossy(value.as_bytes()))
}
