//! Where a request came from, by the headers that scripts cannot set: Fetch Metadata first, `Origin` for browsers without
//! it. Stricter than common practice: a request that says neither is refused, and scheme and port count.

use http::HeaderMap;
use http::header::ORIGIN;

use crate::reject::Reject;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The origins that pages of this installation have, as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

/// A web origin (RFC 6454): scheme, host and port, in its one serialised form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Why a text is not a web origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin: expected http://host or https://host, with a port if need be and nothing behind it")]
pub struct NotAnOrigin;

impl Origin {
    /// Parses `scheme://host[:port]`; lower-cases scheme and host and drops a default port.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        let (scheme, rest) = text.split_once("://").ok_or(NotAnOrigin)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err(NotAnOrigin),
        };
        let uri: http::uri::Authority = rest.parse().map_err(|_| NotAnOrigin)?;
        if rest.contains('@') || uri.host().is_empty() || !rest.is_ascii() || uri.host().ends_with('.') {
            return Err(NotAnOrigin);
        }
        let host = uri.host().to_ascii_lowercase();
        match uri.port_u16() {
            Some(port) if port != default_port => Ok(Self(format!("{scheme}://{host}:{port}"))),
            None if uri.as_str().len() != uri.host().len() => Err(NotAnOrigin),
            _ => Ok(Self(format!("{scheme}://{host}"))),
        }
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

fn once<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Reject> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Reject::CsrfOrigin),
        (Some(_), Some(_)) => Err(Reject::CsrfOrigin),
    }
}
