//! Our cookie among all cookies of a request: byte-exact by name, alone, and without look-alikes (cookie tossing and prefix
//! bypass: RFC 6265bis sections 4.1.3 and 8.6). Nothing is trimmed, unquoted, decoded or case-folded to find it; what a laxer
//! parser would take for it (`look_alike`) is refused.

use http::HeaderMap;
use http::header::COOKIE;

use crate::reject::Reject;
use crate::session::SessionToken;

mod look_alike;

/// The exact name of a cookie of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName {
    exact: String,
}

/// Why a text cannot name a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cookie name is 1 to 64 characters out of a-z, 0-9, - and _")]
pub struct NotACookieName;

impl CookieName {
    /// The session cookie for an origin: `__Host-Http-<base>` over https, which browsers keep to this host, to HttpOnly and to
    /// Secure; plain `<base>` over http, which configuration allows on loopback alone.
    pub fn session(base: &str, https: Https) -> Result<Self, NotACookieName> {
        let good =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if base.is_empty() || base.len() > 64 || !base.bytes().all(good) {
            return Err(NotACookieName);
        }
        let exact = match https {
            Https::Yes => format!("__Host-Http-{base}"),
            Https::No => base.to_owned(),
        };
        Ok(Self { exact })
    }

    /// The cookie that binds a login form to the browser it was shown in.
    pub fn pre_session(base: &str, https: Https) -> Result<Self, NotACookieName> {
        Self::session(&format!("{base}_pre"), https)
    }

    /// The cookie that marks a device which an account was signed in on.
    pub fn device(base: &str, https: Https) -> Result<Self, NotACookieName> {
        Self::session(&format!("{base}_device"), https)
    }

    /// The cookie that carries an access token, for those who have it in a browser.
    pub fn access(base: &str, https: Https) -> Result<Self, NotACookieName> {
        Self::session(&format!("{base}_access"), https)
    }

    /// The cookie that carries the refresh token that goes with it.
    pub fn refresh(base: &str, https: Https) -> Result<Self, NotACookieName> {
        Self::session(&format!("{base}_refresh"), https)
    }

    /// The name as sent.
    pub fn as_str(&self) -> &str {
        &self.exact
    }

    /// Whether a `name=value`, as it stands in a Cookie or Set-Cookie header, is this cookie or is taken for it by some parser.
    pub fn resembles(&self, pair: &[u8]) -> bool {
        look_alike::is_taken_for(pair, self.exact.as_bytes())
    }

    /// Whether a Set-Cookie for this name must carry Secure.
    pub fn is_secure(&self) -> bool {
        self.exact.starts_with("__Host-")
    }
}

/// Whether the origin that browsers see is https.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Https {
    /// It is not: loopback development.
    No,
    /// It is.
    Yes,
}

/// The session token in the cookie of this name; `None` when there is no such cookie.
pub fn session_token(headers: &HeaderMap, name: &CookieName) -> Result<Option<SessionToken>, Reject> {
    match single(headers, name)? {
        None => Ok(None),
        Some(value) => SessionToken::from_cookie_value(value).map(Some),
    }
}

/// The value of the one cookie of this name, over all Cookie header lines. Twice, or beside a look-alike: refused.
pub fn single<'a>(headers: &'a HeaderMap, name: &CookieName) -> Result<Option<&'a [u8]>, Reject> {
    let mut found = None;
    for pair in pairs(headers) {
        let (cookie, value) = split(pair);
        let is_ours = cookie == name.exact.as_bytes();
        if (is_ours && found.replace(value).is_some()) || (!is_ours && name.resembles(pair)) {
            return Err(Reject::AmbiguousCookie);
        }
    }
    Ok(found)
}

/// Every value that a request carries under exactly this name, whatever stands beside it: not to pick one, but to end them all.
pub fn every<'a>(headers: &'a HeaderMap, name: &'a CookieName) -> impl Iterator<Item = &'a [u8]> {
    pairs(headers).map(split).filter(|(cookie, _)| *cookie == name.exact.as_bytes()).map(|(_, value)| value)
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(COOKIE).iter();
    // RFC 6265 section 4.2.1: pairs are parted by "; ". The one space belongs to the separator, any other to the name.
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.map(|pair| pair.strip_prefix(b" ").unwrap_or(pair))
}

/// Name and value of a pair; without `=` it is all value (RFC 6265bis section 5.6).
fn split(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(equals) => (pair.get(..equals).unwrap_or_default(), pair.get(equals + 1..).unwrap_or_default()),
        None => (&[], pair),
    }
}
