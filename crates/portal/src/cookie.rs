//! Our cookies as Set-Cookie says them (RFC 6265bis section 4.1): always Path=/, HttpOnly and SameSite, Secure wherever the
//! origin is https, never Domain. In: names and secrets. Out: header values, marked sensitive.

use http::HeaderValue;
use vestibule_core::login::DeviceMark;
use vestibule_core::login::known_device::KEPT_SECONDS;
use vestibule_core::session::{Session, SessionKind, SessionToken};
use vestibule_core::token::AccessToken;
use vestibule_core::wire::CookieName;
use vestibule_core::{Fault, Timestamp};

use crate::pre_session::PreSession;

/// How long a login form may stay open before its browser forgets what binds it: 15 minutes.
const PRE_SESSION_SECONDS: u32 = 15 * 60;

/// Browsers keep no cookie longer: 400 days (RFC 6265bis section 5.5).
const LONGEST_SECONDS: u32 = 400 * 24 * 60 * 60;

/// Name and value of a cookie that every browser takes (RFC 6265bis section 5.6).
const LONGEST_PAIR: usize = 4096;

const TOO_LONG: Fault = Fault::Bug("a token is longer than any browser takes a cookie");

/// How cookies of a name are to be treated by browsers.
#[derive(Clone, Copy)]
enum SameSite {
    /// Follows links from mail and chat.
    Lax,
    /// Stays on the site.
    Strict,
}

/// A session's secret. No Max-Age: how long a session lives is the server's business, and the browser may end it earlier. A remembered
/// session's outlives the browser, for as long as the session may live.
pub(crate) fn session(
    name: &CookieName,
    token: &SessionToken,
    session: &Session,
    now: Timestamp,
) -> Result<HeaderValue, Fault> {
    let max_age = match session.kind {
        SessionKind::Remembered => {
            let left = session.ends_at.since(now).as_secs();
            Some(u32::try_from(left).unwrap_or(LONGEST_SECONDS).min(LONGEST_SECONDS))
        }
        SessionKind::Browser | SessionKind::Client | SessionKind::Tokens => None,
    };
    set_cookie(name, &token.reveal_cookie_value(), SameSite::Lax, max_age)
}

/// Takes the session cookie back.
pub(crate) fn session_gone(name: &CookieName) -> Result<HeaderValue, Fault> {
    set_cookie(name, "", SameSite::Lax, Some(0))
}

/// What binds a login form to its browser. Lax: a browser that arrives by a link from another site must bring the one it has, or each
/// arrival would replace it and spoil the forms in all other tabs. What another site posts comes without it all the same.
pub(crate) fn pre_session(name: &CookieName, value: &PreSession) -> Result<HeaderValue, Fault> {
    set_cookie(name, &value.reveal(), SameSite::Lax, Some(PRE_SESSION_SECONDS))
}

/// Takes the pre-session cookie back.
pub(crate) fn pre_session_gone(name: &CookieName) -> Result<HeaderValue, Fault> {
    set_cookie(name, "", SameSite::Lax, Some(0))
}

/// What marks the device as one that an account was signed in on: kept for a year, whoever signs out in between.
pub(crate) fn device(name: &CookieName, mark: &DeviceMark) -> Result<HeaderValue, Fault> {
    set_cookie(name, &mark.reveal_cookie_value(), SameSite::Strict, Some(KEPT_SECONDS))
}

/// An access token. No Max-Age: it says by itself when it ends, and the browser may end it earlier.
pub(crate) fn access(name: &CookieName, token: &AccessToken) -> Result<HeaderValue, Fault> {
    set_cookie(name, token.jwt(), SameSite::Lax, None)
}

/// Takes the access token back.
pub(crate) fn access_gone(name: &CookieName) -> Result<HeaderValue, Fault> {
    set_cookie(name, "", SameSite::Lax, Some(0))
}

/// A refresh token. No Max-Age, for the reason that a session's secret has none.
pub(crate) fn refresh(name: &CookieName, token: &str) -> Result<HeaderValue, Fault> {
    set_cookie(name, token, SameSite::Strict, None)
}

/// Takes the refresh token back.
pub(crate) fn refresh_gone(name: &CookieName) -> Result<HeaderValue, Fault> {
    set_cookie(name, "", SameSite::Strict, Some(0))
}

fn set_cookie(
    name: &CookieName,
    value: &str,
    same_site: SameSite,
    max_age: Option<u32>,
) -> Result<HeaderValue, Fault> {
    // Browsers drop what is longer without a word, and keep what they had before.
    if name.as_str().len() + value.len() > LONGEST_PAIR {
        return Err(TOO_LONG);
    }
    let same_site = match same_site {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
    };
    let secure = if name.is_secure() { "; Secure" } else { "" };
    let max_age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let text = format!("{}={value}; Path=/{secure}; HttpOnly; SameSite={same_site}{max_age}", name.as_str());
    let mut header =
        HeaderValue::from_str(&text).map_err(|_| Fault::Bug("a cookie of ours is no header value"))?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use vestibule_core::wire::cookie::Https;

    use super::*;

    /// A browser drops a longer one without a word: whoever signed in would be told that they had, and would not be.
    #[test]
    fn what_no_browser_takes_is_not_sent() {
        let name = CookieName::access("vestibule", Https::Yes).unwrap();
        let room = LONGEST_PAIR - name.as_str().len();
        let of = |length: usize| set_cookie(&name, &"a".repeat(length), SameSite::Lax, Some(600));
        let longest = of(room).unwrap();
        let pair = longest.to_str().unwrap().split(';').next().unwrap();
        assert_eq!(pair.len(), 4096 + "=".len());
        assert!(longest.is_sensitive());
        assert!(matches!(of(room + 1), Err(Fault::Bug(_))));
    }
}
