//! Raw headers become typed input here and nowhere else. In: a header map and the names we answer to. Out: at most one
//! credential with the transport it came over; two, or a look-alike of ours, is a reject and never a choice.

use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, Method};

use crate::reject::Reject;
use crate::session::SessionToken;

pub mod bearer;
pub mod cookie;
pub mod form;
pub mod forwarded;
pub mod guard;
pub mod paths;
pub mod way_back;

pub use cookie::CookieName;
pub use paths::Paths;

/// How a credential travels. CSRF asks only whether it is ambient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Browsers send it unasked.
    Cookie,
    /// A program chose to send it.
    Header,
}

impl Transport {
    /// Whether a browser adds the credential to requests that other sites cause.
    pub const fn is_ambient(self) -> bool {
        matches!(self, Self::Cookie)
    }
}

/// What a credential is. Revocation asks only this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// It refers to a session that the store knows.
    Reference,
    /// It carries its own proof: a JWT.
    Value,
}

/// A credential as presented. No Debug: it holds the secret.
pub enum Credential<'a> {
    /// A session token.
    Reference(SessionToken),
    /// A JWT, not yet verified.
    Value(&'a str),
}

impl Credential<'_> {
    /// Which kind it is.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Reference(_) => CredentialKind::Reference,
            Self::Value(_) => CredentialKind::Value,
        }
    }
}

/// Whether a browser is loading a page, rather than a script or program fetching something: what the browser says of it (Fetch
/// Metadata, `Sec-Fetch-Mode`), or else a GET that takes HTML.
pub fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => {
            *method == Method::GET
                && headers.get_all(ACCEPT).iter().any(|accept| {
                    accept.to_str().is_ok_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
                })
        }
    }
}

/// The one credential of a request.
pub struct Presented<'a> {
    /// What it is.
    pub credential: Credential<'a>,
    /// How it came.
    pub transport: Transport,
}

/// Reads the one credential that a request carries; `None` when it carries none. `access` is the cookie of access tokens, where there is
/// one.
///
/// Query strings are not a transport. A cookie of ours beside any `Authorization` header is two credentials, and so are two cookies.
pub fn present<'a>(
    headers: &'a HeaderMap,
    session: &CookieName,
    access: Option<&CookieName>,
) -> Result<Option<Presented<'a>>, Reject> {
    let cookies = OurCookies::read(headers, session, access)?;
    if !cookies.is_there() {
        let presented = bearer::credential(headers)?;
        return Ok(presented.map(|credential| Presented { credential, transport: Transport::Header }));
    }
    if headers.contains_key(AUTHORIZATION) {
        return Err(Reject::TwoCredentials);
    }
    cookies.presented()
}

/// The same where the `Authorization` header is the service's business and no credential of ours.
pub fn present_in_cookie<'a>(
    headers: &'a HeaderMap,
    session: &CookieName,
    access: Option<&CookieName>,
) -> Result<Option<Presented<'a>>, Reject> {
    OurCookies::read(headers, session, access)?.presented()
}

/// The values of the cookies that hold a credential.
struct OurCookies<'a> {
    session: Option<&'a [u8]>,
    access: Option<&'a [u8]>,
}

impl<'a> OurCookies<'a> {
    fn read(
        headers: &'a HeaderMap,
        session: &CookieName,
        access: Option<&CookieName>,
    ) -> Result<Self, Reject> {
        let session = cookie::single(headers, session)?;
        let access = access.map_or(Ok(None), |name| cookie::single(headers, name))?;
        Ok(Self { session, access })
    }

    fn is_there(&self) -> bool {
        self.session.is_some() || self.access.is_some()
    }

    fn presented(self) -> Result<Option<Presented<'a>>, Reject> {
        let credential = match (self.session, self.access) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => return Err(Reject::TwoCredentials),
            (Some(value), None) => Credential::Reference(SessionToken::from_cookie_value(value)?),
            (None, Some(value)) => bearer::access_token(value)?,
        };
        Ok(Some(Presented { credential, transport: Transport::Cookie }))
    }
}

#[cfg(test)]
mod tests;
