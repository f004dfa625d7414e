//! Tokens that a browser holds, in HttpOnly cookies: the access token for the doors, the refresh token for one address of the API. In:
//! tokens, or a request that carries them. Out: cookies; and who asks, by the refresh token alone.

use std::collections::HashSet;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::request::Parts;
use serde_json::json;
use vestibule_core::grant::Tokens;
use vestibule_core::session::Session;
use vestibule_core::wire::{self, CookieName, Credential};
use vestibule_core::{Fault, Reject};

use crate::api::SessionJson;
use crate::problem::Problem;
use crate::visitor::{Known, Visitor};
use crate::{Portal, cookie};

/// The names of both.
#[derive(Clone)]
pub struct TokenCookies {
    /// The access token's. Goes along wherever the session cookie would.
    pub access: CookieName,
    /// The refresh token's. Goes along with what our own pages ask, and with nothing that begins elsewhere.
    pub refresh: CookieName,
    /// Whether browsers are given any. Where they are not, one that still holds some is told to forget them, and no service sees them.
    pub are_given: bool,
}

impl TokenCookies {
    /// The names, where browsers are given tokens.
    pub(crate) fn given(&self) -> Option<&Self> {
        self.are_given.then_some(self)
    }
}

impl Portal {
    /// Both tokens for a browser, and for its page what it needs to use them: nothing that is secret but a CSRF token.
    pub(crate) fn delivered_in_cookies(
        &self,
        names: &TokenCookies,
        tokens: &Tokens,
        session: &Session,
    ) -> Result<Response, Problem> {
        let body = Json(json!({
            "session": SessionJson::of(session, session.id),
            "csrf_token": self.csrf_token_for(session.id),
            "expires_in": tokens.access.expires_at.since(tokens.access.minted_at).as_secs(),
        }));
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.append(SET_COOKIE, cookie::access(&names.access, &tokens.access)?);
        headers.append(SET_COOKIE, cookie::refresh(&names.refresh, tokens.refresh.as_str())?);
        Ok(response)
    }

    /// The refresh token in the cookie of this name, with the holder of its session; a page of theirs may ask with an access token
    /// that has run out meanwhile. `None`: there is no such cookie. Two credentials are none.
    pub(crate) async fn holder_by_refresh<'a>(
        &self,
        names: &TokenCookies,
        parts: &'a Parts,
    ) -> Result<Option<Result<(Known, &'a str), Reject>>, Fault> {
        let held = self.held_by_refresh(names, parts).await?;
        if held.is_some() && parts.headers.contains_key(AUTHORIZATION) {
            return Ok(Some(Err(Reject::TwoCredentials)));
        }
        Ok(held)
    }

    /// The same, whatever else the request carries.
    async fn held_by_refresh<'a>(
        &self,
        names: &TokenCookies,
        parts: &'a Parts,
    ) -> Result<Option<Result<(Known, &'a str), Reject>>, Fault> {
        let value = match wire::cookie::single(&parts.headers, &names.refresh) {
            Ok(Some(value)) => value,
            Ok(None) => return Ok(None),
            Err(reject) => return Ok(Some(Err(reject))),
        };
        let Ok(presented) = std::str::from_utf8(value) else {
            return Ok(Some(Err(Reject::MalformedCredential)));
        };
        let held = self.granter.holder(presented).await?;
        Ok(Some(held.map(|session| (Known::by_cookie(session), presented))))
    }

    /// Every session that a browser's cookies name, each once, whichever of them is one too many: what there is to sign out of. The one
    /// that pages know comes first. An access token whose session is the refresh token's adds nothing, and one alone does.
    pub(crate) async fn held_by_browser(&self, parts: &Parts) -> Result<Vec<Known>, Fault> {
        let mut held = Vec::new();
        if let Visitor::Known(known) = self.visitor_of_page(parts).await? {
            held.push(known);
        }
        // Also where browsers are given none any more: what they were given before is to be ended all the same.
        let names = &self.token_cookies;
        if let Some(Ok((known, _))) = self.held_by_refresh(names, parts).await? {
            held.push(known);
        }
        if let Ok(Some(value)) = wire::cookie::single(&parts.headers, &names.access)
            && let Ok(jwt) = std::str::from_utf8(value)
            && let Ok(session) = self.decider.holder(&Credential::Value(jwt)).await?
        {
            held.push(Known::by_cookie(session));
        }
        let mut ids = HashSet::new();
        held.retain(|known| ids.insert(known.session.id()));
        Ok(held)
    }

    /// Takes both back, where browsers are given any.
    pub(crate) fn forget_tokens(&self, headers: &mut HeaderMap) -> Result<(), Fault> {
        match self.token_cookies.given() {
            Some(names) => gone(names, headers),
            None => Ok(()),
        }
    }

    /// Takes both back from a browser that sent one, as it may long after browsers were given the last.
    pub(crate) fn forget_held_tokens(&self, asked: &HeaderMap, headers: &mut HeaderMap) -> Result<(), Fault> {
        let names = &self.token_cookies;
        if [&names.access, &names.refresh].iter().any(|name| is_sent(asked, name)) {
            return gone(names, headers);
        }
        Ok(())
    }

    /// A browser that signed in for a session holds no tokens any more: with both, every request would carry two credentials. They are
    /// taken back also where none were sent, for they may be on their way in another answer.
    pub(crate) fn forget_all_tokens(&self, asked: &HeaderMap, headers: &mut HeaderMap) -> Result<(), Fault> {
        match self.token_cookies.given() {
            Some(names) => gone(names, headers),
            None => self.forget_held_tokens(asked, headers),
        }
    }
}

fn gone(names: &TokenCookies, headers: &mut HeaderMap) -> Result<(), Fault> {
    headers.append(SET_COOKIE, cookie::access_gone(&names.access)?);
    headers.append(SET_COOKIE, cookie::refresh_gone(&names.refresh)?);
    Ok(())
}

/// Whether there is such a cookie, good or not.
fn is_sent(asked: &HeaderMap, name: &CookieName) -> bool {
    !matches!(wire::cookie::single(asked, name), Ok(None))
}
