//! The inner door: who stands before an application, by the JWT that the gateway put into the request.
//! In: a request's headers. Out: verified claims, nobody, or a finished refusal.
//! The extractors for axum and the layer for tower are two handles of this one door.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use crate::{claims::Claims, reject::Reject, verified::Verified, verifier::Verifier};

mod refusal;

pub use refusal::{Cause, NotSignedIn};

/// Where an application finds the JWT, and who verifies it. Cheap to clone; belongs in the
/// router's state.
#[derive(Clone)]
pub struct InnerDoor {
    verifier: Arc<Verifier>,
    header: HeaderName,
    realm: Arc<str>,
}

impl InnerDoor {
    /// Takes the JWT from `Authorization: Bearer`.
    #[must_use]
    pub fn new(verifier: Arc<Verifier>) -> Self {
        // A realm is a quoted string (RFC 9110 section 11.5), and an issuer a URL without quotes.
        let realm = verifier.issuer().replace(['"', '\\'], "").into();
        Self { verifier, header: AUTHORIZATION, realm }
    }

    /// Takes it from another header: the route's `assertion_header`. Its form is the same,
    /// `Bearer` and the JWT.
    #[must_use]
    pub fn with_header(self, header: HeaderName) -> Self {
        Self { header, ..self }
    }

    /// Who asks, by these headers; `None` when they carry no JWT. For those who use neither the
    /// extractors nor the layer.
    ///
    /// # Errors
    /// Why the JWT is refused, or that it could not be told.
    pub fn judge(&self, headers: &HeaderMap) -> Result<Option<Verified<Claims>>, NotSignedIn> {
        let Some(jwt) = self.find(headers).map_err(|cause| self.refused(cause))? else { return Ok(None) };
        self.verifier.verify(jwt).map(Some).map_err(|reject| self.refused(self.cause(reject)))
    }

    /// The same, and where the key is unknown the issuer is asked first, if the verifier knows whom
    /// to ask and has not just done so.
    ///
    /// # Errors
    /// Why the JWT is refused, or that it could not be told.
    pub async fn admit(&self, headers: &HeaderMap) -> Result<Option<Verified<Claims>>, NotSignedIn> {
        let verdict = self.judge(headers);
        if !self.may_change(&verdict) {
            return verdict;
        }
        self.asked().await;
        self.judge(headers)
    }

    /// Whether the verdict can be another one when the issuer has been asked.
    pub(crate) fn may_change(&self, verdict: &Result<Option<Verified<Claims>>, NotSignedIn>) -> bool {
        #[cfg(feature = "client")]
        return self.verifier.source().is_some()
            && verdict
                .as_ref()
                .is_err_and(|it| matches!(it.cause(), Cause::Jwt(Reject::KeyUnknown) | Cause::NoKeys));
        #[cfg(not(feature = "client"))]
        {
            let _ = verdict;
            false
        }
    }

    /// Waits until the issuer has been asked, if it is being asked.
    pub(crate) async fn asked(&self) {
        #[cfg(feature = "client")]
        if let Some(source) = self.verifier.source() {
            source.settled().await;
        }
    }

    pub(crate) fn refused(&self, cause: Cause) -> NotSignedIn {
        NotSignedIn::new(cause, Arc::clone(&self.realm))
    }

    /// Without keys every one is unknown, and that says nothing about the JWT.
    fn cause(&self, reject: Reject) -> Cause {
        if reject == Reject::KeyUnknown && !self.verifier.has_keys() {
            Cause::NoKeys
        } else {
            Cause::Jwt(reject)
        }
    }

    /// The gateway sends the header empty where a public route has nobody to tell of.
    fn find<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Cause> {
        let mut values = headers.get_all(&self.header).iter();
        let (first, second) = (values.next(), values.next());
        let value = match (first, second) {
            (None, _) => return Ok(None),
            (Some(only), None) => only,
            (Some(_), Some(_)) => return Err(Cause::Ambiguous),
        };
        if value.is_empty() {
            return Ok(None);
        }
        value.to_str().ok().and_then(bearer).map(Some).ok_or(Cause::Malformed)
    }
}

/// RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, jwt) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(jwt.trim_start_matches(' '))
}
