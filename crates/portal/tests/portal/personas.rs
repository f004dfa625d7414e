//! Who comes to the portal: a browser with a cookie jar and honest metadata, and an API client with neither.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body::Body as _;
use tower::ServiceExt;
use vestibule_portal::Peer;

use crate::app::{App, ORIGIN};
use crate::contract;

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} came twice");
        value
    }

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The value of a hidden or visible input of the page.
    pub(crate) fn input(&self, name: &str) -> Option<String> {
        let from = self.body.find(&format!("name=\"{name}\""))?;
        let tag = &self.body[from..from + self.body[from..].find('>').unwrap()];
        let value = &tag[tag.find("value=\"")? + 7..];
        Some(value[..value.find('"').unwrap()].to_owned())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|cause| panic!("{cause}: {}", self.body))
    }

    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        self.json()["code"].as_str().unwrap().to_owned()
    }
}

/// Sends a request; what is answered must be what the OpenAPI document says.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = request.into_parts();
    let (sent, body) = if body.size_hint().exact().is_some() {
        let bytes = axum::body::to_bytes(body, 1 << 24).await.unwrap();
        (Some(bytes.to_vec()), Body::from(bytes))
    } else {
        (None, body)
    };
    let asked = contract::Asked {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        headers: parts.headers.clone(),
        body: sent,
    };
    let (parts, body) = router.clone().oneshot(Request::from_parts(parts, body)).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let answer = Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.into()).unwrap(),
    };
    contract::hold(&asked, &answer);
    answer
}

/// A request as it comes off the wire from this address.
pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
    let peer: IpAddr = "203.0.113.7".parse().unwrap();
    Request::builder().method(method).uri(path).extension(Peer(peer))
}

/// A browser on our origin: keeps cookies, says where its requests come from, asks for HTML.
pub(crate) struct Browser {
    router: Router,
    pub(crate) jar: BTreeMap<String, String>,
    pub(crate) user_agent: &'static str,
}

impl Browser {
    pub(crate) fn of(app: &App) -> Self {
        Self {
            router: app.router.clone(),
            jar: BTreeMap::new(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).header("sec-fetch-mode", "navigate");
        self.take(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.request(Method::POST, path).header("sec-fetch-site", "same-origin");
        self.take(with_form(request, fields)).await
    }

    /// A request with its cookies, for tests that want to say the rest themselves.
    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let mut request = request(method, path)
            .header(header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
            .header(header::USER_AGENT, self.user_agent);
        if !self.jar.is_empty() {
            let pairs: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, pairs.join("; "));
        }
        request
    }

    pub(crate) async fn take(&mut self, request: Request<Body>) -> Answer {
        let answer = send(&self.router, request).await;
        for line in answer.set_cookies() {
            let (pair, attributes) = line.split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Opens the form, fills it in, sends it.
    pub(crate) async fn sign_in(&mut self, identifier: &str, password: &str) -> Answer {
        let form = self.get("/auth/login").await;
        let token = form.input("csrf_token").expect("a login form");
        let fields = [("csrf_token", &*token), ("identifier", identifier), ("password", password)];
        self.post("/auth/login", &fields).await
    }
}

/// A browser of its own that has signed in.
pub(crate) async fn signed_in(app: &App, identifier: &str, password: &str) -> Browser {
    let mut browser = Browser::of(app);
    assert_eq!(browser.sign_in(identifier, password).await.status, StatusCode::SEE_OTHER);
    browser
}

/// The CSRF token of a page.
pub(crate) async fn token_of(browser: &mut Browser, path: &str) -> String {
    browser.get(path).await.input("csrf_token").unwrap()
}

pub(crate) fn with_form(request: http::request::Builder, fields: &[(&str, &str)]) -> Request<Body> {
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let body: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    request
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.join("&")))
        .unwrap()
}

/// A program: no cookies, no metadata, JSON.
pub(crate) struct ApiClient {
    router: Router,
    pub(crate) bearer: Option<String>,
}

impl ApiClient {
    pub(crate) fn of(app: &App) -> Self {
        Self { router: app.router.clone(), bearer: None }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Something that is no text.
    pub(crate) async fn bytes(&self, path: &str) -> (HeaderMap, Vec<u8>) {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        assert_eq!(parts.status, StatusCode::OK, "{path}");
        (parts.headers, axum::body::to_bytes(body, 1 << 20).await.unwrap().into())
    }

    pub(crate) async fn put(&self, path: &str, body: &str) -> Answer {
        let request = self.request(Method::PUT, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let request = request(method, path).header(header::USER_AGENT, "curl/8.14.1");
        match &self.bearer {
            Some(bearer) => request.header(header::AUTHORIZATION, format!("Bearer {bearer}")),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }
}

/// The API as a page of ours calls it: with the browser's cookies.
pub(crate) async fn fetch(
    browser: &mut Browser,
    method: Method,
    path: &str,
    csrf_token: Option<&str>,
    body: Option<&str>,
) -> Answer {
    let mut request = browser.request(method, path).header(header::ORIGIN, ORIGIN);
    request = request.header("sec-fetch-site", "same-origin");
    if let Some(token) = csrf_token {
        request = request.header("x-csrf-token", token);
    }
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    browser.take(request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap()).await
}
