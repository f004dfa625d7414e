//! `POST /api/v1/refresh`: the refresh token in a browser's cookie for the next one, and an access token. In: the cookie, and a CSRF
//! token, for the browser sends it unasked. Out: both as cookies, in place of the old ones; or a problem, and both cookies are taken back.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use vestibule_core::Reject;
use vestibule_core::grant::Refreshed;

use crate::problem::Problem;
use crate::{Portal, body, event};

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let Some(names) = portal.token_cookies.given() else { return Err(Problem::NotFound) };
    portal.refuse_foreign(&parts)?;
    body::read_optional(&parts.headers, body, body::JSON).await?;
    let (known, presented) = match portal.holder_by_refresh(names, &parts).await? {
        None => return Err(Reject::NoCredential.into()),
        Some(Err(reject)) if !reject.asks_for_login() => return Err(reject.into()),
        Some(Err(reject)) => return portal.nothing_left(reject),
        Some(Ok(held)) => held,
    };
    portal.refuse_forged(&known, &parts, None)?;
    // Whatever can fail comes first: a refresh token that is used up for an answer that is not given looks stolen at the next try.
    let session = portal.directory.session(known.session.id(), portal.clock.now()).await?;
    let Some(session) = session else { return portal.nothing_left(Reject::UnknownSession) };
    let source = portal.source(&parts);
    match portal.granter.refresh(presented).await.inspect_err(|_| event::refresh_fault())? {
        Refreshed::Tokens(tokens) => {
            event::refreshed();
            portal.delivered_in_cookies(names, &tokens, &session)
        }
        // The one after it is on its way to this browser in another answer, or was.
        Refreshed::Refused(reject @ Reject::RefreshTokenUsed) => {
            event::refresh_refused(reject, source);
            Err(reject.into())
        }
        Refreshed::Refused(reject) => {
            event::refresh_refused(reject, source);
            portal.nothing_left(reject)
        }
        Refreshed::Replayed(session) => {
            event::refresh_replayed(session, source);
            portal.nothing_left(Reject::UnknownSession)
        }
    }
}

impl Portal {
    /// What the browser holds is worth nothing any more: it is told to forget it.
    fn nothing_left(&self, reject: Reject) -> Result<Response, Problem> {
        let mut response = Problem::Rejected(reject).into_response();
        // Where cookies contradict each other, all of ours are taken back, whoever refuses.
        if reject != Reject::AmbiguousCookie {
            self.forget_tokens(response.headers_mut())?;
        }
        Ok(response)
    }
}
