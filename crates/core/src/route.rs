//! Which requests go where, and what each demands. In: host, path and method as the client sent them. Out: the one route
//! that covers them; a path with two meanings, or no route, is a no.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, Method};

use crate::principal::Assurance;
use crate::reject::Reject;
use crate::token::HeaderEncoding;
use crate::wire::{CredentialKind, Transport};

mod conflict;
mod elsewhere;
mod fold;
mod path;
mod stricter;
mod table;

pub use conflict::{Conflict, Exposure, conflict, exposures};
pub use elsewhere::Elsewhere;
pub use path::canonical_path;
use path::meaning;
pub use table::{Found, RouteTable};

#[cfg(test)]
mod tests;

/// One configured route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The host it answers for; `None` answers for any.
    pub host: Option<String>,
    /// What paths it covers.
    pub path: PathPattern,
    /// Whether other spellings of its paths get its verdict.
    pub case: Case,
    /// Whether it takes paths that programs read in different ways.
    pub ambiguous_path: AmbiguousPath,
    /// The methods it covers; empty covers all.
    pub methods: Vec<Method>,
    /// What it demands.
    pub requirement: Requirement,
    /// Which credentials over which transports it takes.
    pub accept: Accept,
    /// For whom a JWT is minted; `None` mints none (public routes alone).
    pub audience: Option<Arc<str>>,
    /// How unsafe requests with an ambient credential are judged.
    pub csrf: CsrfPolicy,
    /// Who is behind its requests: whether they keep a session alive.
    pub activity: Activity,
    /// Where the service behind gets its JWT.
    pub assertion_header: HeaderName,
    /// Claims that the service behind also gets as plain headers: header name, claim name.
    pub headers: Vec<(HeaderName, String)>,
    /// What other routes send their services and this one does not. [`RouteTable::new`] fills it in.
    pub elsewhere: Elsewhere,
    /// How these headers say what is not visible ASCII.
    pub headers_encoding: HeaderEncoding,
    /// Headers of the client that pass although they are of a kind that does not: for the built-in gateway.
    pub pass_headers: Vec<HeaderName>,
    /// Where the built-in gateway sends the request; `None` is for forward-auth alone.
    pub upstream: Option<http::Uri>,
}

impl Route {
    /// Whether the client's own `Authorization` header is the service's business: the route takes no credential from headers, and the
    /// service gets its JWT elsewhere.
    pub fn passes_authorization(&self) -> bool {
        !self.accept.takes_headers() && self.assertion_header != AUTHORIZATION
    }

    /// Whether the client's own `X-CSRF-Token` header is the service's business: the route asks for no token of ours.
    pub fn passes_csrf_token(&self) -> bool {
        self.csrf != CsrfPolicy::Token
    }
}

/// What paths a route covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// This path alone, and the same with a `/` added.
    Exact(String),
    /// Every path that begins with this one, which ends in `/`, and the same without that `/`.
    Prefix(String),
}

impl PathPattern {
    /// A pattern as configured: a prefix when it ends in `/`, else literal. The pattern itself must be canonical.
    pub fn parse(text: &str) -> Result<Self, Reject> {
        let meaning = meaning(text)?.into_owned();
        Ok(if meaning.ends_with('/') { Self::Prefix(meaning) } else { Self::Exact(meaning) })
    }

    /// The pattern, percent-decoded.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Exact(path) | Self::Prefix(path) => path,
        }
    }

    fn is_prefix(&self) -> bool {
        matches!(self, Self::Prefix(_))
    }

    /// The pattern that covers the folded forms of what this one covers.
    fn folded(&self) -> Self {
        match self {
            Self::Exact(path) => Self::Exact(fold::path(path)),
            Self::Prefix(path) => Self::Prefix(fold::path(path)),
        }
    }

    fn covers(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            // `/orders` is the same page as `/orders/` to most services: it must not fall to a wider, laxer route.
            Self::Prefix(prefix) => {
                path.starts_with(prefix.as_str()) || prefix.strip_suffix('/') == Some(path)
            }
        }
    }
}

/// Whether another spelling of a route's paths gets its verdict: other case, trailing dots and spaces, Unicode compatibility forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// It does, where that is stricter than the verdict of the route that covers the exact spelling.
    Fold,
    /// It does not: the service tells the spellings apart.
    Sensitive,
}

/// What happens to paths that programs read in different ways: empty segments, `;`, an encoded `/` or `;`, a second layer of encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmbiguousPath {
    /// They pass: every reading of them lies below the route's prefix, and no other route does.
    Pass,
    /// They are refused.
    Refuse,
}

/// What a route demands of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// Nothing; identity is passed on when there is a valid one.
    Public,
    /// A live credential of at least this assurance.
    SignedIn(Assurance),
}

/// Who is behind the requests of a route (NIST SP 800-63B-4 section 5.2: inactivity is the subscriber's, not the program's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A page that asks by itself, for news or to say that it is there: no use of the session.
    Background,
    /// A person, as far as anybody can tell: a use of the session.
    Person,
}

/// How unsafe requests with an ambient credential are judged, from lax to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CsrfPolicy {
    /// Not at all; logged at start.
    Off,
    /// By origin alone, for services with a token of their own.
    Origin,
    /// By origin and by our token.
    Token,
}

/// Which credentials over which transports a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accept(u8);

impl Accept {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// The default: sessions in cookie or header, JWTs in the header.
    pub const DEFAULT: Self = Self::NONE
        .with(CredentialKind::Reference, Transport::Cookie)
        .with(CredentialKind::Reference, Transport::Header)
        .with(CredentialKind::Value, Transport::Header);

    /// Takes this, too.
    #[must_use]
    pub const fn with(self, kind: CredentialKind, transport: Transport) -> Self {
        Self(self.0 | bit(kind, transport))
    }

    /// What both take.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it takes anything from the `Authorization` header.
    pub const fn takes_headers(self) -> bool {
        self.takes(CredentialKind::Reference, Transport::Header)
            || self.takes(CredentialKind::Value, Transport::Header)
    }

    /// Whether it takes this.
    pub const fn takes(self, kind: CredentialKind, transport: Transport) -> bool {
        self.0 & bit(kind, transport) != 0
    }
}

const fn bit(kind: CredentialKind, transport: Transport) -> u8 {
    match (kind, transport) {
        (CredentialKind::Reference, Transport::Cookie) => 1,
        (CredentialKind::Reference, Transport::Header) => 2,
        (CredentialKind::Value, Transport::Cookie) => 4,
        (CredentialKind::Value, Transport::Header) => 8,
    }
}
