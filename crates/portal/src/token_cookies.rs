//! Tokens that a browser holds, in HttpOnly cookies: the access token for the doors, the refresh token for one address of the API. In:
//! tokens, or a request that carries them. Out: cookies; and who asks, by the refresh token alone.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::request::Parts;
use serde_json::json;
use vestibule_core::grant::Tokens;
use vestibule_core::session::Session;
use vestibule_core::wire::{self, CookieName};
use vestibule_core::{Fault, Reject};

use crate::api::SessionJson;
use crate::problem::Problem;
use crate::visitor::Known;
use crate::{Portal, cookie};

/// The names of both.
#[derive(Clone)]
pub struct TokenCookies {
    /// The access token's. Goes along wherever the session cookie would.
    pub access: CookieName,
    /// The refresh token's. Goes along with what our own pages ask, and with nothing that begins elsewhere.
    pub refresh: CookieName,
}

impl Portal {
    /// Both tokens for a browser, and for its page what it needs to use them: nothing that is secret but a CSRF token.
    pub(crate) fn delivered_in_cookies(
        &self,
        names: &TokenCookies,
        tokens: &Tokens,
        session: &Session,
    ) -> Result<Response, Problem> {
        let now = self.clock.now();
        let body = Json(json!({
            "session": SessionJson::of(session, session.id),
            "csrf_token": self.csrf_token_for(session.id),
            "expires_in": tokens.access.expires_at.since(now).as_secs(),
        }));
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.append(SET_COOKIE, cookie::access(&names.access, &tokens.access, now)?);
        headers.append(SET_COOKIE, cookie::refresh(&names.refresh, tokens.refresh.as_str())?);
        Ok(response)
    }

    /// The refresh token in the cookie of this name, with the holder of its session; a page of theirs may ask with an access token
    /// that has run out meanwhile. `None`: there is no such cookie.
    pub(crate) async fn holder_by_refresh<'a>(
        &self,
        names: &TokenCookies,
        parts: &'a Parts,
    ) -> Result<Option<Result<(Known, &'a str), Reject>>, Fault> {
        let value = match wire::cookie::single(&parts.headers, &names.refresh) {
            Ok(Some(value)) => value,
            Ok(None) => return Ok(None),
            Err(reject) => return Ok(Some(Err(reject))),
        };
        if parts.headers.contains_key(AUTHORIZATION) {
            return Ok(Some(Err(Reject::TwoCredentials)));
        }
        let Ok(presented) = std::str::from_utf8(value) else {
            return Ok(Some(Err(Reject::MalformedCredential)));
        };
        let held = self.granter.holder(presented).await?;
        Ok(Some(held.map(|session| (Known::by_cookie(session), presented))))
    }

    /// Takes both back.
    pub(crate) fn forget_tokens(&self, headers: &mut HeaderMap) -> Result<(), Fault> {
        let Some(names) = &self.token_cookies else { return Ok(()) };
        headers.append(SET_COOKIE, cookie::access_gone(&names.access)?);
        headers.append(SET_COOKIE, cookie::refresh_gone(&names.refresh)?);
        Ok(())
    }

    /// A browser that signed in for a session holds no tokens any more: with both, every request would carry two credentials.
    pub(crate) fn forget_held_tokens(&self, asked: &HeaderMap, headers: &mut HeaderMap) -> Result<(), Fault> {
        let Some(names) = &self.token_cookies else { return Ok(()) };
        if [&names.access, &names.refresh].iter().any(|name| is_sent(asked, name)) {
            self.forget_tokens(headers)?;
        }
        Ok(())
    }

    /// The other way round.
    pub(crate) fn forget_held_session(
        &self,
        asked: &HeaderMap,
        headers: &mut HeaderMap,
    ) -> Result<(), Fault> {
        if is_sent(asked, &self.decider.cookie) {
            headers.append(SET_COOKIE, cookie::session_gone(&self.decider.cookie)?);
        }
        Ok(())
    }
}

/// Whether there is such a cookie, good or not.
fn is_sent(asked: &HeaderMap, name: &CookieName) -> bool {
    !matches!(wire::cookie::single(asked, name), Ok(None))
}
