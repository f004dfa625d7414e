//! `POST /oauth/introspect` (RFC 7662), on the public listener and on the internal one: a resource server asks about a token that was
//! presented to it. In: a form, and in `Accept` what the answer is to be. Out: claims as JSON, the same signed (RFC 9701), or the JWT that
//! the token stands for; and of a token that is not good, that and no more.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};
use vestibule_core::Fault;
use vestibule_core::client::Client;
use vestibule_core::introspect::{LONGEST_KEPT, Phantom, PresentedToken, Question};

use super::client::OAuthClient;
use super::{Refusal, answer, read};
use crate::problem::INVALID_TOKEN;
use crate::{Portal, event};

/// Where it is, below the prefix.
pub(crate) const PATH: &str = "/oauth/introspect";

/// The same address on the internal listener, where no browser comes: without what answers tell browsers, and without the steps that lead
/// from one listener to many pages.
pub struct Introspection(Arc<Portal>);

impl Introspection {
    /// Of this portal.
    pub fn of(portal: Arc<Portal>) -> Self {
        Self(portal)
    }

    /// Whether this is its address on the internal listener. Nothing takes the prefix off on the way there.
    pub fn is_at(&self, path: &str) -> bool {
        self.0.paths.named(path) == Some(PATH)
    }

    /// Its address on both listeners, as those who ask write it.
    pub fn address(&self) -> String {
        self.0.to(PATH)
    }

    /// Answers a request for it.
    pub async fn answer(&self, request: Request) -> Response {
        let mut response = match request.method() {
            &Method::POST => submit(State(Arc::clone(&self.0)), request).await.into_response(),
            _ => {
                (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, HeaderValue::from_static("POST"))]).into_response()
            }
        };
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

pub(crate) async fn submit(State(portal): State<Arc<Portal>>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let (caller, form) = read(&portal, &parts, body).await?;
    let OAuthClient::Client(client) = caller else {
        return Err(Refusal::invalid_client("Only a client that proves who it is may ask."));
    };
    let Some(audience) = client.serves.as_deref() else {
        return Err(Refusal::unauthorized_client(
            "This client serves no audience that tokens are presented to.",
        ));
    };
    // `token_type_hint` is a hint for those who would have to search: our tokens tell what they are.
    let token = form.field("token");
    if token.is_empty() {
        return Err(Refusal::invalid_request("token is missing."));
    }
    let wanted = Wanted::by(&parts.headers);
    let introspector = &portal.introspector;
    let token = introspector.read(token, audience).map_err(|fault| portal.could_not_tell(&fault))?;
    // The JWT that a session token stands for is found in memory. Whatever takes a signature or the store is counted. Proven tokens are
    // counted apart, so strangers who present made-up tokens keep no holder of a good one waiting.
    let is_cheap = wanted == Wanted::Jwt && !form.field("token").contains('.');
    let question = if is_cheap {
        None
    } else {
        let (proof, now) = (introspector.proof(&token), portal.clock.now());
        Some(introspector.pace.count(client.id, form.field("token"), proof, now).map_err(|wait| {
            event::introspection_throttled();
            Refusal::too_fast(wait)
        })?)
    };
    let asked = Asked { token, audience, question };
    let told = match wanted {
        Wanted::Jwt => portal.phantom(&asked).await,
        Wanted::Json => portal.claims(&asked).await.map(|it| answer(StatusCode::OK, it.into())),
        Wanted::SignedJson => portal.signed_claims(&asked, &client).await,
    };
    told.map(|mut response| {
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
        response
    })
}

/// What is asked.
struct Asked<'a> {
    token: PresentedToken<'a>,
    audience: &'a str,
    /// Where it was counted.
    question: Option<Question>,
}

/// What the answer is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Json,
    Jwt,
    SignedJson,
}

impl Wanted {
    /// The first that is named and that we have; JSON otherwise.
    fn by(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
        let named = lines.flat_map(|line| line.split(',')).filter_map(|range| {
            let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
            let name = name.trim();
            // RFC 9110 section 12.4.2: of weight nought is what is not wanted.
            let is_unwanted = parameters.split(';').map(str::trim).any(|it| {
                let weight = it.strip_prefix("q=").or_else(|| it.strip_prefix("Q="));
                weight.and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
            });
            if is_unwanted {
                return None;
            }
            [
                ("application/json", Self::Json),
                ("application/jwt", Self::Jwt),
                ("application/token-introspection+jwt", Self::SignedJson),
            ]
            .into_iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known))
        });
        named.map(|(_, wanted)| wanted).next().unwrap_or(Self::Json)
    }
}

