//! The swap, the same behind every door: decide, and give a JWT for the session. In: an inquiry. Out: all that a service behind
//! is told of who passes, or why nobody does; or a fault when it could not be told.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Level;
use vestibule_core::csrf::Binding;
use vestibule_core::csrf::origin::Origin;
use vestibule_core::decide::{Decider, Decision, Inquiry, Permit};
use vestibule_core::mint::Minter;
use vestibule_core::port::Entropy;
use vestibule_core::token::AccessToken;
use vestibule_core::wire::Paths;
use vestibule_core::wire::guard::Hsts;
use vestibule_core::{Fault, Reject, Timestamp};

use crate::answer::Answers;
use crate::identity::CSRF;
use crate::tally::Tally;

/// What every door shares: who decides, who mints, and how a no is told.
pub struct Swap {
    pub(crate) decider: Arc<Decider>,
    minter: Arc<Minter>,
    pub(crate) answers: Answers,
}

/// Yes or no, with what goes to the service behind.
pub(crate) enum Outcome {
    Challenge(Reject),
    Deny(Reject),
    Pass(Pass),
}

/// A permit with what was minted on it. Not Clone: the permit in it is consumed by who forwards.
pub(crate) struct Pass {
    pub(crate) permit: Permit,
    pub(crate) token: Option<Arc<AccessToken>>,
    /// A fresh CSRF token for the page being loaded; or the client's own header, where the route lets it pass.
    pub(crate) csrf: Option<HeaderValue>,
    /// The client's own `Authorization`, where the route lets it pass.
    pub(crate) authorization: Option<HeaderValue>,
}

impl Swap {
    /// `public` is the origin that browsers see; the login page is there. `hsts` goes with every answer of ours, `entropy` names
    /// incidents.
    pub fn new(
        decider: Arc<Decider>,
        minter: Arc<Minter>,
        public: &Origin,
        paths: &Paths,
        hsts: Hsts,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { decider, minter, answers: Answers::new(public, paths, hsts, entropy) }
    }

    pub(crate) async fn ask(&self, inquiry: &Inquiry<'_>, tally: &Tally) -> Result<Outcome, Fault> {
        let outcome = self.decide(inquiry).await;
        tally.note(&outcome);
        outcome
    }

    async fn decide(&self, inquiry: &Inquiry<'_>) -> Result<Outcome, Fault> {
        let tells = tracing::enabled!(target: "vestibule::swap", Level::DEBUG);
        let asked_at = if tells { self.decider.clock.now() } else { Timestamp::EPOCH };
        let permit = match self.decider.decide(inquiry).await? {
            Decision::Challenge(challenge) => return Ok(Outcome::Challenge(challenge.reject())),
            Decision::Deny(deny) => return Ok(Outcome::Deny(deny.reject())),
            Decision::Permit(permit) => permit,
        };
        let token = self.minter.mint(&permit).await?;
        if let (true, Some(token)) = (tells, &token) {
            tell(&permit, token, asked_at);
        }
        let route = permit.route();
        let authorization = self.decider.own_authorization(inquiry.headers, route).map(|value| {
            let mut value = value.clone();
            value.set_sensitive(true);
            value
        });
        let own_csrf = if route.passes_csrf_token() { only(inquiry.headers, &CSRF) } else { None };
        let csrf = match permit.ambient_session() {
            _ if own_csrf.is_some() => own_csrf,
            Some((session, judged_at)) if inquiry.method.is_safe() => {
                let fresh = self.decider.csrf.issue(Binding::Session(&session), judged_at);
                let mut value = HeaderValue::try_from(fresh)
                    .map_err(|_| Fault::Bug("a CSRF token is no header value"))?;
                value.set_sensitive(true);
                Some(value)
            }
            _ => None,
        };
        Ok(Outcome::Pass(Pass { permit, token, csrf, authorization }))
    }
}

/// The value of a header that is there exactly once.
fn only(headers: &HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none()).cloned()
}

/// One line per swap: who came as what, and what the service behind got for it. Identifiers alone, no credential.
fn tell(permit: &Permit, token: &AccessToken, asked_at: Timestamp) {
    tracing::debug!(
        target: "vestibule::swap",
        subject = token.subject().to_str().unwrap_or_default(),
        session.id = token.session().to_str().unwrap_or_default(),
        audience = permit.route().audience.as_deref().unwrap_or_default(),
        route = permit.route().path.as_str(),
        jwt.reused = token.minted_at < asked_at,
        "swapped a session for a JWT"
    );
}
