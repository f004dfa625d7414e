//! What went wrong, once and for all pages and calls: status, stable code and the words for the outside.
//! In: a reject, a fault, or a request in a form that we do not take. Out: texts, and a bare response that carries the problem in its
//! extensions; [`crate::answer`] alone puts it into HTML or `application/problem+json` (RFC 9457).

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use vestibule_core::account::NotAnIdentifier;
use vestibule_core::account::policy::PasswordReject;
use vestibule_core::problem::seconds;
use vestibule_core::{Fault, Reject};

use crate::pages::password_rule;
use crate::pages::refusal::words;
use crate::texts::Say;

/// Why a request is not answered as asked.
#[derive(Clone)]
pub(crate) enum Problem {
    /// More bytes than any rightful body has.
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The current password, which a change of the account asks for, is not right.
    CurrentPasswordRefused,
    /// We could not tell.
    Fault(Arc<Fault>),
    /// No account can have this identifier.
    IdentifierRefused(NotAnIdentifier),
    /// Another account has this identifier.
    IdentifierTaken,
    /// Wrong name, wrong password, unknown or disabled: one answer.
    LoginRefused,
    /// The body is not what its media type says, or not what this call takes.
    Malformed(&'static str),
    /// A media type that this address does not take; the one it takes.
    MediaType(&'static str),
    /// The address is there, the method is not.
    MethodNotAllowed,
    /// Nothing lives at this address.
    NotFound,
    /// What a proxy in front ran into, and asks for words for.
    Passed(StatusCode),
    /// No account may get this password.
    PasswordRefused(PasswordReject),
    /// The session is good, and what it was proven by is too long ago for this: how long ago it may be, and where to prove it again.
    ProofTooOld { most: Duration, confirm: String },
    /// The credential, the origin or the CSRF token is no good.
    Rejected(Reject),
    /// None of one's own sessions has this name.
    SessionUnknown,
    /// Too many attempts: to sign in, to register, to show the current password, to ask for another identifier.
    Throttled(Duration),
    /// Asked for something that this installation does not do: the code and the words.
    Unsupported(&'static str, &'static str),
}

/// A problem in words for programs, in English.
pub(crate) struct Wording {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) detail: String,
}

/// Names the way to present a credential, as every 401 must (RFC 9110 section 15.5.2).
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"vestibule\"");

/// What was presented is good for nothing (RFC 6750 section 3.1).
pub(crate) const INVALID_TOKEN: HeaderValue =
    HeaderValue::from_static("Bearer realm=\"vestibule\", error=\"invalid_token\"");

/// Asks for a proof that is not older than this (RFC 9470 section 3).
pub(crate) fn step_up_challenge(most: Duration) -> HeaderValue {
    let text = format!(
        "Bearer realm=\"vestibule\", error=\"insufficient_user_authentication\", max_age=\"{}\"",
        most.as_secs()
    );
    HeaderValue::from_str(&text).unwrap_or(CHALLENGE)
}

