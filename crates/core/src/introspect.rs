//! What a resource server may know of a token that somebody presented to it (RFC 7662): whether it is good at this moment, and then what
//! that server would be told by a JWT of its own; or that JWT itself, for which the presented token was a phantom.
//! In: the token as it was presented, and the audience that asks. Out: the JWT, the claims, or nothing at all.
//!
//! Good are a session token in the form that programs send, an access token of ours, and a JWT that was minted for the audience that asks.
//! Nothing else is: no refresh token, and nothing that is for another audience.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Map, Value};
use vestibule_verify::{Claims, RevocationView, Verified, Verifier};
use zeroize::Zeroizing;

use crate::client_auth::are_clients_still;
use crate::decide::Decider;
use crate::fault::Fault;
use crate::live::{LiveSession, Use};
use crate::mint::Minter;
use crate::port::{Clients, Directory, Recall};
use crate::session::{SessionDigest, SessionToken};
use crate::time::Timestamp;
use crate::token::AccessToken;

mod pace;

pub use pace::{Pace, Proof, Question};

#[cfg(test)]
mod tests;

/// An answer is kept by whoever asked for so long at most: for so long the end of a session may go unnoticed there.
pub const LONGEST_KEPT: Duration = Duration::from_secs(30);

/// So many questions a second one client may ask about tokens that are proven or were good before, and as many at once; and the same
/// about others.
pub const MOST_A_SECOND: NonZeroU32 = NonZeroU32::new(1000).unwrap();

/// Tells resource servers of tokens.
pub struct Introspector {
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
    /// How fast each of them may ask.
    pub pace: Pace,
}

/// A JWT in place of the token that was presented. No Debug: it is a credential.
pub struct Phantom {
    jwt: Jwt,
    /// For how long it may be handed on without asking again; never beyond its own end or that of what was presented.
    pub kept_for: Duration,
}

enum Jwt {
    /// Minted for the session, and kept with it.
    Minted(Arc<AccessToken>),
    /// What was presented is one already.
    Presented(Zeroizing<String>),
}

impl Phantom {
    /// The JWT, to be sent.
    pub fn jwt(&self) -> Bytes {
        match &self.jwt {
            Jwt::Minted(token) => token.jwt_bytes(),
            Jwt::Presented(jwt) => Bytes::copy_from_slice(jwt.as_bytes()),
        }
    }

    /// `Bearer <jwt>`.
    pub fn authorization(&self) -> Result<HeaderValue, Fault> {
        match &self.jwt {
            Jwt::Minted(token) => Ok(token.authorization()),
            Jwt::Presented(jwt) => {
                let mut bearer = HeaderValue::try_from(format!("Bearer {}", jwt.as_str()))
                    .map_err(|_| Fault::Bug("a JWT that verified is no header value"))?;
                bearer.set_sensitive(true);
                Ok(bearer)
            }
        }
    }
}

/// A token as it was presented to an audience, with what its form and signature say. No Debug: it is a credential.
pub struct PresentedToken<'a> {
    text: &'a str,
    audience: &'a str,
    kind: Kind,
}

/// What kind of token was presented.
enum Kind {
    /// An access token that we signed, for a session; good until then.
    Access(SessionDigest, Timestamp),
    /// A JWT that we signed for the audience that asks.
    Jwt(Verified<Claims>),
    /// Nothing that can be good.
    Other,
    /// A session token, by its form.
    Session(SessionDigest),
}

/// What stands behind a token that is good.
enum Behind {
    /// A session, judged at that moment; the token itself is good until then.
    Session { live: Arc<LiveSession>, judged_at: Timestamp, good_until: Timestamp },
    /// The claims of a JWT that is for the audience already.
    Claims { claims: Map<String, Value>, good_until: Timestamp },
}

impl Introspector {
    /// Reads a token that was presented to an audience of ours: its form, and the signature of a JWT. Reads no store.
    pub fn read<'a>(&self, text: &'a str, audience: &'a str) -> Result<PresentedToken<'a>, Fault> {
        let kind = if SessionToken::looks_like_bearer(text) {
            match SessionToken::from_bearer(text) {
                Ok(token) => Kind::Session(token.digest(&self.decider.pepper)),
                Err(_) => Kind::Other,
            }
        } else {
            match self.decider.access_token(text) {
                Ok((digest, expires_at)) => Kind::Access(digest, expires_at),
                Err(_) => self.jwt_for(text, audience)?.map_or(Kind::Other, Kind::Jwt),
            }
        };
        Ok(PresentedToken { text, audience, kind })
    }

