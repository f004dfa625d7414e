//! Who calls: clients that prove who they are. In: what a program shows. Out: the client, or why it is not believed; and the end of a
//! client, with all that it still holds.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use vestibule_verify::{Assertion, KeySet, MAX_SKEW, Revocation, RevocationScope, RevocationView};

use crate::client::{Client, ClientId, ClientProof, ClientSecret, ClientSecretDigest, ShownAssertion};
use crate::fault::Fault;
use crate::port::{Clients, Clock, Consumed, OneTime};
use crate::secret::Pepper;
use crate::time::Timestamp;

mod actors;
mod failures;

pub(crate) use actors::are_clients_still;

use failures::Failures;

#[cfg(test)]
mod tests;

/// Knows clients by what they show.
pub struct ClientAuthenticator {
    clients: Arc<dyn Clients>,
    once: Arc<dyn OneTime>,
    revocations: Arc<RevocationView>,
    pepper: Pepper,
    issuer: String,
    clock: Arc<dyn Clock>,
    failures: Failures,
}

/// What a client shows.
#[derive(Clone, Copy)]
pub enum Shown<'a> {
    /// An assertion under its key; `client` where it was named beside it as well.
    Assertion {
        /// The `client_id` beside the assertion.
        client: Option<&'a str>,
        /// The assertion.
        jwt: &'a str,
    },
    /// Its name and its secret.
    Secret {
        /// The `client_id`.
        client: &'a str,
        /// The secret.
        secret: &'a str,
    },
}

/// Whether a client is who it says.
pub enum Known {
    /// It is this one.
    Client(Arc<Client>),
    /// It proved nothing.
    Refused(NotKnown),
    /// It proved nothing, and neither did so many before it from there: so long nothing more is said to it.
    Throttled(Duration),
}

/// Why a client is not believed. For logs; the client is told one and the same whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotKnown {
    /// LoginTarget it claims to be, where there is such a client.
    pub client: Option<ClientId>,
    /// Why.
    pub why: WhyNotKnown,
}

/// What was wrong with a client's proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNotKnown {
    /// The assertion is no good.
    Assertion(vestibule_verify::Reject),
    /// The assertion was shown before.
    AssertionAgain,
    /// It has shown more assertions than are remembered, all of which still hold.
    AssertionsTooMany,
    /// It names one client and shows another's proof.
    OtherClient,
    /// It was registered for the other method.
    OtherMethod,
    /// The secret is not its secret.
    Secret,
    /// There is no such client, or not any more.
    Unknown,
}

impl WhyNotKnown {
    /// A stable word for logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Assertion(_) => "assertion",
            Self::AssertionAgain => "assertion-again",
            Self::AssertionsTooMany => "assertions-too-many",
            Self::OtherClient => "client-other",
            Self::OtherMethod => "method-other",
            Self::Secret => "secret",
            Self::Unknown => "client-unknown",
        }
    }

    /// The code with its finer cause.
    pub fn detail(self) -> &'static str {
        match self {
            Self::Assertion(cause) => cause.code(),
            other => other.code(),
        }
    }
}

impl ClientAuthenticator {
    /// `issuer` is whom assertions must be meant for; `revocations` is what verifiers in this process look at.
    pub fn new(
        clients: Arc<dyn Clients>,
        once: Arc<dyn OneTime>,
        revocations: Arc<RevocationView>,
        pepper: Pepper,
        issuer: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { clients, once, revocations, pepper, issuer, clock, failures: Failures::default() }
    }

    /// A client by its public name, for what has it from a JWT of ours.
    pub async fn find(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        self.clients.find(id).await
    }

    /// Looks who it is. Whoever proves it is let in however many failed before, from the same address and in the same name: secrets and
    /// keys cannot be guessed, and nobody shall keep a client out by trying. What is bounded is what failures cost and say.
    pub async fn know(&self, shown: Shown<'_>, source: Option<IpAddr>) -> Result<Known, Fault> {
        let judged = match shown {
            Shown::Assertion { client, jwt } => self.by_assertion(client, jwt).await?,
            Shown::Secret { client, secret } => self.by_secret(client, secret).await?,
        };
        Ok(match judged {
            Ok(client) => Known::Client(client),
            Err(not_known) => match self.failures.count(source, self.clock.now()) {
                Ok(()) => Known::Refused(not_known),
                Err(wait) => Known::Throttled(wait),
            },
        })
    }

