//! CS-06 and DS-04: which bodies are taken where, and how large.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body::Frame;

use crate::app::{ADA, App, PASSWORD};
use crate::personas::{ApiClient, Browser};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test]
async fn every_address_takes_one_media_type() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let types = [
        (None, ""),
        (Some(""), ""),
        (Some("text/plain"), ""),
        (Some("text/plain; application/json"), ""),
        (Some("multipart/form-data; boundary=x"), ""),
        (Some("application/xml"), ""),
        (Some("application/jsonp"), ""),
        (Some("application/json-patch+json"), ""),
        (Some("application/problem+json"), ""),
        (Some("application/json; charset=utf-7"), ""),
        (Some("application/json, text/plain"), ""),
        (Some("*/*"), ""),
        (Some("application/x-www-form-urlencoded; charset=latin1"), ""),
        (Some(FORM), FORM),
        (Some("application/x-www-form-urlencoded; charset=UTF-8"), FORM),
        (Some("Application/X-WWW-Form-Urlencoded"), FORM),
        (Some(JSON), JSON),
        (Some("application/json;charset=utf-8"), JSON),
        (Some("APPLICATION/JSON; Charset=\"UTF-8\""), JSON),
    ];
    let addresses = [
        (Method::POST, "/auth/login", FORM),
        (Method::POST, "/auth/logout", FORM),
        (Method::POST, "/auth/register", FORM),
        (Method::POST, "/auth/confirm", FORM),
        (Method::POST, "/auth/cookies/delete", FORM),
        (Method::POST, "/auth/account/password", FORM),
        (Method::POST, "/auth/account/sessions/end", FORM),
        (Method::POST, "/auth/account/sessions/end-others", FORM),
        (Method::POST, "/auth/api/v1/login", JSON),
        (Method::POST, "/auth/api/v1/logout", JSON),
        (Method::POST, "/auth/api/v1/register", JSON),
        (Method::POST, "/auth/api/v1/confirm", JSON),
        (Method::PUT, "/auth/api/v1/password", JSON),
        (Method::DELETE, "/auth/api/v1/sessions", JSON),
        (Method::DELETE, "/auth/api/v1/sessions/x", JSON),
    ];
    for (method, path, takes) in addresses {
        for (sent, is) in types {
            let mut request = client.request(method.clone(), path).header("sec-fetch-site", "same-origin");
            if let Some(sent) = sent {
                request = request.header(header::CONTENT_TYPE, sent);
            }
            let answer = client.send(request.body(Body::from("x")).unwrap()).await;
            let refused = answer.status == StatusCode::UNSUPPORTED_MEDIA_TYPE;
            assert_eq!(refused, is != takes, "{path} {sent:?}: {}", answer.status);
            if refused {
                assert_eq!(answer.code(), "media-type");
            }
        }
        let twice = client
            .request(method.clone(), path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, takes)
            .header(header::CONTENT_TYPE, takes);
        let answer = client.send(twice.body(Body::from("x")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        let encoded = client
            .request(method.clone(), path)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, takes)
            .header(header::CONTENT_ENCODING, "gzip");
        let answer = client.send(encoded.body(Body::from("x")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
    }
}

/// A script that has nothing to say sends `text/plain` or its library's favourite type, and no body.
#[tokio::test]
async fn an_empty_body_is_of_every_type_where_none_is_needed() {
    let app = App::new();
    for path in ["/auth/api/v1/logout", "/auth/logout"] {
        for sent in [
            "text/plain;charset=UTF-8",
            FORM,
            JSON,
            "application/octet-stream",
            "multipart/form-data; boundary=x",
        ] {
            for length in [None, Some("0")] {
                let mut request = Browser::of(&app)
                    .request(Method::POST, path)
                    .header("sec-fetch-site", "same-origin")
                    .header(header::CONTENT_TYPE, sent);
                if let Some(length) = length {
                    request = request.header(header::CONTENT_LENGTH, length);
                }
                let answer = Browser::of(&app).take(request.body(Body::empty()).unwrap()).await;
                assert!(
                    answer.status.is_success() || answer.status.is_redirection(),
                    "{path} {sent}: {}",
                    answer.status
                );
            }
        }
    }
}

#[tokio::test]
async fn sixteen_kibibytes_and_no_more() {
    let app = App::new();
    let client = ApiClient::of(&app);
    let json = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}"}}"#);
    for (path, takes, body) in
        [("/auth/api/v1/login", JSON, json), ("/auth/login", FORM, "identifier=a&x=".to_owned())]
    {
        let pad = if takes == JSON { " " } else { "x" };
        for (length, status) in [
            (16 * 1024, if takes == JSON { StatusCode::OK } else { StatusCode::FORBIDDEN }),
            (16 * 1024 + 1, StatusCode::PAYLOAD_TOO_LARGE),
            (4 << 20, StatusCode::PAYLOAD_TOO_LARGE),
        ] {
            let body = body.clone() + &pad.repeat(length - body.len());
            let request = || {
                client
                    .request(Method::POST, path)
                    .header("sec-fetch-site", "same-origin")
                    .header(header::CONTENT_TYPE, takes)
            };
            let announced = request().header(header::CONTENT_LENGTH, length);
            assert_eq!(client.send(announced.body(Body::from(body.clone())).unwrap()).await.status, status);
            // Not announced, and in pieces.
            let pieces = Body::new(Pieces::of(&body));
            assert_eq!(client.send(request().body(pieces).unwrap()).await.status, status);
        }
    }
}

#[tokio::test]
async fn a_form_that_could_be_read_in_two_ways_is_not_read() {
    let app = App::new();
    let mut browser = Browser::of(&app);
    for body in ["identifier=a&identifier=b", "a=%zz", "a=%ff", "csrf_token=a&csrf%5Ftoken=b"] {
        for path in ["/auth/login", "/auth/logout"] {
            let request = browser
                .request(Method::POST, path)
                .header("sec-fetch-site", "same-origin")
                .header(header::CONTENT_TYPE, FORM);
            let answer = browser.take(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body}");
        }
    }
}

/// A body in pieces, without a length.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn of(body: &str) -> Self {
        Self(body.as_bytes().chunks(1000).map(Bytes::copy_from_slice).collect())
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}