    /// Whether the token itself proves that it was issued here: a signature of ours, or a session that is in memory. Only the holder of
    /// an issued token can show one, so a made-up token is never taken for proven.
    pub fn proof(&self, presented: &PresentedToken<'_>) -> Proof {
        match &presented.kind {
            Kind::Access(..) | Kind::Jwt(_) => Proof::Issued,
            Kind::Other => Proof::Missing,
            Kind::Session(digest) => match self.decider.sessions.recall(digest) {
                Recall::Known(_) => Proof::Issued,
                Recall::Cold | Recall::Unknown => Proof::Missing,
            },
        }
    }

    /// The JWT for an audience of ours in place of the token that was presented to it; `None` where that is good for nothing there. For
    /// the holder this is the swap that a door does, so it counts as use of the session.
    ///
    /// Warm, for a session token or an access token, this neither signs nor reads a store.
    pub async fn phantom(&self, presented: &PresentedToken<'_>) -> Result<Option<Phantom>, Fault> {
        let Some(behind) = self.behind(presented).await? else { return Ok(None) };
        match behind {
            Behind::Session { live, judged_at, good_until } => {
                let Some(token) = self.minter.for_audience(&live, judged_at, presented.audience).await?
                else {
                    return Ok(None);
                };
                if live.used(judged_at) == Use::ToBeNoted {
                    self.decider.sessions.note_use(live.digest(), judged_at);
                }
                let until = token.expires_at.min(good_until);
                Ok(Some(Phantom { jwt: Jwt::Minted(token), kept_for: kept_for(until, judged_at) }))
            }
            Behind::Claims { good_until, .. } => {
                let jwt = Jwt::Presented(Zeroizing::new(presented.text.to_owned()));
                Ok(Some(Phantom { jwt, kept_for: kept_for(good_until, self.decider.clock.now()) }))
            }
        }
    }

    /// What a JWT for the audience would say at this moment, for an audience of ours that would rather ask than verify; `None` where the
    /// token is good for nothing there. `exp` is when the token that was presented ends, if nobody ends it before. Looking is no use of the
    /// session.
    pub async fn claims(&self, presented: &PresentedToken<'_>) -> Result<Option<Map<String, Value>>, Fault> {
        match self.behind(presented).await? {
            Some(Behind::Session { live, good_until, .. }) => {
                self.minter.told(&live.principal(), good_until, presented.audience).await
            }
            Some(Behind::Claims { claims, .. }) => Ok(Some(claims)),
            None => Ok(None),
        }
    }

    async fn behind(&self, presented: &PresentedToken<'_>) -> Result<Option<Behind>, Fault> {
        let (digest, expires_at) = match &presented.kind {
            Kind::Access(digest, expires_at) => (digest, Some(*expires_at)),
            Kind::Jwt(claims) => return self.behind_jwt(claims).await,
            Kind::Other => return Ok(None),
            Kind::Session(digest) => (digest, None),
        };
        let behind = self.decider.behind_token(digest, expires_at).await?;
        Ok(behind.map(|(live, judged_at, good_until)| Behind::Session { live, judged_at, good_until }))
    }

    /// The claims of a JWT that was minted for the audience, by the keys that its services verify with.
    fn jwt_for(&self, jwt: &str, audience: &str) -> Result<Option<Verified<Claims>>, Fault> {
        let now = self.decider.clock.now();
        let keys = self.minter.ring().published(now)?;
        // By the clock that it was signed by: nobody is told of a token that it is good and over. Each verifier is for one question.
        let verifier = Verifier::new(self.minter.issuer(), audience, keys)
            .with_skew(0)
            .with_cache_capacity(0)
            .with_revocation(Arc::clone(&self.revocations));
        Ok(verifier.verify_at(jwt, now.unix_seconds()).ok())
    }

    /// A JWT whose session or client is there still: whoever asks is told at once of an end that those who verify by themselves learn of
    /// later.
    async fn behind_jwt(&self, claims: &Verified<Claims>) -> Result<Option<Behind>, Fault> {
        let now = self.decider.clock.now();
        let is_there = match (claims.sid().map(str::parse), claims.sub().parse()) {
            (Some(Ok(session)), _) => self.directory.session(session, now).await?.is_some(),
            (None, Ok(client)) => self.clients.find(&client).await?.is_some(),
            _ => false,
        };
        let is_there = is_there && are_clients_still(&*self.clients, claims).await?;
        Ok(is_there.then(|| Behind::Claims {
            good_until: Timestamp::from_unix_seconds(claims.exp()),
            claims: claims.members().clone(),
        }))
    }
}

fn kept_for(until: Timestamp, now: Timestamp) -> Duration {
    until.since(now).min(LONGEST_KEPT)
}
