//! Extractors for axum: who is asking, by the JWT that the gateway put into the request.
//! In: an [`InnerDoor`] in the router's state, and requests. Out: [`SignedIn`], `Option<SignedIn>`,
//! or a finished refusal. A JWT that is no good is refused by both: it never counts as "nobody".
//!
//! ```
//! # mod app {
//! use std::sync::Arc;
//!
//! use axum::{Router, routing::get};
//! use serde::Deserialize;
//! use vestibule_verify::{KeySet, Verifier, axum::{InnerDoor, SignedIn}};
//!
//! /// What `claims = { … }` of this audience says; a trait that an account lacks is left out.
//! #[derive(Deserialize)]
//! struct Orders {
//!     department: Option<String>,
//! }
//!
//! // 401 for whoever is not signed in, before this is called.
//! async fn orders(me: SignedIn<Orders>) -> String {
//!     format!("{} of {:?}", me.sub(), me.own().department)
//! }
//!
//! // For everybody; a JWT that is no good is refused here too.
//! async fn greeting(visitor: Option<SignedIn>) -> String {
//!     visitor.map_or("Hello, stranger".to_owned(), |me| format!("Hello, {}", me.sub()))
//! }
//!
//! # pub(super) fn app(jwks: &str) -> Result<Router, vestibule_verify::KeyReject> {
//! let keys = KeySet::from_jwks(jwks)?;
//! let verifier = Arc::new(Verifier::new("https://app.example.com", "orders", keys));
//! let app = Router::new()
//!     .route("/orders/", get(orders))
//!     .route("/", get(greeting))
//!     .with_state(InnerDoor::new(verifier));
//! # Ok(app)
//! # }
//! # }
//! # use axum::{body::Body, http::{Request, StatusCode, header}};
//! # use tower::ServiceExt;
//! # let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
//! # let app = app::app(jwks).unwrap();
//! # let ask = |path: &str, jwt: Option<&str>| {
//! #     let mut request = Request::get(path);
//! #     if let Some(jwt) = jwt { request = request.header(header::AUTHORIZATION, format!("Bearer {jwt}")); }
//! #     let answer = app.clone().oneshot(request.body(Body::empty()).unwrap());
//! #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(answer).unwrap().status()
//! # };
//! # assert_eq!(ask("/", None), StatusCode::OK);
//! # assert_eq!(ask("/orders/", None), StatusCode::UNAUTHORIZED);
//! # assert_eq!(ask("/", Some("not.a.jwt")), StatusCode::UNAUTHORIZED);
//! ```
//!
//! A state of your own works as well: implement [`FromRef`] for [`InnerDoor`], or derive it. Whole
//! routers are closed to strangers by axum's own layer:
//!
//! ```
//! # use axum::{Router, middleware::from_extractor_with_state};
//! # use vestibule_verify::axum::{InnerDoor, SignedIn};
//! # fn close(app: Router, door: InnerDoor) -> Router {
//! app.layer(from_extractor_with_state::<SignedIn, _>(door))
//! # }
//! ```
//!
//! The keys are the verifier's business: with the feature `client` it finds them and keeps them
//! fresh by itself. Without, begin with an empty [`KeySet`](crate::KeySet) if they are not there yet,
//! hand them to [`Verifier::replace_keys`](crate::Verifier::replace_keys) when they come, and again when
//! they change. Until there are any, a request with a JWT is answered 503: nobody can tell.

use std::fmt;
use std::ops::Deref;

use axum_core::body::Body;
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::{claims::Claims, verified::Verified};

pub use crate::door::{Cause, InnerDoor, NotSignedIn};

/// Somebody who signed in, as the gateway says and the signature proves.
///
/// It reads like the [`Claims`]: `sub()`, `sid()`, `auth_time()`, `amr()`, `acr()`. `T` is what the
/// audience's own claims are read as ([`SignedIn::own`]); left out, they are not looked at.
///
/// Answers 401 with `WWW-Authenticate` without a JWT or with one that is refused, 403 when the
/// claims do not fit `T`, 503 when there are no keys to tell by. As an `Option` it is `None`
/// without a JWT, and the same otherwise.
pub struct SignedIn<T = IgnoredAny> {
    claims: Verified<Claims>,
    own: T,
}

impl<T> SignedIn<T> {
    /// The claims with the proof that they were verified, for functions that ask for it.
    #[must_use]
    pub fn claims(&self) -> &Verified<Claims> {
        &self.claims
    }

    /// What this audience is told beside the standard claims.
    #[must_use]
    pub fn own(&self) -> &T {
        &self.own
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_own(self) -> T {
        self.own
    }
}

impl<T> Deref for SignedIn<T> {
    type Target = Verified<Claims>;

    fn deref(&self) -> &Verified<Claims> {
        &self.claims
    }
}

impl<T: Clone> Clone for SignedIn<T> {
    fn clone(&self) -> Self {
        Self { claims: self.claims.clone(), own: self.own.clone() }
    }
}

/// Who, and not all that is said of them: claims are personal data, and logs are kept.
impl<T> fmt::Debug for SignedIn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn")
            .field("sub", &self.claims.sub())
            .field("sid", &self.claims.sid())
            .finish_non_exhaustive()
    }
}

impl<S, T> FromRequestParts<S> for SignedIn<T>
where
    InnerDoor: FromRef<S>,
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NotSignedIn> {
        let door = InnerDoor::from_ref(state);
        match door.admit(&parts.headers).await? {
            Some(claims) => read(&door, claims),
            None => Err(door.refused(Cause::NoJwt)),
        }
    }
}

impl<S, T> OptionalFromRequestParts<S> for SignedIn<T>
where
    InnerDoor: FromRef<S>,
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, NotSignedIn> {
        let door = InnerDoor::from_ref(state);
        door.admit(&parts.headers).await?.map(|claims| read(&door, claims)).transpose()
    }
}

fn read<T: DeserializeOwned>(door: &InnerDoor, claims: Verified<Claims>) -> Result<SignedIn<T>, NotSignedIn> {
    match T::deserialize(claims.members()) {
        Ok(own) => Ok(SignedIn { claims, own }),
        Err(error) => Err(door.refused(Cause::Claims(error.to_string()))),
    }
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        self.response::<Body>()
    }
}
