//! Where a request came from, by the headers that scripts cannot set: Fetch Metadata first, `Origin` for browsers without
//! it. Stricter than common practice: a request that says neither is refused, and scheme and port count.

use http::HeaderMap;
use http::header::ORIGIN;
use url::Url;

use crate::reject::Reject;
use crate::text::is_unseen;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The origins that pages of this installation have, as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

/// A web origin (RFC 6454): scheme, host and port, in its one serialised form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Why a text is not a web origin that a browser could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an origin: expected http://host or https://host, with a port from 1 to 65535 if need be and nothing behind it; \
     a host is a name of letters, digits, - and _ between dots, or an address"
)]
pub struct NotAnOrigin;

impl Origin {
    /// Parses `scheme://host[:port]` by the URL standard, and keeps what browsers serialise: scheme and host in lower case, names beyond
    /// ASCII in their `xn--` form, addresses in their canonical text, no default port.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(NotAnOrigin)?;
        // The standard drops, turns round or decodes these; in a configuration each of them is a slip.
        let is_plain = |c: char| !c.is_whitespace() && !is_unseen(c) && !"/\\?#@%".contains(c);
        let is_web = ["http", "https"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
        if !is_web || !authority.chars().all(is_plain) || authority.ends_with(':') {
            return Err(NotAnOrigin);
        }
        let url = Url::parse(text).map_err(|_| NotAnOrigin)?;
        let host_is_one = match url.host() {
            Some(url::Host::Domain(name)) => is_host_name(name),
            Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
            None => false,
        };
        if !host_is_one || url.port() == Some(0) {
            return Err(NotAnOrigin);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// The serialised form, as browsers send it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, without port.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or("", |(_, rest)| rest);
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => authority,
        }
    }

    /// The port, where it is not the scheme's own.
    pub fn port(&self) -> Option<u16> {
        let host_ends =
            self.0.split_once("://").map_or(0, |(scheme, _)| scheme.len() + 3) + self.host().len();
        self.0.get(host_ends..).and_then(|rest| rest.strip_prefix(':')).and_then(|port| port.parse().ok())
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl Origins {
    /// The configured origins.
    pub fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// Refuses a request that another site's page could have made.
    ///
    /// `Sec-Fetch-Site: same-origin` or `none` passes. Any other value passes only with an exactly listed `Origin`; so does its
    /// absence. A repeated header, `Origin: null` and the absence of both are refused.
    pub fn judge(&self, headers: &HeaderMap) -> Result<(), Reject> {
        let site = once(headers, SEC_FETCH_SITE)?;
        let origin = once(headers, ORIGIN.as_str())?;
        match (site, origin) {
            (Some("same-origin" | "none"), _) => Ok(()),
            (_, Some(origin)) if self.0.iter().any(|listed| listed.as_str() == origin) => Ok(()),
            _ => Err(Reject::CsrfOrigin),
        }
    }
}

/// Names that resolve: labels of 1 to 63 letters, digits, `-` and `_` (which the DNS takes and some networks use), no `-` at either end
/// (RFC 1123 section 2.1). The URL standard takes more, such as `*`, `;` and empty labels, and no browser ever gets an answer there.
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn once<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Reject> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Reject::CsrfOrigin),
        (Some(_), Some(_)) => Err(Reject::CsrfOrigin),
    }
}
