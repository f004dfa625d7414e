//! The only place that can say yes. In: a request as a door describes it. Out: a permit, a challenge or a denial; or a fault
//! when it could not be told. Doors, pages and the proxy can pass a permit on but cannot make one.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderMap, HeaderValue, Method};
use vestibule_verify::Verifier;

use crate::csrf::origin::Origins;
use crate::csrf::{Binding, CsrfTokens};
use crate::fault::Fault;
use crate::id::{SessionId, Subject};
use crate::live::{LiveSession, Load, Use};
use crate::port::{Clock, Recall, Sessions};
use crate::principal::Principal;
use crate::refresh_token;
use crate::reject::Reject;
use crate::route::{Activity, CsrfPolicy, Found, Requirement, Route, RouteTable};
use crate::secret::Pepper;
use crate::session::SessionDigest;
use crate::time::Timestamp;
use crate::wire::{self, CookieName, Credential, Presented, Transport};

mod ours;
mod trace;

pub use trace::{Step, Trace};

#[cfg(test)]
mod tests;

/// A request as a door describes it.
#[derive(Clone, Copy)]
pub struct Inquiry<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its host, without port.
    pub host: &'a str,
    /// Its path as the client sent it, without query.
    pub path: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The form field `csrf_token`, where the door can see the body.
    pub csrf_field: Option<&'a str>,
}

/// Yes or no.
pub enum Decision {
    /// Not without signing in: 401, or the login page.
    Challenge(Challenge),
    /// No: 403.
    Deny(Deny),
    /// Yes.
    Permit(Permit),
}

/// Signing in could help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(Reject);

/// Signing in would not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deny(Reject);

impl Challenge {
    /// Why.
    pub const fn reject(self) -> Reject {
        self.0
    }
}

impl Deny {
    /// Why.
    pub const fn reject(self) -> Reject {
        self.0
    }
}

/// Proof that a request may go to the service behind its route. Made here alone, not Clone, consumed by who forwards.
///
/// ```compile_fail,E0451
/// let forged = vestibule_core::decide::Permit { route: todo!(), bearer: None };
/// ```
///
/// ```compile_fail,E0599
/// fn twice(permit: vestibule_core::decide::Permit) { let (_one, _two) = (permit.clone(), permit); }
/// ```
pub struct Permit {
    route: Arc<Route>,
    bearer: Option<Bearer>,
}

/// Who was let through: a session that was live when the clock was last read, whether it was its session token that was presented or
/// an access token.
pub(crate) struct Bearer {
    pub(crate) live: Arc<LiveSession>,
    transport: Transport,
    pub(crate) judged_at: Timestamp,
}

impl Permit {
    /// The route that covers the request.
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// Who passes; `None` on a public route without a valid credential.
    pub fn principal(&self) -> Option<Principal> {
        self.bearer.as_ref().map(|bearer| bearer.live.principal())
    }

    /// The session behind an ambient credential, the one whose pages need CSRF tokens, and when it was judged.
    pub fn ambient_session(&self) -> Option<(SessionId, Timestamp)> {
        let bearer = self.bearer.as_ref().filter(|bearer| bearer.transport.is_ambient())?;
        Some((bearer.live.id(), bearer.judged_at))
    }

    pub(crate) fn bearer(&self) -> Option<&Bearer> {
        self.bearer.as_ref()
    }
}

