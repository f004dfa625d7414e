//! The random value that binds a login form to the browser it was shown in, before there is a session: without it, another site
//! could sign its visitors in as someone else (login CSRF). In: entropy or a cookie. Out: what CSRF tokens are bound to, and from the
//! registration form to the login form after it the name that was registered.

use data_encoding::BASE64URL_NOPAD;
use http::HeaderMap;
use vestibule_core::account::Identifier;
use vestibule_core::csrf::Binding;
use vestibule_core::port::Entropy;
use vestibule_core::wire::{CookieName, cookie};
use vestibule_core::{Fault, Reject};

/// 256 random bits, held in a cookie until login. No Debug.
pub(crate) struct PreSession {
    bytes: [u8; 32],
    registered: Option<Identifier>,
}

impl PreSession {
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, Fault> {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self { bytes, registered: None })
    }

    /// The one that a request carries: exactly 43 canonical base64url characters in the one cookie of this name; perhaps a dot and a
    /// name, encoded the same way.
    pub(crate) fn presented(headers: &HeaderMap, name: &CookieName) -> Result<Option<Self>, Reject> {
        let Some(value) = cookie::single(headers, name)? else { return Ok(None) };
        let (bound, registered) = match value.iter().position(|byte| *byte == b'.') {
            None => (value, None),
            Some(dot) => {
                let (bound, name) = value.split_at(dot);
                (bound, Some(decoded(name.get(1..).unwrap_or_default()).ok_or(Reject::MalformedCredential)?))
            }
        };
        let mut bytes = [0; 32];
        if bound.len() != 43 || BASE64URL_NOPAD.decode_mut(bound, &mut bytes).is_err() {
            return Err(Reject::MalformedCredential);
        }
        Ok(Some(Self { bytes, registered }))
    }

    pub(crate) fn binding(&self) -> Binding<'_> {
        Binding::PreSession(&self.bytes)
    }

    /// The same with a name for the login form that comes next.
    pub(crate) fn naming(self, registered: Identifier) -> Self {
        Self { registered: Some(registered), ..self }
    }

    /// Takes the name out: it is shown once.
    pub(crate) fn take_registered(&mut self) -> Option<Identifier> {
        self.registered.take()
    }

    /// The cookie value. For the Set-Cookie header alone.
    pub(crate) fn reveal(&self) -> String {
        let mut value = BASE64URL_NOPAD.encode(&self.bytes);
        if let Some(registered) = &self.registered {
            value.push('.');
            BASE64URL_NOPAD.encode_append(registered.as_str().as_bytes(), &mut value);
        }
        value
    }
}

/// A name as registration takes it, in its one form.
fn decoded(name: &[u8]) -> Option<Identifier> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(name).ok()?).ok()?;
    Identifier::parse(&text).ok().filter(|it| it.as_str() == text)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::COOKIE;
    use vestibule_core::wire::cookie::Https;

    use super::*;

    fn presented(value: &str) -> Result<Option<PreSession>, Reject> {
        let name = CookieName::pre_session("vestibule", Https::Yes).unwrap();
        let pair = format!("{}={value}", name.as_str());
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&pair).unwrap())]);
        PreSession::presented(&headers, &name)
    }

    #[test]
    fn a_name_goes_through_the_cookie_and_changes_no_binding() {
        for text in ["ada@example.com", "zoë", &"x".repeat(254)] {
            let pre_session = PreSession { bytes: [7; 32], registered: None };
            let value = pre_session.naming(Identifier::parse(text).unwrap()).reveal();
            let mut back = presented(&value).unwrap().unwrap();
            assert_eq!(back.bytes, [7; 32]);
            assert_eq!(back.take_registered().unwrap().as_str(), text);
            assert_eq!(back.reveal(), "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", "shown once");
        }
    }

    #[test]
    fn what_is_no_name_of_ours_spoils_the_cookie() {
        let bound = BASE64URL_NOPAD.encode(&[7; 32]);
        let with = |name: &[u8]| format!("{bound}.{}", BASE64URL_NOPAD.encode(name));
        assert!(presented(&with(b"ada@example.com")).is_ok());
        let bad = [
            format!("{bound}."),
            format!("{bound}.YQ=="),
            format!("{bound}.YR"),
            format!(".{}", BASE64URL_NOPAD.encode(b"ada")),
            with(b"Ada"),
            with(b" ada"),
            with(b"a\xff"),
            with("a\u{202e}b".as_bytes()),
            with("ü".repeat(128).as_bytes()),
            format!("{}.YQ", with(b"ada")),
        ];
        for value in bad {
            assert!(matches!(presented(&value), Err(Reject::MalformedCredential)), "{value}");
        }
    }
}
