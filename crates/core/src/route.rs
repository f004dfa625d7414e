//! Which requests go where, and what each demands. In: host, path and method as the client sent them. Out: the one route
//! that covers them; a path with two meanings, or no route, is a no.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderName, Method};

use crate::principal::Assurance;
use crate::reject::Reject;
use crate::wire::{CredentialKind, Transport};

mod elsewhere;
mod path;

pub use elsewhere::Elsewhere;
pub use path::canonical_path;
use path::meaning;

#[cfg(test)]
mod tests;

/// One configured route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The host it answers for; `None` answers for any.
    pub host: Option<String>,
    /// What paths it covers.
    pub path: PathPattern,
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
    /// Where the built-in gateway sends the request; `None` is for forward-auth alone.
    pub upstream: Option<http::Uri>,
}

/// What paths a route covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// This path alone, and this one with a `/` behind it.
    Exact(String),
    /// Every path that begins with this one, which ends in `/`, and this one without that `/`.
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

/// What a route demands of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// How unsafe requests with an ambient credential are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// All routes, ready to be searched. An empty table denies everything.
#[derive(Default)]
pub struct RouteTable {
    by_host: HashMap<String, Vec<Arc<Route>>>,
    any_host: Vec<Arc<Route>>,
}

impl RouteTable {
    /// Takes the configured routes in any order.
    pub fn new(routes: Vec<Route>) -> Self {
        let mut table = Self::default();
        // `/p/` is the same page as `/p` to most services: unless it has a route of its own, it must not fall to a laxer one.
        let with_slash: Vec<Route> = routes
            .iter()
            .filter_map(|route| {
                let PathPattern::Exact(path) = &route.path else { return None };
                let sibling = format!("{path}/");
                let has_its_own =
                    routes.iter().any(|other| other.host == route.host && other.path.as_str() == sibling);
                (!has_its_own).then(|| Route { path: PathPattern::Exact(sibling), ..route.clone() })
            })
            .collect();
        let mut routes: Vec<Route> = routes.into_iter().chain(with_slash).collect();
        elsewhere::fill_in(&mut routes);
        for route in routes {
            let routes = match &route.host {
                Some(host) => table.by_host.entry(host.to_ascii_lowercase()).or_default(),
                None => &mut table.any_host,
            };
            routes.push(Arc::new(route));
        }
        for routes in table.by_host.values_mut().chain([&mut table.any_host]) {
            routes.sort_by_key(|route| std::cmp::Reverse(precedence(route)));
        }
        table
    }

    /// The most specific route for a request: its own host before any host, a literal path before a prefix, a longer prefix before
    /// a shorter, named methods before all methods.
    ///
    /// A path that another route of the same pattern covers for other methods does not fall through to a shorter pattern.
    pub fn find(&self, host: &str, path: &str, method: &Method) -> Result<&Arc<Route>, Reject> {
        // Compared by meaning: `%c3` and `%C3`, `@` and `%40` are one path to whoever serves it (RFC 3986 section 6.2.2).
        let path = meaning(path)?;
        let own = if self.by_host.is_empty() {
            None
        } else if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.by_host.get(&host.to_ascii_lowercase())
        } else {
            self.by_host.get(host)
        };
        for routes in own.into_iter().chain([&self.any_host]) {
            let mut covering: Option<&PathPattern> = None;
            for route in routes.iter().filter(|route| route.path.covers(&path)) {
                if covering.is_some_and(|pattern| *pattern != route.path) {
                    break;
                }
                covering = Some(&route.path);
                if route.methods.is_empty() || route.methods.contains(method) {
                    return Ok(route);
                }
            }
            if covering.is_some() {
                break;
            }
        }
        Err(Reject::NoRoute)
    }

    /// All routes, for listings.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.by_host.values().chain([&self.any_host]).flatten()
    }
}

fn precedence(route: &Route) -> (bool, usize, bool) {
    let exact = matches!(route.path, PathPattern::Exact(_));
    (exact, route.path.as_str().len(), !route.methods.is_empty())
}