/// Decides. Shared by all doors.
pub struct Decider {
    /// The routes, replaced as a whole on reload.
    pub routes: ArcSwap<RouteTable>,
    /// The origins that our pages have.
    pub origins: ArcSwap<Origins>,
    /// Where sessions are.
    pub sessions: Arc<dyn Sessions>,
    /// What session tokens are digested under.
    pub pepper: Pepper,
    /// What CSRF tokens are made and checked with.
    pub csrf: Arc<CsrfTokens>,
    /// The name of the session cookie.
    pub cookie: CookieName,
    /// The name of the cookie of access tokens, where browsers may have them.
    pub access_cookie: Option<CookieName>,
    /// What verifies JWTs presented at the edge: access tokens for the edge itself, never those minted for services behind.
    pub edge: Arc<Verifier>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Decider {
    /// Decides about one request.
    pub async fn decide(&self, inquiry: &Inquiry<'_>) -> Result<Decision, Fault> {
        self.decide_traced(inquiry, &mut Trace::off()).await
    }

    /// Decides about one request and says how: the same path, step by step.
    pub async fn decide_traced(&self, inquiry: &Inquiry<'_>, trace: &mut Trace) -> Result<Decision, Fault> {
        let found = match self.routes.load().find(inquiry.host, inquiry.path, inquiry.method) {
            Ok(found) => found,
            Err(reject) => return Ok(deny(reject, trace)),
        };
        let Found { route, exact } = found;
        trace.note(|| Step::Route {
            path: route.path.as_str().to_owned(),
            audience: route.audience.as_deref().map(str::to_owned),
            activity: route.activity,
            exact: exact.map(|exact| exact.path.as_str().to_owned()),
        });
        let bearer = match self.bearer(inquiry, &route, trace).await? {
            Ok(bearer) => bearer,
            Err(reject) => match route.requirement {
                // A public route serves strangers: a credential that is no good is the same as none, but two are not one.
                Requirement::Public if reject.asks_for_login() => None,
                _ if reject.asks_for_login() => return Ok(challenge(reject, trace)),
                _ => return Ok(deny(reject, trace)),
            },
        };
        match (&bearer, route.requirement) {
            (None, Requirement::SignedIn(_)) => return Ok(challenge(Reject::NoCredential, trace)),
            (Some(bearer), Requirement::SignedIn(needed)) if bearer.live.assurance() < needed => {
                return Ok(challenge(Reject::CredentialNotAccepted, trace));
            }
            _ => {}
        }
        if let Some(bearer) = &bearer
            && let Err(reject) = self.csrf(inquiry, &route, bearer)
        {
            return Ok(deny(reject, trace));
        }
        // Only a request that passes counts as use: a refused one must not keep a session alive, and neither must a page that asks
        // for news by itself.
        if let Some(Bearer { live, judged_at, .. }) = &bearer
            && route.activity == Activity::Person
            && live.used(*judged_at) == Use::ToBeNoted
        {
            self.sessions.note_use(live.digest(), *judged_at);
        }
        trace.note(|| Step::Permitted { subject: bearer.as_ref().map(|bearer| bearer.live.subject()) });
        Ok(Decision::Permit(Permit { route, bearer }))
    }

    async fn bearer(
        &self,
        inquiry: &Inquiry<'_>,
        route: &Route,
        trace: &mut Trace,
    ) -> Result<Result<Option<Bearer>, Reject>, Fault> {
        let presented = if route.passes_authorization() {
            wire::present_in_cookie(inquiry.headers, &self.cookie, self.access_cookie.as_ref())
        } else {
            self.presented(inquiry.headers)
        };
        let Presented { credential, transport } = match presented {
            Ok(Some(presented)) => presented,
            Ok(None) => return Ok(Ok(None)),
            Err(reject) => return Ok(Err(reject)),
        };
        trace.note(|| Step::Presented { kind: credential.kind(), transport });
        if !route.accept.takes(credential.kind(), transport) {
            return Ok(Err(Reject::CredentialNotAccepted));
        }
        Ok(self.judged_by(&credential, trace).await?.and_then(|(live, judged_at)| {
            if live.rotation_due(judged_at) {
                live.judge_rotation(load_of(inquiry, route), judged_at)?;
            }
            Ok(Some(Bearer { live, transport, judged_at }))
        }))
    }

    /// The one credential of a request, by any of our cookies or in the `Authorization` header.
    pub fn presented<'a>(&self, headers: &'a HeaderMap) -> Result<Option<Presented<'a>>, Reject> {
        wire::present(headers, &self.cookie, self.access_cookie.as_ref())
    }

    /// The client's own `Authorization` header, where a permitted request may take it to its service. A credential of ours stays here,
    /// however it is written: no service may use it in the client's name.
    pub fn own_authorization<'a>(&self, headers: &'a HeaderMap, route: &Route) -> Option<&'a HeaderValue> {
        if !route.passes_authorization() {
            return None;
        }
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().filter(|value| !value.is_empty())?;
        let is_ours = ours::is_in(value.as_bytes(), self.edge.issuer());
        (!is_ours && values.next().is_none()).then_some(value)
    }

    /// The live session behind a credential, judged by the clock: what the pages and the API of the portal ask.
    pub async fn holder(
        &self,
        credential: &Credential<'_>,
    ) -> Result<Result<Arc<LiveSession>, Reject>, Fault> {
        Ok(self.judged_by(credential, &mut Trace::off()).await?.map(|(live, _)| live))
    }

    async fn judged_by(
        &self,
        credential: &Credential<'_>,
        trace: &mut Trace,
    ) -> Result<Result<(Arc<LiveSession>, Timestamp), Reject>, Fault> {
        match credential {
            Credential::Reference(token) => self.judged(&token.digest(&self.pepper), trace).await,
            Credential::Value(jwt) => match self.access_token_traced(jwt, trace) {
                Ok((digest, _)) => self.judged(&digest, trace).await,
                Err(reject) => Ok(Err(reject)),
            },
        }
    }

    /// The live session behind a token that a program holds, for whoever was shown it and asks by other ways than a door; with when it was
    /// judged, and until when the token is good: not beyond its own end (`expires_at`) nor the session's. `None`: it is not good.
    pub(crate) async fn behind_token(
        &self,
        digest: &SessionDigest,
        expires_at: Option<Timestamp>,
    ) -> Result<Option<(Arc<LiveSession>, Timestamp, Timestamp)>, Fault> {
        let Ok((live, now)) = self.judged(digest, &mut Trace::off()).await? else { return Ok(None) };
        // As for everything that is fetched: its holder can be given the next token on a page alone.
        if live.judge_rotation(Load::Part, now).is_err() {
            return Ok(None);
        }
        let good_until = expires_at.map_or(live.ends_at(), |expires_at| expires_at.min(live.ends_at()));
        // The doors take an access token for a moment longer, for those who sent it in time.
        Ok((now < good_until).then_some((live, now, good_until)))
    }

    async fn judged(
        &self,
        digest: &SessionDigest,
        trace: &mut Trace,
    ) -> Result<Result<(Arc<LiveSession>, Timestamp), Reject>, Fault> {
        let (found, warm) = match self.sessions.recall(digest) {
            Recall::Known(live) => (Some(live), true),
            Recall::Unknown => (None, true),
            Recall::Cold => (self.sessions.find(digest).await?, false),
        };
        let Some(live) = found else {
            trace.note(|| Step::NoSession { warm });
            return Ok(Err(Reject::UnknownSession));
        };
        trace.note(|| Step::Session {
            id: live.id(),
            subject: live.subject(),
            version: live.version(),
            epoch: live.epoch(),
            warm,
        });
        // After all waiting: what was found is judged by the time at which it is let through.
        let now = self.clock.now();
        Ok(live.judge(now).map(|()| (live, now)))
    }

    /// What the session behind an access token is looked up by, alive or not.
    pub fn session_of(&self, jwt: &str) -> Result<SessionDigest, Reject> {
        self.access_token(jwt).map(|(digest, _)| digest)
    }

    /// The same with when the access token expires.
    pub(crate) fn access_token(&self, jwt: &str) -> Result<(SessionDigest, Timestamp), Reject> {
        self.access_token_traced(jwt, &mut Trace::off())
    }

    /// What the session behind an access token is looked up by, and when the token expires. An access token says whose it is; whether that still holds is asked of the
    /// session, as for everybody else: one that was ended, disabled or demoted a moment ago is refused, whatever the JWT says.
    fn access_token_traced(
        &self,
        jwt: &str,
        trace: &mut Trace,
    ) -> Result<(SessionDigest, Timestamp), Reject> {
        let claims = self.edge.verify_at(jwt, self.clock.now().unix_seconds()).map_err(Reject::Jwt)?;
        // What we sign has these; a JWT without them is none of ours, whatever its signature says.
        let subject: Subject = claims.sub().parse().map_err(|_| Reject::MalformedCredential)?;
        let session: SessionId =
            claims.sid().and_then(|sid| sid.parse().ok()).ok_or(Reject::MalformedCredential)?;
        trace.note(|| Step::Jwt { subject, expires_at: claims.exp() });
        Ok((refresh_token::session_digest(session, &self.pepper), Timestamp::from_unix_seconds(claims.exp())))
    }

    fn csrf(&self, inquiry: &Inquiry<'_>, route: &Route, bearer: &Bearer) -> Result<(), Reject> {
        if !bearer.transport.is_ambient() || route.csrf == CsrfPolicy::Off {
            return Ok(());
        }
        if inquiry.method.is_safe() && !opens_a_channel(inquiry.headers) {
            return Ok(());
        }
        self.origins.load().judge(inquiry.headers)?;
        if route.csrf == CsrfPolicy::Origin || inquiry.method.is_safe() {
            return Ok(());
        }
        self.csrf_token(inquiry.headers, inquiry.csrf_field, Binding::Session(&bearer.live.id()))
    }

    /// Whether a request carries a good CSRF token, in the `X-CSRF-Token` header or else in the form field. Both at once must
    /// both be good; the query string and cookies do not count.
    pub fn csrf_token(
        &self,
        headers: &HeaderMap,
        field: Option<&str>,
        binding: Binding<'_>,
    ) -> Result<(), Reject> {
        let now = self.clock.now();
        let mut from_header = headers.get_all(CSRF_HEADER).iter();
        match (from_header.next(), from_header.next(), field) {
            (None, _, None) | (Some(_), Some(_), _) => Err(Reject::CsrfToken),
            (None, _, Some(field)) => self.csrf.check(binding, field.as_bytes(), now),
            (Some(header), None, None) => self.csrf.check(binding, header.as_bytes(), now),
            (Some(header), None, Some(field)) => {
                self.csrf.check(binding, header.as_bytes(), now)?;
                self.csrf.check(binding, field.as_bytes(), now)
            }
        }
    }
}

