//! `POST /csrf`: a service asks about the CSRF token in a form of its own. A proxy that asks [`super::forward_auth`] does not show
//! it the body, and the built-in one reads no uploads; so who does read the form asks here. In: `session`, as the JWT names it in
//! `sid`, and `csrf_token`, as a form. Out: 204 when the token was given to a page of that session and the session lives, else 403;
//! 503 when that could not be told.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use vestibule_core::csrf::Binding;
use vestibule_core::decide::CSRF_FIELD;
use vestibule_core::id::SessionId;
use vestibule_core::port::Directory;
use vestibule_core::{Fault, Reject};

use crate::answer::Refusal;
use crate::form::{field, is_form};
use crate::swap::Swap;
use crate::tally::Tally;

/// The form field that names the session.
const SESSION_FIELD: &str = "session";

/// A session's id and a token, with room for how forms are written.
const LONGEST: usize = 4 * 1024;

const TIME_TO_SEND: Duration = Duration::from_secs(5);

const NOT_ASKED: Refusal =
    Refusal { status: StatusCode::METHOD_NOT_ALLOWED, code: "method-not-allowed", detail: "Ask with POST." };

const NO_FORM: Refusal = Refusal {
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    code: "not-a-form",
    detail: "Ask with a form: Content-Type application/x-www-form-urlencoded.",
};

const MALFORMED: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    code: "malformed",
    detail: "The form has the fields session and csrf_token, each once, and is at most 4 KiB long.",
};

/// Answers services. Says nothing that its asker could not try elsewhere: a token is 128 bits that nobody guesses, and only who has
/// one of a session's learns whether it lives.
pub struct CsrfDoor {
    swap: Arc<Swap>,
    directory: Arc<dyn Directory>,
    tally: Tally,
}

impl CsrfDoor {
    /// `directory` knows which sessions live. The metrics recorder must be installed before.
    pub fn new(swap: Arc<Swap>, directory: Arc<dyn Directory>) -> Self {
        Self { swap, directory, tally: Tally::new("csrf") }
    }

    /// Answers one question.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let answers = &self.swap.answers;
        if request.method() != Method::POST {
            let mut response = answers.not_taken(self.tally.door, NOT_ASKED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        if !is_form(request.headers()) {
            return answers.not_taken(self.tally.door, NO_FORM);
        }
        let body = Limited::new(request.into_body(), LONGEST).collect();
        let Ok(Ok(body)) = tokio::time::timeout(TIME_TO_SEND, body).await else {
            return answers.not_taken(self.tally.door, MALFORMED);
        };
        let body = body.to_bytes();
        let (Some(session), Some(token)) = (field(&body, SESSION_FIELD), field(&body, CSRF_FIELD)) else {
            return answers.not_taken(self.tally.door, MALFORMED);
        };
        match self.judge(&session, &token).await {
            Ok(Ok(())) => {
                let mut response = Response::new(Full::default());
                *response.status_mut() = StatusCode::NO_CONTENT;
                response
            }
            Ok(Err(reject)) => {
                self.tally.refused("deny", reject);
                answers.deny(self.tally.door, reject)
            }
            Err(fault) => {
                self.tally.failed(&fault);
                answers.fault(self.tally.door, &fault)
            }
        }
    }

    /// Whether the token is one of this session's, and then whether the session lives: a token dies with it.
    async fn judge(&self, session: &str, token: &str) -> Result<Result<(), Reject>, Fault> {
        // An id that is none has no tokens, as an id that is nobody's has none.
        let Ok(session) = session.parse::<SessionId>() else { return Ok(Err(Reject::CsrfToken)) };
        let decider = &self.swap.decider;
        if let Err(reject) = decider.csrf_token(&HeaderMap::new(), Some(token), Binding::Session(&session)) {
            return Ok(Err(reject));
        }
        let live = self.directory.session(session, decider.clock.now()).await?;
        Ok(live.map(|_| ()).ok_or(Reject::CsrfToken))
    }
}
