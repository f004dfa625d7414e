//! A layer for tower: requests come through with verified claims in their extensions, or not at all.
//! In: an [`InnerDoor`], and any service over HTTP requests. Out: the same service behind the door.
//!
//! ```
//! use std::{convert::Infallible, sync::Arc};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use vestibule_verify::{Claims, KeySet, Verified, Verifier};
//! use vestibule_verify::tower::{InnerDoor, VerifyLayer};
//! # use http::{Request, Response, StatusCode};
//!
//! async fn orders(request: Request<String>) -> Result<Response<String>, Infallible> {
//!     let who = request.extensions().get::<Verified<Claims>>().map_or("nobody", |claims| claims.sub());
//!     Ok(Response::new(format!("orders of {who}")))
//! }
//!
//! # let keys = KeySet::default();
//! let verifier = Arc::new(Verifier::new("https://app.example.com", "orders", keys));
//! let service = ServiceBuilder::new()
//!     .layer(VerifyLayer::new(InnerDoor::new(verifier)))
//!     .service(service_fn(orders));
//! # let ask = service.oneshot(Request::new(String::new()));
//! # let refused = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(ask).unwrap();
//! # assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
//! # assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer realm="));
//! ```
//!
//! Refusals are made of a `String`, so the response's body is one that a `String` can become: those of axum and `http-body-util`
//! are. Layers that change the body (compression) go around this one.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

pub use crate::door::{Cause, InnerDoor, NotSignedIn};
use crate::{claims::Claims, verified::Verified};

/// Puts a service behind an [`InnerDoor`].
///
/// A request that is let in carries `Verified<Claims>` in its extensions. One that is not gets 401 with `WWW-Authenticate`
/// (RFC 6750 section 3), 403 for want of a scope, 503 while nobody can tell; the same problem documents as from the extractors.
#[derive(Clone)]
pub struct VerifyLayer {
    policy: Arc<Policy>,
}

struct Policy {
    door: InnerDoor,
    strangers: Strangers,
    scope: Option<Arc<str>>,
}

#[derive(Clone, Copy)]
enum Strangers {
    Admitted,
    Refused,
}

impl VerifyLayer {
    /// Refuses requests without a JWT.
    #[must_use]
    pub fn new(door: InnerDoor) -> Self {
        Self { policy: Arc::new(Policy { door, strangers: Strangers::Refused, scope: None }) }
    }

    /// Lets requests without a JWT through, without claims in their extensions. A JWT that is no good is refused all the same.
    #[must_use]
    pub fn for_everybody(door: InnerDoor) -> Self {
        Self { policy: Arc::new(Policy { door, strangers: Strangers::Admitted, scope: None }) }
    }

    /// Asks for this scope too. Whoever comes without is told which one (`insufficient_scope`, RFC 6750 section 3.1); where
    /// strangers are let in, so is whoever has no JWT.
    #[must_use]
    pub fn with_scope(self, scope: &str) -> Self {
        let Policy { door, strangers, .. } = &*self.policy;
        let policy = Policy { door: door.clone(), strangers: *strangers, scope: Some(scope.into()) };
        Self { policy: Arc::new(policy) }
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verify<S>;

    fn layer(&self, inner: S) -> Verify<S> {
        Verify { inner, policy: Arc::clone(&self.policy) }
    }
}

/// A service behind an [`InnerDoor`]; made by [`VerifyLayer`].
#[derive(Clone)]
pub struct Verify<S> {
    inner: S,
    policy: Arc<Policy>,
}

impl<S, B, R> Service<Request<B>> for Verify<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Admission<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Admission<S, B> {
        let verdict = self.policy.door.judge(request.headers());
        if !self.policy.door.may_change(&verdict) {
            return Admission { step: Step::after(verdict, &self.policy, &mut self.inner, request) };
        }
        // The one that is ready goes with the request; its twin stays.
        let twin = self.inner.clone();
        let inner = mem::replace(&mut self.inner, twin);
        let door = self.policy.door.clone();
        let asking = Box::pin(async move { door.asked().await });
        let waiting = Some(Waiting { inner, request, policy: Arc::clone(&self.policy) });
        Admission { step: Step::Asking { asking, waiting } }
    }
}

impl Policy {
    fn admit<B>(
        &self,
        verdict: Result<Option<Verified<Claims>>, NotSignedIn>,
        request: &mut Request<B>,
    ) -> Result<(), NotSignedIn> {
        let claims = verdict?;
        // What a layer further out found was for its own audience.
        request.extensions_mut().remove::<Verified<Claims>>();
        let Some(claims) = claims else {
            return match self.strangers {
                Strangers::Admitted => Ok(()),
                Strangers::Refused => Err(self.door.refused(Cause::NoJwt)),
            };
        };
        if let Some(scope) = self.scope.as_ref().filter(|scope| !claims.scope().any(|it| it == &***scope)) {
            return Err(self.door.refused(Cause::Scope(Arc::clone(scope))));
        }
        request.extensions_mut().insert(claims);
        Ok(())
    }
}

pin_project! {
    /// What [`Verify`] answers with.
    pub struct Admission<S, B> where S: Service<Request<B>> {
        #[pin]
        step: Step<S, B>,
    }
}

pin_project! {
    #[project = Pinned]
    enum Step<S, B> where S: Service<Request<B>> {
        Asking { asking: Pin<Box<dyn Future<Output = ()> + Send>>, waiting: Option<Waiting<S, B>> },
        Admitted { #[pin] answer: S::Future },
        Refused { refusal: Option<NotSignedIn> },
    }
}

/// A request whose key the issuer is being asked about.
struct Waiting<S, B> {
    inner: S,
    request: Request<B>,
    policy: Arc<Policy>,
}

impl<S: Service<Request<B>>, B> Step<S, B> {
    fn after(
        verdict: Result<Option<Verified<Claims>>, NotSignedIn>,
        policy: &Policy,
        inner: &mut S,
        mut request: Request<B>,
    ) -> Self {
        match policy.admit(verdict, &mut request) {
            Ok(()) => Self::Admitted { answer: inner.call(request) },
            Err(refusal) => Self::Refused { refusal: Some(refusal) },
        }
    }
}

impl<S, B, R> Future for Admission<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<String>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut step = self.project().step;
        loop {
            let next = match step.as_mut().project() {
                Pinned::Admitted { answer } => return answer.poll(context),
                Pinned::Refused { refusal } => match refusal.take() {
                    Some(refusal) => return Poll::Ready(Ok(refusal.response())),
                    None => return Poll::Pending,
                },
                Pinned::Asking { asking, waiting } => {
                    ready!(asking.as_mut().poll(context));
                    let Some(Waiting { mut inner, request, policy }) = waiting.take() else {
                        return Poll::Pending;
                    };
                    let verdict = policy.door.judge(request.headers());
                    Step::after(verdict, &policy, &mut inner, request)
                }
            };
            step.set(next);
        }
    }
}