impl Problem {
    pub(crate) fn wording(&self) -> Wording {
        let (status, code, title, detail) = match self {
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "That was too much",
                "The request is larger than anything expected here.".to_owned(),
            ),
            Self::BodyTooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "body-too-slow",
                "That took too long",
                "The request did not arrive in time. Please try again.".to_owned(),
            ),
            Self::CurrentPasswordRefused => (
                StatusCode::FORBIDDEN,
                "current-password-refused",
                "Nothing was changed",
                "The current password is not right.".to_owned(),
            ),
            Self::Fault(fault) => (
                StatusCode::SERVICE_UNAVAILABLE,
                fault.problem_code(),
                "We cannot tell right now",
                "Something that we depend on did not answer, and we do not guess. Please try again in a moment."
                    .to_owned(),
            ),
            Self::IdentifierRefused(cause) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "identifier-refused",
                "This name cannot be used here",
                format!("No account can have it: {cause}."),
            ),
            Self::IdentifierTaken => (
                StatusCode::CONFLICT,
                "identifier-taken",
                "That name is taken",
                "Another account has this identifier.".to_owned(),
            ),
            Self::LoginRefused => (
                StatusCode::UNAUTHORIZED,
                "login-refused",
                "Sign-in refused",
                "The identifier or the password is not right.".to_owned(),
            ),
            Self::Malformed(detail) => {
                (StatusCode::BAD_REQUEST, "malformed", "We could not read that", (*detail).to_owned())
            }
            Self::MediaType(expected) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "Not in this form",
                format!("Send the body as {expected}, in UTF-8 and without a content encoding."),
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Not by this method",
                "This address does not take this method.".to_owned(),
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "There is nothing here",
                "The address may be mistyped, or the page may have moved.".to_owned(),
            ),
            Self::Passed(status) => (
                *status,
                "proxy",
                status.canonical_reason().unwrap_or("Refused"),
                "The proxy in front refused the request or could not answer it.".to_owned(),
            ),
            Self::PasswordRefused(reject) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                reject.code(),
                "Please choose another password",
                reject.to_string(),
            ),
            // The code is the one that RFC 9470 section 3 gives the challenge.
            Self::ProofTooOld { confirm, .. } => (
                StatusCode::UNAUTHORIZED,
                "insufficient_user_authentication",
                "Please confirm your password",
                format!(
                    "This needs a password that was given a short while ago. POST it to {confirm}, then repeat this."
                ),
            ),
            Self::Rejected(reject) => {
                let (status, title, detail) = rejected(*reject);
                (status, reject.code(), title, detail.to_owned())
            }
            Self::SessionUnknown => (
                StatusCode::NOT_FOUND,
                "no-such-session",
                "No such session",
                "None of your sessions has this id, or not any more.".to_owned(),
            ),
            Self::Throttled(wait) => (
                StatusCode::TOO_MANY_REQUESTS,
                "throttled",
                "Too many attempts",
                format!("Please wait {} before the next attempt.", crate::moment::span(*wait)),
            ),
            Self::Unsupported(code, detail) => {
                (StatusCode::BAD_REQUEST, *code, "Not offered here", (*detail).to_owned())
            }
        };
        Wording { status, code, title, detail }
    }

    /// Title and text of the page that tells a person of it. What was wrong with a request in particular is for programs.
    pub(crate) fn told(&self) -> [Say; 2] {
        let plain = |title, text| [Say::plain(title), Say::plain(text)];
        match self {
            Self::BodyTooLarge => plain("problem-body-too-large-title", "problem-body-too-large-text"),
            Self::BodyTooSlow => plain("problem-body-too-slow-title", "problem-body-too-slow-text"),
            Self::CurrentPasswordRefused => plain("alert-current-wrong-title", "alert-current-wrong-text"),
            Self::Fault(_) => plain("problem-unavailable-title", "problem-unavailable-text"),
            Self::IdentifierRefused(_) => plain("alert-identifier-title", "alert-identifier-text"),
            Self::IdentifierTaken => plain("alert-identifier-taken-title", "alert-identifier-taken-text"),
            Self::LoginRefused => plain("alert-login-refused-title", "alert-login-refused-text"),
            Self::Malformed(_) | Self::MediaType(_) => {
                plain("problem-malformed-title", "problem-malformed-text")
            }
            Self::MethodNotAllowed => plain("problem-method-title", "problem-method-text"),
            Self::NotFound => plain("problem-not-found-title", "problem-not-found-text"),
            Self::Passed(status) => words(*status),
            Self::PasswordRefused(reject) => [Say::plain("alert-policy-title"), password_rule(*reject)],
            Self::ProofTooOld { .. } => plain("problem-confirm-title", "problem-confirm-text"),
            Self::Rejected(reject) => {
                let (title, text) = told(*reject);
                plain(title, text)
            }
            Self::SessionUnknown => plain("problem-not-found-title", "notice-nothing-to-end"),
            Self::Throttled(wait) => {
                [Say::plain("alert-throttled-title"), Say::plain("alert-throttled-text").span("wait", *wait)]
            }
            Self::Unsupported(..) => plain("problem-unsupported-title", "problem-unsupported-text"),
        }
    }

    /// When to come back, where that is known or a fair guess.
    pub(crate) fn retry_after(&self) -> Option<HeaderValue> {
        match self {
            Self::Fault(fault) => Some(fault.retry_after()),
            Self::Throttled(wait) => Some(seconds(*wait)),
            _ => None,
        }
    }
}

fn rejected(reject: Reject) -> (StatusCode, &'static str, &'static str) {
    match reject {
        Reject::AmbiguousCookie => (
            StatusCode::UNAUTHORIZED,
            "Conflicting cookies",
            "The browser sent cookies that contradict each other. Open the login page in it: that page can delete them.",
        ),
        Reject::CsrfOrigin => (
            StatusCode::FORBIDDEN,
            "This request came from elsewhere",
            "It was not sent by a page of this site, so nothing was done.",
        ),
        Reject::CsrfToken => (
            StatusCode::FORBIDDEN,
            "This page has expired",
            "Nothing was done. Load the page again and repeat what you did.",
        ),
        Reject::TwoCredentials => (
            StatusCode::FORBIDDEN,
            "Two credentials",
            "The request carries more than one credential, and we do not pick one.",
        ),
        Reject::NoCredential => {
            (StatusCode::UNAUTHORIZED, "Not signed in", "This needs a session. Please sign in.")
        }
        reject if reject.asks_for_login() => (
            StatusCode::UNAUTHORIZED,
            "Signed out",
            "The session that was presented is not valid, or not any more. Please sign in again.",
        ),
        _ => (StatusCode::FORBIDDEN, "Refused", "This request is not allowed."),
    }
}

/// The ids of title and text for people.
fn told(reject: Reject) -> (&'static str, &'static str) {
    match reject {
        Reject::CsrfOrigin => ("problem-foreign-title", "problem-foreign-text"),
        Reject::CsrfToken => ("problem-expired-title", "problem-expired-text"),
        Reject::TwoCredentials => ("problem-two-credentials-title", "problem-two-credentials-text"),
        Reject::NoCredential => ("problem-not-signed-in-title", "problem-not-signed-in-text"),
        reject if reject.asks_for_login() => ("problem-signed-out-title", "problem-signed-out-text"),
        _ => ("problem-refused-title", "problem-refused-text"),
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(Arc::new(fault))
    }
}

impl From<Reject> for Problem {
    fn from(reject: Reject) -> Self {
        Self::Rejected(reject)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.wording().status;
        let mut response = status.into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = match &self {
                Self::ProofTooOld { most, .. } => step_up_challenge(*most),
                _ => CHALLENGE,
            };
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(when) = self.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, when);
        }
        response.extensions_mut().insert(self);
        response
    }
}
