//! One table through both doors: whatever the dialect, the verdict is the same, and nothing goes to the service behind without a
//! yes.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;

use http::Request;

use crate::app::{App, SUBJECT};
use crate::wire::{Gate, OK, service, status, values};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Through, as the account.
    Ada,
    /// Through, as nobody.
    Anonymous,
    /// Sign in first.
    Login,
    /// No.
    No,
    /// Could not tell.
    Unsure,
}

use Verdict::{Ada, Anonymous, Login, No, Unsure};

#[derive(Clone, Copy)]
enum Credential {
    Cookie,
    CookieTwice,
    LookAlike,
    Stale,
    SessionBearer,
    Jwt,
    JwtForAService,
    Basic,
    Both,
    None,
}

impl Credential {
    fn headers(self, app: &App) -> Vec<(&'static str, String)> {
        let cookie = app.cookie();
        match self {
            Self::Cookie => vec![("cookie", cookie)],
            Self::CookieTwice => vec![("cookie", format!("{cookie}; {cookie}"))],
            Self::LookAlike => vec![("cookie", cookie.to_lowercase())],
            Self::Stale => vec![("cookie", format!("__Host-Http-vestibule={}", "A".repeat(43)))],
            Self::SessionBearer => vec![("authorization", app.session_bearer())],
            Self::Jwt => vec![("authorization", format!("Bearer {}", app.jwt("https://app.test")))],
            Self::JwtForAService => vec![("authorization", format!("Bearer {}", app.jwt("orders")))],
            Self::Basic => vec![("authorization", "Basic YTpi".to_owned())],
            Self::Both => [Self::Cookie.headers(app), Self::Jwt.headers(app)].concat(),
            Self::None => Vec::new(),
        }
    }
}

#[derive(Clone, Copy)]
enum Proof {
    Good,
    Token,
    Origin,
    CrossSite,
    None,
}

impl Proof {
    fn headers(self, app: &App) -> Vec<(&'static str, String)> {
        let (site, token) = (|site: &str| ("sec-fetch-site", site.to_owned()), ("x-csrf-token", app.csrf()));
        match self {
            Self::Good => vec![site("same-origin"), token],
            Self::Token => vec![token],
            Self::Origin => vec![site("same-origin")],
            Self::CrossSite => vec![site("cross-site"), token],
            Self::None => Vec::new(),
        }
    }
}

const TABLE: &[(&str, &str, Credential, Proof, Verdict)] = &[
    ("GET", "/orders/1?x=%2F", Credential::Cookie, Proof::None, Ada),
    ("GET", "/orders/1", Credential::SessionBearer, Proof::None, Ada),
    ("GET", "/orders/1", Credential::Jwt, Proof::None, Ada),
    ("HEAD", "/orders/1", Credential::Cookie, Proof::None, Ada),
    ("GET", "/orders/1", Credential::None, Proof::None, Login),
    ("GET", "/orders/1", Credential::Stale, Proof::None, Login),
    ("GET", "/orders/1", Credential::CookieTwice, Proof::None, Login),
    ("GET", "/orders/1", Credential::LookAlike, Proof::None, Login),
    ("GET", "/orders/1", Credential::JwtForAService, Proof::None, Login),
    ("GET", "/orders/1", Credential::Basic, Proof::None, Login),
    ("GET", "/orders/1", Credential::Both, Proof::None, No),
    ("GET", "/public/1", Credential::None, Proof::None, Anonymous),
    ("GET", "/public/1", Credential::Stale, Proof::None, Anonymous),
    ("GET", "/public/1", Credential::Basic, Proof::None, Anonymous),
    ("GET", "/public/1", Credential::Cookie, Proof::None, Ada),
    ("GET", "/public/1", Credential::Both, Proof::None, No),
    ("POST", "/orders/1", Credential::Cookie, Proof::Good, Ada),
    ("POST", "/orders/1", Credential::Cookie, Proof::Token, No),
    ("POST", "/orders/1", Credential::Cookie, Proof::Origin, No),
    ("POST", "/orders/1", Credential::Cookie, Proof::CrossSite, No),
    ("POST", "/orders/1", Credential::Cookie, Proof::None, No),
    ("DELETE", "/orders/1", Credential::Cookie, Proof::None, No),
    ("PATCH", "/public/1", Credential::Cookie, Proof::None, No),
    ("POST", "/public/1", Credential::None, Proof::None, Anonymous),
    ("POST", "/orders/1", Credential::SessionBearer, Proof::None, Ada),
    ("POST", "/orders/1", Credential::Jwt, Proof::CrossSite, Ada),
    ("POST", "/own-csrf/1", Credential::Cookie, Proof::Origin, Ada),
    ("POST", "/own-csrf/1", Credential::Cookie, Proof::CrossSite, No),
    ("POST", "/no-csrf/1", Credential::Cookie, Proof::None, Ada),
    ("POST", "/read-only/", Credential::Cookie, Proof::Good, No),
    ("GET", "/nowhere", Credential::Cookie, Proof::None, No),
    ("GET", "/orders", Credential::Cookie, Proof::None, Ada),
    ("GET", "/ordersx", Credential::Cookie, Proof::None, No),
    ("GET", "/public/../orders/", Credential::None, Proof::None, No),
    ("GET", "/public/%2e%2e/orders/", Credential::None, Proof::None, No),
    ("GET", "/public//orders/", Credential::None, Proof::None, No),
    ("GET", "/public/;/orders/", Credential::None, Proof::None, No),
    ("GET", "/public/..%2forders/", Credential::None, Proof::None, No),
    ("GET", "/public/%252e%252e/", Credential::None, Proof::None, No),
    ("GET", "/public\\orders", Credential::None, Proof::None, No),
    ("GET", "/broken/", Credential::Cookie, Proof::None, Unsure),
];