/// The header that carries a CSRF token, in both directions.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// The form field that carries a CSRF token.
pub const CSRF_FIELD: &str = "csrf_token";

/// Whether the request is one that a browser can be sent to the login page with and come back from. From a public route nobody is
/// sent there: its pages are shown to whoever comes.
fn load_of(inquiry: &Inquiry<'_>, route: &Route) -> Load {
    let is_page = *inquiry.method == Method::GET
        && route.requirement != Requirement::Public
        && wire::is_navigation(inquiry.method, inquiry.headers);
    if is_page { Load::Page } else { Load::Part }
}

/// Whether a GET would become a two-way channel, which other sites' scripts may open with our cookie and then read and write
/// (cross-site WebSocket hijacking). A script cannot add our token to it; where it comes from is judged. Proxies that ask us may
/// have taken `Upgrade` out already, so the handshake's own header counts as well.
fn opens_a_channel(headers: &HeaderMap) -> bool {
    // h2c is HTTP again, and no browser speaks it.
    let upgrades = headers.get_all(UPGRADE).iter().any(|to| !to.as_bytes().eq_ignore_ascii_case(b"h2c"));
    upgrades || headers.contains_key(SEC_WEBSOCKET_KEY)
}

fn challenge(reject: Reject, trace: &mut Trace) -> Decision {
    trace.note(|| Step::Refused { reject });
    Decision::Challenge(Challenge(reject))
}

fn deny(reject: Reject, trace: &mut Trace) -> Decision {
    trace.note(|| Step::Refused { reject });
    Decision::Deny(Deny(reject))
}