impl Portal {
    /// The bare JWT, as the body and as the header that a proxy hands on; 401 where there is none, so that whoever looks at the status
    /// alone lets nobody through.
    async fn phantom(&self, asked: &Asked<'_>) -> Result<Response, Refusal> {
        let phantom = self.introspector.phantom(&asked.token).await;
        let phantom = phantom.map_err(|fault| self.could_not_tell(&fault))?;
        Ok(match phantom {
            Some(phantom) => {
                self.answered(asked, true);
                bare(&phantom).map_err(|fault| self.could_not_tell(&fault))?
            }
            None => {
                self.refuse_unconfigured(asked.audience)?;
                self.answered(asked, false);
                let head = [(WWW_AUTHENTICATE, INVALID_TOKEN), (CACHE_CONTROL, NO_STORE)];
                (StatusCode::UNAUTHORIZED, head, axum::Json(inactive())).into_response()
            }
        })
    }

    async fn claims(&self, asked: &Asked<'_>) -> Result<Map<String, Value>, Refusal> {
        let claims = self.introspector.claims(&asked.token).await;
        let claims = claims.map_err(|fault| self.could_not_tell(&fault))?;
        if claims.is_none() {
            self.refuse_unconfigured(asked.audience)?;
        }
        self.answered(asked, claims.is_some());
        Ok(match claims {
            Some(mut claims) => {
                claims.insert("active".to_owned(), true.into());
                claims.insert("token_type".to_owned(), "Bearer".into());
                claims
            }
            None => inactive(),
        })
    }

    async fn signed_claims(&self, asked: &Asked<'_>, client: &Client) -> Result<Response, Refusal> {
        let claims = self.claims(asked).await?;
        let jwt = self.minter.introspection_jwt(&client.id, claims);
        let jwt = jwt.map_err(|fault| self.could_not_tell(&fault))?;
        let head = [(CONTENT_TYPE, INTROSPECTION_JWT), (CACHE_CONTROL, NO_STORE)];
        Ok((StatusCode::OK, head, jwt).into_response())
    }

    fn answered(&self, asked: &Asked<'_>, is_good: bool) {
        event::introspected(is_good);
        let pace = &self.introspector.pace;
        match (&asked.question, is_good) {
            (Some(question), true) => pace.was_good(question, self.clock.now()),
            (Some(question), false) => pace.was_not_good(question),
            (None, _) => {}
        }
    }

    /// For an audience that is gone no token is good; but it is not the token's fault.
    fn refuse_unconfigured(&self, audience: &str) -> Result<(), Refusal> {
        match self.minter.audiences().get(audience) {
            Some(_) => Ok(()),
            None => Err(Refusal::unauthorized_client(
                "The audience that this client serves is not configured any more.",
            )),
        }
    }

    fn could_not_tell(&self, fault: &Fault) -> Refusal {
        event::introspection_fault();
        Refusal::fault(self, fault)
    }
}

/// [`LONGEST_KEPT`], which is what nearly every answer says.
const AS_LONG_AS_CAN_BE: HeaderValue = HeaderValue::from_static("max-age=30");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const INTROSPECTION_JWT: HeaderValue = HeaderValue::from_static("application/token-introspection+jwt");
const JWT: HeaderValue = HeaderValue::from_static("application/jwt");

/// RFC 7662 section 2.2: nothing more is told, not even why.
fn inactive() -> Map<String, Value> {
    Map::from_iter([("active".to_owned(), json!(false))])
}

fn bare(phantom: &Phantom) -> Result<Response, Fault> {
    let kept = match phantom.kept_for.as_secs() {
        0 => Ok(NO_STORE),
        _ if phantom.kept_for == LONGEST_KEPT => Ok(AS_LONG_AS_CAN_BE),
        seconds => HeaderValue::try_from(format!("max-age={seconds}")),
    };
    let kept = kept.map_err(|_| Fault::Bug("a number of seconds is no header value"))?;
    let mut response = Response::new(Body::from(phantom.jwt()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JWT);
    headers.insert(CACHE_CONTROL, kept);
    headers.insert(AUTHORIZATION, phantom.authorization()?);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_kind_that_is_named_and_known_is_given() {
        for (accept, wanted) in [
            (&[][..], Wanted::Json),
            (&["*/*"], Wanted::Json),
            (&["application/jwt"], Wanted::Jwt),
            (&["Application/JWT;q=0.9"], Wanted::Jwt),
            (&["text/html, application/jwt, application/json"], Wanted::Jwt),
            (&["application/json, application/jwt"], Wanted::Json),
            (&["text/html", "application/token-introspection+jwt"], Wanted::SignedJson),
            (&["application/jwtx, application/jws"], Wanted::Json),
            (&["application/jwt;q=0, application/token-introspection+jwt;q=0.1"], Wanted::SignedJson),
            (&["application/jwt; Q=0.000"], Wanted::Json),
        ] {
            let mut headers = HeaderMap::new();
            for line in accept {
                headers.append(ACCEPT, HeaderValue::from_static(line));
            }
            assert_eq!(Wanted::by(&headers), wanted, "{accept:?}");
        }
    }
}
