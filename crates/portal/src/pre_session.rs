//! The random value that binds a login form to the browser it was shown in, before there is a session: without it, another site
//! could sign its visitors in as someone else (login CSRF). In: entropy or a cookie. Out: what CSRF tokens are bound to.

use data_encoding::BASE64URL_NOPAD;
use http::HeaderMap;
use vestibule_core::csrf::Binding;
use vestibule_core::port::Entropy;
use vestibule_core::wire::{CookieName, cookie};
use vestibule_core::{Fault, Reject};

/// 256 random bits, held in a cookie until login. No Debug.
pub(crate) struct PreSession([u8; 32]);

impl PreSession {
    pub(crate) fn draw(entropy: &dyn Entropy) -> Result<Self, Fault> {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The one that a request carries: exactly 43 canonical base64url characters in the one cookie of this name.
    pub(crate) fn presented(headers: &HeaderMap, name: &CookieName) -> Result<Option<Self>, Reject> {
        let Some(value) = cookie::single(headers, name)? else { return Ok(None) };
        let mut bytes = [0; 32];
        if value.len() != 43 || BASE64URL_NOPAD.decode_mut(value, &mut bytes).is_err() {
            return Err(Reject::MalformedCredential);
        }
        Ok(Some(Self(bytes)))
    }

    pub(crate) fn binding(&self) -> Binding<'_> {
        Binding::PreSession(&self.0)
    }

    /// The cookie value. For the Set-Cookie header alone.
    pub(crate) fn reveal(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }
}
