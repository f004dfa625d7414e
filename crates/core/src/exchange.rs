//! Token exchange (RFC 8693): a client that was shown a subject's token trades it for a JWT for the service that it calls next, on behalf of
//! the subject. In: the client, the token, and what it asks for. Out: a JWT that names both, the subject as `sub` and the client as `act`;
//! or why there is none.
//!
//! Nothing grows by it: not the scope, not the time, and what stands behind is the same live session.

use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_verify::{Claims, RevocationView, Verifier};

use crate::client::Client;
use crate::client_auth::are_clients_still;
use crate::decide::Decider;
use crate::fault::Fault;
use crate::id::SessionId;
use crate::live::{LiveSession, Use};
use crate::mint::{ClientJwt, Minter, OnBehalf};
use crate::port::{Clients, Directory};
use crate::session::SessionToken;
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// The most actors that a JWT names, one inside of the other (RFC 8693 section 4.1).
pub const MOST_ACTORS: usize = 4;

/// Exchanges.
pub struct Exchange {
    /// Judges sessions and access tokens.
    pub decider: Arc<Decider>,
    /// Mints.
    pub minter: Arc<Minter>,
    /// What was revoked before its time.
    pub revocations: Arc<RevocationView>,
    /// Knows sessions by their public name.
    pub directory: Arc<dyn Directory>,
    /// Knows who is a client still.
    pub clients: Arc<dyn Clients>,
}

/// What is traded, as the client says that it is (RFC 8693 section 3).
#[derive(Clone, Copy)]
pub enum SubjectToken<'a> {
    /// An access token of ours, or a JWT for the audience that the client itself serves.
    Access(&'a str),
    /// A session token, in the form that programs send.
    Session(&'a str),
}

/// What comes of it.
pub enum Exchanged {
    /// The JWT, what it is good for, and whom it speaks for.
    Jwt {
        /// The JWT.
        jwt: ClientJwt,
        /// Its scope.
        scopes: Vec<String>,
        /// The session behind.
        session: SessionId,
    },
    /// Nothing.
    Refused(NotExchanged),
}

/// Why nothing was exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotExchanged {
    /// The token is not good, or not any more, or not for this client.
    Token,
    /// It has passed through [`MOST_ACTORS`] hands already.
    Actors,
    /// A scope that the client has not, or that the token it was shown has not.
    Scope,
    /// The audience is not configured any more.
    Audience,
}

impl NotExchanged {
    /// A stable word for logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Actors => "actors",
            Self::Audience => "audience",
            Self::Scope => "scope",
            Self::Token => "subject-token",
        }
    }
}

/// What stands behind a token that may be traded.
struct Subject {
    live: Arc<LiveSession>,
    good_until: Timestamp,
    /// Who has acted so far, as `act` says it.
    act: Option<Value>,
    /// What the token is good for; no bounds where it is the subject's own.
    scopes: Option<Vec<String>>,
}

impl Exchange {
    /// Trades a token for a JWT for one audience. Whether the client may trade, and for this audience, is the caller's to know.
    /// `scopes` are those that it asks for; all that it can have where none is named.
    pub async fn exchange(
        &self,
        client: &Client,
        token: SubjectToken<'_>,
        audience: &str,
        scopes: &[&str],
    ) -> Result<Exchanged, Fault> {
        let Some(subject) = self.subject(client, token).await? else {
            return Ok(Exchanged::Refused(NotExchanged::Token));
        };
        let Some(granted) = granted(client, subject.scopes.as_deref(), scopes) else {
            return Ok(Exchanged::Refused(NotExchanged::Scope));
        };
        if actors(subject.act.as_ref()) >= MOST_ACTORS {
            return Ok(Exchanged::Refused(NotExchanged::Actors));
        }
        let mut act = json!({ "sub": client.id.to_string() });
        if let (Value::Object(members), Some(before)) = (&mut act, subject.act) {
            members.insert("act".to_owned(), before);
        }
        let on_behalf = OnBehalf { client, act, scopes: &granted, latest: subject.good_until };
        Ok(match self.minter.on_behalf(&subject.live.principal(), on_behalf, audience).await? {
            Some(jwt) => {
                let session = subject.live.id();
                Exchanged::Jwt { jwt, scopes: granted.into_iter().map(str::to_owned).collect(), session }
            }
            None => Exchanged::Refused(NotExchanged::Audience),
        })
    }

    async fn subject(&self, client: &Client, token: SubjectToken<'_>) -> Result<Option<Subject>, Fault> {
        let (digest, expires_at) = match token {
            SubjectToken::Session(text) => match SessionToken::from_bearer(text) {
                Ok(token) => (token.digest(&self.decider.pepper), None),
                Err(_) => return Ok(None),
            },
            SubjectToken::Access(jwt) => match self.decider.access_token(jwt) {
                Ok((digest, expires_at)) => (digest, Some(expires_at)),
                Err(_) => return self.shown_to(client, jwt).await,
            },
        };
        let behind = self.decider.behind_token(&digest, expires_at).await?;
        let Some((live, now, good_until)) = behind else { return Ok(None) };
        // Its holder asked for something, by way of the client.
        if live.used(now) == Use::ToBeNoted {
            self.decider.sessions.note_use(live.digest(), now);
        }
        Ok(Some(Subject { live, good_until, act: None, scopes: None }))
    }

    /// What stands behind a JWT that was presented to the client as a service, and that is for it and nobody else.
    async fn shown_to(&self, client: &Client, jwt: &str) -> Result<Option<Subject>, Fault> {
        let Some(audience) = client.serves.as_deref() else { return Ok(None) };
        let now = self.decider.clock.now();
        let verifier = Verifier::new(self.minter.issuer(), audience, self.minter.ring().published(now)?)
            .with_skew(0)
            .with_revocation(Arc::clone(&self.revocations));
        let Ok(claims) = verifier.verify_at(jwt, now.unix_seconds()) else { return Ok(None) };
        // A client that acts for itself has no session, and nobody acts on its behalf.
        let Some(session) = claims.sid().and_then(|sid| sid.parse::<SessionId>().ok()) else {
            return Ok(None);
        };
        if !are_clients_still(&*self.clients, &claims).await? {
            return Ok(None);
        }
        let Some(session) = self.directory.session(session, now).await? else { return Ok(None) };
        let live = Arc::new(LiveSession::new(&session));
        if live.judge(now).is_err() || live.subject().to_string() != claims.sub() {
            return Ok(None);
        }
        let good_until = Timestamp::from_unix_seconds(claims.exp()).min(live.ends_at());
        let act = claims.get("act").cloned();
        Ok(Some(Subject { live, good_until, scopes: act.as_ref().map(|_| scopes_of(&claims)), act }))
    }
}

fn scopes_of(claims: &Claims) -> Vec<String> {
    claims.scope().map(str::to_owned).collect()
}

/// Those that are asked for, or all that there can be, in the client's own order; `None` where one is asked for that cannot be had.
fn granted<'a>(client: &'a Client, bounds: Option<&[String]>, asked: &[&str]) -> Option<Vec<&'a str>> {
    let is_within = |scope: &str| bounds.is_none_or(|bounds| bounds.iter().any(|bound| bound == scope));
    let own: Vec<&str> = client.scopes.iter().map(String::as_str).filter(|scope| is_within(scope)).collect();
    if asked.is_empty() {
        return Some(own);
    }
    let all_there = asked.iter().all(|scope| own.contains(scope));
    all_there.then(|| own.into_iter().filter(|scope| asked.contains(scope)).collect())
}

fn actors(act: Option<&Value>) -> usize {
    std::iter::successors(act, |act| act.get("act")).count()
}
