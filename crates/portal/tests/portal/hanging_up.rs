//! Clients that do not wait for the answer.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, header};
use http_body::Frame;
use tower::ServiceExt;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::ApiClient;

/// Whoever hangs up while his password is looked at has made an attempt like any other: it is carried through, and logged.
#[tokio::test]
async fn a_login_is_carried_through_when_its_client_hangs_up() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let body = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}"}}"#);
    let request = client
        .request(Method::POST, "/auth/api/v1/login")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::new(Late { waited: false, body: Some(body.into()) }))
        .unwrap();
    {
        let mut answer = pin!(app.router.clone().oneshot(request));
        let polled = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
        assert!(polled.is_pending());
    }
    assert!(app.world.sessions_held().is_empty(), "nothing has happened yet");
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.world.sessions_held().len(), 1);
}

/// A body that is not there at first.
struct Late {
    waited: bool,
    body: Option<Bytes>,
}

impl http_body::Body for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !std::mem::replace(&mut self.waited, true) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.body.take().map(|body| Ok(Frame::data(body))))
    }
}
