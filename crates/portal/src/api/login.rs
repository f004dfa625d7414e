//! `POST /api/v1/login`: a password for a session, in a cookie or in the body, never in both. Needs no CSRF token: no other
//! site's page can send JSON here without a CORS grant, and none is ever given. In: JSON. Out: a session, or a problem.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::SET_COOKIE;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use vestibule_core::Reject;
use vestibule_core::csrf::Binding;
use vestibule_core::login::LoginOutcome;
use vestibule_core::session::{Session, SessionKind, SessionToken};

use super::SessionJson;
use crate::problem::Problem;
use crate::sign_in::{Keeper, Typed};
use crate::{Portal, body, cookie, oauth};

/// The body. Unknown and repeated members are refused. No Debug: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginJson {
    identifier: String,
    password: String,
    #[serde(default)]
    mode: Mode,
    #[serde(default, deserialize_with = "given")]
    deliver: Option<Deliver>,
    #[serde(default)]
    remember: bool,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Session,
    Token,
}

/// Cookie for sessions and body for tokens, where it is not said.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Deliver {
    Body,
    Cookie,
}

/// A member that may be left out, but not be null.
fn given<'de, D: Deserializer<'de>>(member: D) -> Result<Option<Deliver>, D::Error> {
    Deliver::deserialize(member).map(Some)
}

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    portal.refuse_foreign_where_said(&parts)?;
    let asked = read(&parts.headers, body).await?;
    let (kind, keeper) = match (asked.mode, asked.deliver) {
        (Mode::Token, Some(Deliver::Cookie)) if !portal.token_cookies.are_given => return Err(TOKEN_COOKIES),
        (Mode::Token, Some(Deliver::Cookie)) => (SessionKind::Tokens, Keeper::Browser),
        // What a program keeps by itself needs nobody to remember it.
        (Mode::Token, _) => (SessionKind::Tokens, Keeper::Program),
        (Mode::Session, Some(Deliver::Body)) => (SessionKind::Client, Keeper::Program),
        (Mode::Session, _) if asked.remember => (SessionKind::Remembered, Keeper::Browser),
        (Mode::Session, _) => (SessionKind::Browser, Keeper::Browser),
    };
    // It would not be let in with them; and no session is opened that its browser cannot use.
    if keeper == Keeper::Browser && portal.has_conflicting_cookies(&parts) {
        return Err(Reject::AmbiguousCookie.into());
    }
    let typed = Typed { identifier: &asked.identifier, password: &asked.password };
    match portal.sign_in(typed, kind, keeper, &parts).await? {
        LoginOutcome::Opened { token, session, mark, .. } => {
            let mut response = match session.kind {
                SessionKind::Tokens => portal.first_tokens(&session, keeper).await?,
                _ => portal.delivered(&token, &session)?,
            };
            if keeper == Keeper::Browser {
                let headers = response.headers_mut();
                headers.append(SET_COOKIE, cookie::device(&portal.device_cookie, &mark)?);
                match session.kind {
                    // The other way round, for the same reason.
                    SessionKind::Tokens => {
                        headers.append(SET_COOKIE, cookie::session_gone(&portal.decider.cookie)?);
                    }
                    _ => portal.forget_all_tokens(&parts.headers, headers)?,
                }
            }
            Ok(response)
        }
        LoginOutcome::Refused => Err(Problem::LoginRefused),
        LoginOutcome::Wait(wait) => Err(Problem::Throttled(wait)),
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<LoginJson, Problem> {
    body::json(
        headers,
        body,
        "Expected a JSON object with identifier and password, and if need be mode, deliver and remember, \
         each once and nothing else.",
    )
    .await
}

const TOKEN_COOKIES: Problem = Problem::Unsupported(
    "deliver-unsupported",
    "This installation hands tokens out in the body alone. For a browser, use mode \"session\".",
);

impl Portal {
    async fn first_tokens(&self, session: &Session, keeper: Keeper) -> Result<Response, Problem> {
        let tokens = self.granter.begin(session.id).await?;
        // Ended by somebody else in the moment since it was opened.
        let tokens = tokens.ok_or(Problem::Rejected(Reject::UnknownSession))?;
        match (self.token_cookies.given(), keeper) {
            (Some(names), Keeper::Browser) => self.delivered_in_cookies(names, &tokens, session),
            _ => Ok(oauth::token::delivered(&tokens)),
        }
    }

    /// A session token for its holder: in the body for what a program keeps, else in a cookie and nowhere else.
    pub(super) fn delivered(&self, token: &SessionToken, session: &Session) -> Result<Response, Problem> {
        let shown = SessionJson::of(session, session.id);
        if session.kind == SessionKind::Client {
            let body = json!({ "session": shown, "session_token": token.reveal_bearer() });
            return Ok(Json(body).into_response());
        }
        let csrf_token = self.decider.csrf.issue(Binding::Session(&session.id), self.clock.now());
        let mut response = Json(json!({ "session": shown, "csrf_token": csrf_token })).into_response();
        let headers = response.headers_mut();
        headers.append(SET_COOKIE, cookie::session(&self.decider.cookie, token, session, self.clock.now())?);
        headers.append(SET_COOKIE, cookie::pre_session_gone(&self.pre_session_cookie)?);
        Ok(response)
    }
}