    /// Removes a client; says whether there was one. What it holds is refused from now on by whoever looks at the revocations of this
    /// process; `longest_jwt` is the longest life that one of its JWTs can have.
    pub async fn remove(&self, id: &ClientId, longest_jwt: Duration) -> Result<bool, Fault> {
        let is_removed = self.clients.remove(id).await?;
        if is_removed {
            let now = self.clock.now();
            let scope = RevocationScope::Subject {
                sub: id.to_string(),
                before: now.unix_seconds().saturating_add(1),
            };
            let forget_after = now.after(longest_jwt).unix_seconds().saturating_add(60);
            self.revocations.apply(Revocation::new(scope, forget_after));
        }
        Ok(is_removed)
    }

    async fn by_secret(&self, named: &str, secret: &str) -> Result<Result<Arc<Client>, NotKnown>, Fault> {
        let found = self.named(named).await?;
        let digest = match found.as_deref().map(|client| &client.proof) {
            Some(ClientProof::Secret(digest)) => *digest,
            // Compared all the same, so that time does not tell which clients there are.
            _ => ClientSecretDigest::from_bytes([0; 32]),
        };
        let is_behind = ClientSecret::parse(secret).is_some_and(|it| it.is_behind(&digest, &self.pepper));
        let Some(client) = found else { return Ok(Err(unknown())) };
        let refused = |why| Ok(Err(NotKnown { client: Some(client.id), why }));
        match client.proof {
            ClientProof::Keys(_) => refused(WhyNotKnown::OtherMethod),
            ClientProof::Secret(_) if is_behind => Ok(Ok(client)),
            ClientProof::Secret(_) => refused(WhyNotKnown::Secret),
        }
    }

    async fn by_assertion(
        &self,
        named: Option<&str>,
        jwt: &str,
    ) -> Result<Result<Arc<Client>, NotKnown>, Fault> {
        let assertion = match Assertion::read(jwt) {
            Ok(assertion) => assertion,
            Err(reject) => return Ok(Err(NotKnown { client: None, why: WhyNotKnown::Assertion(reject) })),
        };
        if named.is_some_and(|named| named != assertion.client_id()) {
            return Ok(Err(NotKnown { client: None, why: WhyNotKnown::OtherClient }));
        }
        let Some(client) = self.named(assertion.client_id()).await? else { return Ok(Err(unknown())) };
        let refused = |why| Ok(Err(NotKnown { client: Some(client.id), why }));
        let ClientProof::Keys(keys) = &client.proof else { return refused(WhyNotKnown::OtherMethod) };
        let now = self.clock.now();
        let shown = match self.judge(&client, assertion, keys, now) {
            Ok(shown) => shown,
            Err(reject) => return refused(WhyNotKnown::Assertion(reject)),
        };
        // Last of all: what was no good anyway is not remembered.
        match self.once.consume(shown, now).await? {
            Consumed::First => Ok(Ok(client)),
            Consumed::Again => refused(WhyNotKnown::AssertionAgain),
            Consumed::Full => refused(WhyNotKnown::AssertionsTooMany),
        }
    }

    fn judge(
        &self,
        client: &Client,
        assertion: Assertion<'_>,
        keys: &KeySet,
        now: Timestamp,
    ) -> Result<ShownAssertion, vestibule_verify::Reject> {
        let claims = assertion.verify(keys, &self.issuer, now.unix_seconds())?;
        // It is taken for as long as clocks may differ beyond its end.
        let last_taken = Timestamp::from_unix_seconds(claims.exp().saturating_add(MAX_SKEW));
        let jti = claims.jti().unwrap_or_default();
        Ok(ShownAssertion::new(client.id, jti, last_taken, &self.pepper))
    }

    async fn named(&self, name: &str) -> Result<Option<Arc<Client>>, Fault> {
        match name.parse() {
            Ok(id) => self.clients.find(&id).await,
            Err(_) => Ok(None),
        }
    }
}

const fn unknown() -> NotKnown {
    NotKnown { client: None, why: WhyNotKnown::Unknown }
}
