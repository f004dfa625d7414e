//! The wall between the outside and the services behind. In: a client's headers, or a service's. Out: what may pass of them: no
//! header that could be taken for one of ours, nothing that was meant for one hop, not our own cookies, and never the JWT back.
//!
//! Hop-by-hop headers go before ours are set, so that a client cannot have ours removed (RFC 9110 section 7.6.1).

use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use vestibule_core::route::Route;
use vestibule_core::wire::CookieName;

mod hop;
mod known;
mod names;

pub use known::KNOWN;
pub use names::{FAMILIES, PROTECTED};

/// What must not pass in this installation.
pub(crate) struct Scrub {
    cookies: Vec<CookieName>,
}

/// A `Connection` header names a header that is not the client's to remove, or is no list of names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Smuggled;

impl Scrub {
    /// `cookies` are the names of ours, which no service behind sees or sets.
    pub(crate) fn new(cookies: Vec<CookieName>) -> Self {
        Self { cookies }
    }

    /// What may pass of a client's headers to the service behind `route`.
    pub(crate) fn request(&self, client: &HeaderMap, route: &Route) -> Result<HeaderMap, Smuggled> {
        let options = hop::options(client);
        if options.iter().any(|option| !names::is_name(option) || is_not_to_be_named(option, route)) {
            return Err(Smuggled);
        }
        // Room for what we add.
        let mut passed = HeaderMap::with_capacity(client.keys_len() + 12);
        for (name, value) in client {
            let bytes = name.as_str().as_bytes();
            if !names::is_plain(bytes)
                || hop::is_by_nature(bytes)
                || options.iter().any(|option| names::alike(option, bytes))
                || (names::is_protected(bytes) && !route.pass_headers.contains(name))
                || is_named_by(route, bytes)
            {
                continue;
            }
            if *name != COOKIE {
                passed.append(name, value.clone());
            } else if let Some(rest) = self.without_ours(value) {
                passed.append(COOKIE, rest);
            }
        }
        Ok(passed)
    }

    /// What may pass of a service's headers to a client; `jwt` is the one that the service was given.
    pub(crate) fn response(&self, service: &HeaderMap, route: &Route, jwt: Option<&str>) -> HeaderMap {
        let options = hop::options(service);
        // Room for what the server adds.
        let mut passed = HeaderMap::with_capacity(service.keys_len() + 4);
        for (name, value) in service {
            let bytes = name.as_str().as_bytes();
            let is_barred = hop::is_by_nature(bytes)
                || options.iter().any(|option| names::alike(option, bytes))
                || (names::is_identity(bytes) && !(*name == AUTHORIZATION && route.passes_authorization()))
                || names::is_internal_redirect(bytes)
                || is_named_by(route, bytes)
                || (*name == SET_COOKIE && self.sets_ours(value))
                || jwt.is_some_and(|jwt| contains(value, jwt));
            if !is_barred {
                passed.append(name, value.clone());
            }
        }
        passed
    }

    /// A Cookie header without our cookies and their look-alikes, the others byte for byte; `None` when nothing is left.
    fn without_ours(&self, line: &HeaderValue) -> Option<HeaderValue> {
        let pairs = || line.as_bytes().split(|byte| *byte == b';');
        if !pairs().any(|pair| self.is_ours(pair)) {
            return Some(line.clone());
        }
        let rest = pairs().filter(|pair| !self.is_ours(pair)).collect::<Vec<_>>().join(&b';');
        let rest = rest.trim_ascii();
        if rest.is_empty() { None } else { HeaderValue::from_bytes(rest).ok() }
    }

    fn is_ours(&self, pair: &[u8]) -> bool {
        self.cookies.iter().any(|name| name.resembles(pair))
    }

    /// A browser cuts off white space and an empty name, and sends the rest (RFC 6265bis section 5.6): `==ours=x` comes back as `=ours=x`.
    fn sets_ours(&self, line: &HeaderValue) -> bool {
        let mut pair = line.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        while let [b'=' | b' ' | b'\t', rest @ ..] = pair {
            pair = rest;
        }
        self.is_ours(pair)
    }
}

/// Whether an operator gave this name to a header of ours, on this route or on another.
fn is_named_by(route: &Route, name: &[u8]) -> bool {
    names::alike(route.assertion_header.as_str().as_bytes(), name)
        || route.headers.iter().any(|(ours, _)| names::alike(ours.as_str().as_bytes(), name))
        || route.elsewhere.iter().any(|ours| names::alike(ours.as_str().as_bytes(), name))
}

fn is_not_to_be_named(option: &[u8], route: &Route) -> bool {
    names::is_protected(option) || names::is_kept(option) || is_named_by(route, option)
}

fn contains(value: &HeaderValue, jwt: &str) -> bool {
    !jwt.is_empty() && value.as_bytes().windows(jwt.len()).any(|window| window == jwt.as_bytes())
}