fn verdict(status: u16, subject: Option<&str>) -> Verdict {
    match (status, subject) {
        (200, Some("")) => Anonymous,
        (200, Some(subject)) if subject == SUBJECT.to_string() => Ada,
        (401, None) => Login,
        (400 | 403, None) => No,
        (503, None) => Unsure,
        other => panic!("{other:?} is no verdict"),
    }
}

async fn asked_by_proxies(app: &App, method: &str, path: &str, headers: &[(&str, String)]) -> Vec<Verdict> {
    let nginx =
        [("x-original-method", method.to_owned()), ("x-original-url", format!("https://app.test{path}"))];
    let others = [
        ("x-forwarded-method", method.to_owned()),
        ("x-forwarded-host", "app.test".to_owned()),
        ("x-forwarded-uri", path.to_owned()),
    ];
    let mut verdicts = Vec::new();
    for dialect in [&nginx[..], &others] {
        let mut request = Request::get("/check");
        for (name, value) in dialect.iter().chain(headers) {
            request = request.header(*name, value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let answer = app.forward_auth.answer(&parts, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        let subject = answer.headers().get("x-auth-subject").map(|subject| subject.to_str().unwrap());
        verdicts.push(verdict(answer.status().as_u16(), subject));
    }
    verdicts
}

#[tokio::test]
async fn the_doors_agree() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    for (method, path, credential, proof, expected) in TABLE {
        let row = format!("{method} {path}");
        let headers = [credential.headers(&gate.app), proof.headers(&gate.app)].concat();
        let verdicts = asked_by_proxies(&gate.app, method, path, &headers).await;
        assert_eq!(verdicts, [*expected; 2], "{row} by proxies");

        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let answer = gate.ask(method, path, &headers).await;
        let carried = seen.take();
        assert_eq!(at_the_proxy(&answer, &carried), *expected, "{row} at the proxy door");
        assert_eq!(carried.len(), usize::from(matches!(expected, Ada | Anonymous)), "{row} carried");
        if let [request] = &*carried {
            assert_eq!(request.split(' ').nth(1), Some(*path), "byte for byte");
            let bearer = values(request, "authorization");
            assert_eq!(bearer.len(), usize::from(*expected == Ada), "{row}: {bearer:?}");
        }
    }
}

/// CS-07, HD-05: a credential in the query or in a WebSocket's subprotocols, where logs, proxies and other sites' scripts find it or put
/// it, is none: whoever sends it is the stranger that they are without it, also where a stranger passes.
#[tokio::test]
async fn what_stands_in_the_query_or_in_a_subprotocol_is_no_credential() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    let app = &gate.app;
    let cookie = app.cookie();
    let (bearer, jwt) = (app.session_bearer(), app.jwt("https://app.test"));
    let bearer = bearer.strip_prefix("Bearer ").unwrap();
    for credential in [cookie.split_once('=').unwrap().1, bearer, &jwt] {
        for (path, stranger) in [("/orders/1", Login), ("/public/1", Anonymous)] {
            for query in in_the_query(credential) {
                let target = format!("{path}?{query}");
                assert_eq!(asked_by_proxies(app, "GET", &target, &[]).await, [stranger; 2], "{target}");
                let answer = gate.ask("GET", &target, &[]).await;
                assert_eq!(at_the_proxy(&answer, &seen.take()), stranger, "{target}");
            }
            for protocols in in_a_subprotocol(credential) {
                let named = ("sec-websocket-protocol", protocols.clone());
                let handshake = [
                    ("upgrade", "websocket".to_owned()),
                    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".to_owned()),
                    ("sec-websocket-version", "13".to_owned()),
                    ("origin", "https://app.test".to_owned()),
                    ("sec-fetch-site", "same-origin".to_owned()),
                    named.clone(),
                ];
                for headers in [&handshake[..], std::slice::from_ref(&named)] {
                    let verdicts = asked_by_proxies(app, "GET", path, headers).await;
                    assert_eq!(verdicts, [stranger; 2], "{path} with {protocols}");
                }
                // The handshake itself is more than the proxy door carries; its header alone is not.
                let answer = gate.ask("GET", path, &[(named.0, &named.1)]).await;
                assert_eq!(at_the_proxy(&answer, &seen.take()), stranger, "{path} with {protocols}");
            }
        }
    }
    // Where it belongs, each of the three opens the door.
    let jwt = format!("Bearer {jwt}");
    for one in [("cookie", cookie), ("authorization", app.session_bearer()), ("authorization", jwt)] {
        assert_eq!(asked_by_proxies(app, "GET", "/orders/1", std::slice::from_ref(&one)).await, [Ada; 2]);
    }
}

/// Under every name that some server takes one from.
fn in_the_query(credential: &str) -> Vec<String> {
    const NAMES: [&str; 9] = [
        "access_token",
        "token",
        "session",
        "session_token",
        "sid",
        "jwt",
        "authorization",
        "vestibule",
        "__Host-Http-vestibule",
    ];
    let named = NAMES.iter().map(|name| format!("{name}={credential}"));
    named.chain([credential.to_owned(), format!("authorization=Bearer%20{credential}")]).collect()
}

/// As Kubernetes, GraphQL servers and others take one.
fn in_a_subprotocol(credential: &str) -> Vec<String> {
    vec![
        credential.to_owned(),
        format!("bearer, {credential}"),
        format!("Bearer {credential}"),
        format!("access_token, {credential}"),
        format!("chat, bearer.{credential}"),
        format!("base64url.bearer.authorization.k8s.io.{credential}"),
        format!("__Host-Http-vestibule={credential}"),
    ]
}

/// What the proxy door's answer says, and what it carried.
fn at_the_proxy(answer: &str, carried: &[String]) -> Verdict {
    let subject = carried.first().map(|request| values(request, "x-auth-subject")[0]);
    verdict(status(answer), subject)
}

/// GW-08: with the store down nothing is carried, whatever is asked.
#[tokio::test]
async fn nothing_passes_either_door_while_it_cannot_be_told_who_asks() {
    let (uri, seen) = service(|_| OK.to_owned()).await;
    let gate = Gate::before(&uri).await;
    gate.app.world.is_down.store(true, Ordering::SeqCst);
    for path in ["/orders/1", "/public/1"] {
        let cookie = Credential::Cookie.headers(&gate.app);
        assert_eq!(asked_by_proxies(&gate.app, "GET", path, &cookie).await, [Unsure; 2]);
        let answer = gate.get(path, &[]).await;
        assert_eq!(status(&answer), 503);
        assert_eq!(values(&answer, "retry-after"), ["5"]);
        assert_eq!(values(&answer, "set-cookie"), [""; 0]);
    }
    assert_eq!(seen.all(), [""; 0]);
    gate.app.world.is_down.store(false, Ordering::SeqCst);
    assert_eq!(status(&gate.get("/orders/1", &[]).await), 200);
}
