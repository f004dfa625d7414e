//! The identity headers: what a service behind is told, in one place for all doors. In: a pass. Out: every header of ours, every
//! time, empty when there is nothing to tell, so that no client's copy can stand in for a missing one.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use vestibule_core::decide::CSRF_HEADER;

use crate::swap::Pass;

/// Who passes: the `sub` of the JWT.
pub(crate) const SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
/// The session behind: the `sid` of the JWT.
pub(crate) const SESSION: HeaderName = HeaderName::from_static("x-auth-session");
/// A fresh CSRF token for the page being loaded.
pub(crate) const CSRF: HeaderName = HeaderName::from_static(CSRF_HEADER);

const NOTHING: HeaderValue = HeaderValue::from_static("");

impl Pass {
    /// Sets the identity headers, in place of whatever stood there.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let route = self.permit.route();
        let token = self.token.as_deref();
        for (name, claim) in &route.headers {
            let copy = token.and_then(|token| token.copy_of(claim, route.headers_encoding));
            headers.insert(name, copy.unwrap_or(NOTHING));
        }
        for name in route.elsewhere.iter() {
            headers.insert(name, NOTHING);
        }
        let (subject, session) = match token {
            Some(token) => (token.subject(), token.session()),
            None => self.unminted(),
        };
        headers.insert(SUBJECT, subject);
        headers.insert(SESSION, session);
        headers.insert(CSRF, self.csrf.clone().unwrap_or(NOTHING));
        // A service that looks for its JWT elsewhere must not find the client's in the usual place.
        if route.assertion_header != AUTHORIZATION {
            headers.insert(AUTHORIZATION, self.authorization.clone().unwrap_or(NOTHING));
        }
        let mut assertion = token.map_or(NOTHING, |token| token.authorization());
        assertion.set_sensitive(true);
        headers.insert(&route.assertion_header, assertion);
    }

    /// A route without an audience gets no JWT, yet may be told who passes.
    fn unminted(&self) -> (HeaderValue, HeaderValue) {
        let text = |text: String| HeaderValue::try_from(text).unwrap_or(NOTHING);
        match self.permit.principal() {
            Some(principal) => (text(principal.subject.to_string()), text(principal.session.to_string())),
            None => (NOTHING, NOTHING),
        }
    }
}
