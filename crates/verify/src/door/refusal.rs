//! How an application behind the gateway says no, and that it could not tell.
//! In: why nobody is signed in. Out: a problem document (RFC 9457) with a challenge (RFC 6750
//! section 3). The caller is told one thing for every bad JWT; the cause is for the log.

use std::fmt;
use std::sync::Arc;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

use crate::reject::Reject;

/// Why a request is not let in.
///
/// As a response it takes itself along as an extension, so that a layer can log what the caller is
/// not told: `response.extensions().get::<NotSignedIn>()`.
#[derive(Clone, Debug)]
pub struct NotSignedIn {
    cause: Cause,
    realm: Arc<str>,
}

/// What was wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The header came more than once.
    #[error("the request carries more than one credential")]
    Ambiguous,
    /// The JWT is good, but its claims do not fit the type that the handler asks for: this
    /// application and the audience's `claims` do not agree. May quote a claim.
    #[error("the claims are not what this application expects: {0}")]
    Claims(String),
    /// The verifier refuses the JWT.
    #[error("the JWT is refused: {0}")]
    Jwt(Reject),
    /// The header holds something other than `Bearer` and a JWT.
    #[error("the credential is not of the form `Bearer JWT`")]
    Malformed,
    /// There is no JWT.
    #[error("the request carries no JWT")]
    NoJwt,
    /// There are no keys yet, or only old ones, so nobody can tell.
    #[error("there are no keys to verify the JWT with")]
    NoKeys,
    /// The JWT is good, but does not have this scope.
    #[error("the JWT lacks the scope {0}")]
    Scope(Arc<str>),
}

impl NotSignedIn {
    pub(super) fn new(cause: Cause, realm: Arc<str>) -> Self {
        Self { cause, realm }
    }

    /// What was wrong; for logs.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// What the caller gets to see.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self.cause {
            Cause::Claims(_) | Cause::Scope(_) => StatusCode::FORBIDDEN,
            Cause::NoKeys => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// A stable name, fit for a metric label; the verifier's own for a JWT that it refuses.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.cause {
            Cause::Jwt(reject) => reject.code(),
            _ => self.public_code(),
        }
    }

    /// The answer for the caller, with itself as an extension for the log.
    pub fn response<B: From<String>>(self) -> Response<B> {
        let status = self.status();
        let code = self.public_code();
        let body = serde_json::json!({
            "type": format!("urn:vestibule:problem:{code}"),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "code": code,
            "detail": self.detail(),
        });
        let mut response = Response::new(B::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        match self.cause {
            Cause::Claims(_) => {}
            Cause::NoKeys => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {
                headers.insert(WWW_AUTHENTICATE, self.challenge());
            }
        }
        response.extensions_mut().insert(self);
        response
    }

    fn public_code(&self) -> &'static str {
        match self.cause {
            Cause::Claims(_) => "claims",
            Cause::Ambiguous | Cause::Jwt(_) | Cause::Malformed => "jwt",
            Cause::NoJwt => "no-credential",
            Cause::NoKeys => "unavailable",
            Cause::Scope(_) => "scope",
        }
    }

    fn detail(&self) -> &'static str {
        match self.cause {
            Cause::Claims(_) => "The JWT does not say what is needed here.",
            Cause::NoJwt => "Sign in: the request carries no JWT.",
            Cause::Scope(_) => "The JWT does not allow this.",
            Cause::NoKeys => "It could not be told who is asking. Nothing was changed; try again.",
            _ => "The credential is not valid here.",
        }
    }

    /// Without a credential there is no error to report (RFC 6750 section 3).
    fn challenge(&self) -> HeaderValue {
        let error = match &self.cause {
            Cause::NoJwt => String::new(),
            Cause::Scope(scope) => {
                format!(", error=\"insufficient_scope\", scope=\"{}\"", scope.replace(['"', '\\'], ""))
            }
            _ => {
                ", error=\"invalid_token\", error_description=\"the credential is not valid here\"".to_owned()
            }
        };
        let text = format!("Bearer realm=\"{}\"{error}", self.realm);
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
    }
}

impl fmt::Display for NotSignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for NotSignedIn {}
