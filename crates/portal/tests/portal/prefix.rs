//! Everything below another prefix, with and without a proxy that takes it off: journeys, and a walk along every link, in which no
//! answer may say `/auth`.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use http::{Method, StatusCode, header};
use serde_json::Value;

use crate::app::{ADA, App, ORIGIN, PASSWORD};
use crate::personas::{Answer, Browser, with_form};

const SESSION: &str = "__Host-Http-vestibule";
const PAGES: [&str; 9] = [
    "/sso",
    "/sso/",
    "/sso/login?return_to=/orders",
    "/sso/register",
    "/sso/logout",
    "/sso/account",
    "/sso/account/password",
    "/sso/confirm",
    "/sso/nothing-here",
];
const DOCUMENTS: [&str; 6] = [
    "/.well-known/change-password",
    "/.well-known/jwks.json",
    "/.well-known/oauth-authorization-server",
    "/sso/api/v1/openapi.json",
    "/sso/api/v1/session",
    "/sso/api/v1/sessions",
];

/// What is between a browser and the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proxy {
    PassesAll,
    TakesOff,
}

/// A browser that goes by the addresses that it is told, and holds every answer to them.
struct Visitor {
    browser: Browser,
    proxy: Proxy,
}

impl Visitor {
    fn of(app: &App, proxy: Proxy) -> Self {
        Self { browser: Browser::of(app), proxy }
    }

    /// How a request for an address arrives.
    fn arriving(&self, address: &str) -> String {
        match (self.proxy, address.strip_prefix("/sso")) {
            (Proxy::TakesOff, Some(inner)) if inner.starts_with('/') => inner.to_owned(),
            (Proxy::TakesOff, Some(inner)) => format!("/{inner}"),
            _ => address.to_owned(),
        }
    }

    async fn get(&mut self, address: &str) -> Answer {
        let path = self.arriving(address);
        held(address, self.browser.get(&path).await)
    }

    async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let path = self.arriving(address);
        held(address, self.browser.post(&path, fields).await)
    }

    async fn fetch(
        &mut self,
        method: Method,
        address: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> Answer {
        let path = self.arriving(address);
        held(address, crate::personas::fetch(&mut self.browser, method, &path, token, body).await)
    }

    /// A form as a client of the OAuth endpoints sends it.
    async fn tell(&mut self, address: &str, fields: &[(&str, &str)], proof: Option<&str>) -> Answer {
        let mut request = crate::personas::request(Method::POST, &self.arriving(address));
        if let Some(proof) = proof {
            request = request.header(header::AUTHORIZATION, proof);
        }
        held(address, self.browser.take(with_form(request, fields)).await)
    }

    async fn token(&mut self, page: &str) -> String {
        self.get(page).await.input("csrf_token").expect("a form")
    }

    async fn sign_in(&mut self) {
        let token = self.token("/sso/login").await;
        let fields = [("csrf_token", &*token), ("identifier", ADA), ("password", PASSWORD)];
        let answer = self.post("/sso/login", &fields).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/sso/account"));
    }
}

/// Nothing of it says where pages are by default, and no cookie is bound to a path.
#[track_caller]
fn held(address: &str, answer: Answer) -> Answer {
    assert!(!answer.body.contains("/auth"), "{address}: {}", answer.body);
    for (name, value) in &answer.headers {
        assert!(!value.to_str().unwrap().contains("/auth"), "{address}: {name}: {value:?}");
    }
    for cookie in answer.set_cookies() {
        assert!(cookie.contains("; Path=/;"), "{address}: {cookie}");
    }
    answer
}

fn houses() -> [(App, Proxy); 2] {
    [(App::below_sso(), Proxy::PassesAll), (App::below_sso_stripped(), Proxy::TakesOff)]
}

/// Where a page or a document leads on this origin.
fn links(answer: &Answer) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for attribute in ["href=\"", "action=\"", "src=\""] {
        links.extend(answer.body.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()));
    }
    let location = answer.headers.get(header::LOCATION).map(|value| value.to_str().unwrap());
    links.extend(location);
    let mut texts = BTreeSet::new();
    if let Ok(document) = serde_json::from_str(&answer.body) {
        collect(&document, &mut texts);
    }
    let of_pages = links.into_iter().map(str::to_owned).filter(|link| link.starts_with('/'));
    of_pages.chain(texts).collect()
}

/// Paths of ours and URLs of our origin in a JSON document, names of members included.
fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let path = text.strip_prefix(ORIGIN).filter(|path| path.starts_with('/')).unwrap_or(text);
            if path.starts_with("/sso/") || path.starts_with("/.well-known/") {
                into.insert(path.to_owned());
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, into)),
        Value::Object(members) => {
            for (name, value) in members {
                collect(&Value::from(name.as_str()), into);
                collect(value, into);
            }
        }
        _ => {}
    }
}

/// From every page and document along every link, for strangers and for who is signed in.
#[tokio::test]
async fn every_link_of_every_page_is_below_the_prefix_and_answered() {
    for (app, proxy) in houses() {
        let mut stranger = Visitor::of(&app, proxy);
        let mut ada = Visitor::of(&app, proxy);
        ada.sign_in().await;
        let mut second = Visitor::of(&app, proxy);
        second.sign_in().await;
        for visitor in [&mut stranger, &mut ada] {
            let mut seen = BTreeSet::new();
            let errors = [400, 403, 404, 431, 503].map(|status| format!("/sso/error/{status}"));
            let mut waiting: Vec<String> =
                PAGES.into_iter().chain(DOCUMENTS).map(str::to_owned).chain(errors).collect();
            while let Some(address) = waiting.pop() {
                let plain = address.split('#').next().unwrap().replace("&#38;", "&").replace("{id}", "x");
                if !seen.insert(plain.clone()) {
                    continue;
                }
                let is_ours =
                    plain == "/sso" || plain.starts_with("/sso/") || plain.starts_with("/.well-known/");
                if !is_ours {
                    // The application's: its first page, and where it wanted to go.
                    assert!(matches!(&*plain, "/" | "/orders"), "{proxy:?}: a link leads to {plain}");
                    continue;
                }
                let answer = visitor.get(&plain).await;
                if plain != "/sso/nothing-here" && !plain.starts_with("/sso/error/") {
                    assert_ne!(answer.status, StatusCode::NOT_FOUND, "{proxy:?} {plain}");
                }
                waiting.extend(links(&answer));
            }
            let files = seen.iter().filter(|address| address.starts_with("/sso/static/")).count();
            assert_eq!(files, 3, "the stylesheet, the script and the logo: {seen:?}");
            for address in
                ["/sso/oauth/token", "/sso/oauth/revoke", "/sso/oauth/introspect", "/sso/api/v1/login"]
            {
                assert!(seen.contains(address), "{address} is told nowhere: {seen:?}");
            }
        }
        assert!(ada.get("/sso/account").await.body.contains("action=\"/sso/account/sessions/end\""));
    }
}

#[tokio::test]
async fn a_visitor_signs_in_looks_at_the_account_and_signs_out() {
    for (app, proxy) in houses() {
        let mut ada = Visitor::of(&app, proxy);
        // A stranger is sent to sign in and back.
        let sent = ada.get("/sso/account/password").await;
        assert_eq!(sent.header("location"), "/sso/login?return_to=/sso/account/password");
        let form = ada.get(sent.header("location")).await;
        let script = links(&form).into_iter().find(|link| link.ends_with(".js")).unwrap();
        let policy = form.header("content-security-policy");
        assert!(policy.ends_with(&format!("; script-src {ORIGIN}{script}")), "{policy}");
        let fields = [
            ("csrf_token", &*form.input("csrf_token").unwrap()),
            ("identifier", ADA),
            ("password", "wrong horse battery staple"),
            ("return_to", "/sso/account/password"),
        ];
        let refused = ada.post("/sso/login", &fields).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(
            refused.body.contains("href=\"/sso/register?return_to=/sso/account/password\""),
            "{}",
            refused.body
        );
        let token = refused.input("csrf_token").unwrap();
        let fields = [("csrf_token", &*token), fields[1], ("password", PASSWORD), fields[3]];
        assert_eq!(ada.post("/sso/login", &fields).await.header("location"), "/sso/account/password");

        // Signed in already, by the login page and from the first page.
        let page = ada.get("/sso/login").await;
        assert!(page.body.contains("href=\"/sso/account\""), "{}", page.body);
        assert_eq!(ada.get("/sso/").await.header("location"), "/sso/account");
        assert_eq!(ada.get("/sso/register").await.header("location"), "/sso/login");

        // A while later the account asks for the password, and goes on.
        let mut other = Visitor::of(&app, proxy);
        other.sign_in().await;
        app.world.advance(Duration::from_secs(11 * 60));
        let token = ada.token("/sso/account").await;
        let asked = ada.post("/sso/account/sessions/end-others", &[("csrf_token", &token)]).await;
        assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
        assert!(asked.body.contains("action=\"/sso/confirm\""), "{}", asked.body);
        assert!(asked.body.contains("href=\"/sso/account\""), "{}", asked.body);
        let token = asked.input("csrf_token").unwrap();
        let fields = [("csrf_token", &*token), ("password", PASSWORD), ("then", "end-others")];
        assert_eq!(
            ada.post("/sso/confirm", &fields).await.header("location"),
            "/sso/account?done=others-ended"
        );
        assert_eq!(other.get("/sso/account").await.header("location"), "/sso/login?return_to=/sso/account");
        let token = ada.token("/sso/confirm").await;
        let fields = [("csrf_token", &*token), ("password", PASSWORD)];
        assert_eq!(ada.post("/sso/confirm", &fields).await.header("location"), "/sso/account?done=confirmed");

        // Another password.
        let token = ada.token("/sso/account/password").await;
        let new = "a longer and better password";
        let mut fields = vec![
            ("csrf_token", &*token),
            ("current_password", PASSWORD),
            ("new_password", new),
            ("repeated_password", "mistyped"),
        ];
        let again = ada.post("/sso/account/password", &fields).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(again.body.contains("action=\"/sso/account/password\""), "{}", again.body);
        fields[3].1 = new;
        let changed = ada.post("/sso/account/password", &fields).await;
        assert_eq!(changed.header("location"), "/sso/account?done=password-changed");

        // Out: with a form that is no good, then with one that is.
        let page = ada.post("/sso/logout", &[("csrf_token", "no token")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.body.contains("action=\"/sso/logout\""), "{}", page.body);
        let token = page.input("csrf_token").unwrap();
        assert_eq!(
            ada.post("/sso/logout", &[("csrf_token", &token)]).await.header("location"),
            "/sso/logout"
        );
        let out = ada.get("/sso/logout").await;
        assert!(out.body.contains("href=\"/sso/login\""), "{}", out.body);
        assert!(app.world.sessions_held().is_empty());

        // A form of a session that is over, and who registers.
        let over = ada.post("/sso/account/sessions/end-others", &[("csrf_token", "x")]).await;
        assert_eq!(over.header("location"), "/sso/login?return_to=/sso/account&done=not-sent");
        let over = ada.post("/sso/confirm", &[("csrf_token", "x")]).await;
        assert_eq!(over.header("location"), "/sso/login?return_to=/sso/confirm&done=not-sent");
        let token = ada.token("/sso/register").await;
        let fields = [
            ("csrf_token", &*token),
            ("identifier", "new@example.com"),
            ("new_password", new),
            ("repeated_password", new),
        ];
        assert_eq!(ada.post("/sso/register", &fields).await.header("location"), "/sso/login?done=registered");
    }
}

#[tokio::test]
async fn conflicting_cookies_lead_to_a_way_out_below_the_prefix() {
    for (app, proxy) in houses() {
        let mut ada = Visitor::of(&app, proxy);
        let conflict = |ada: &Visitor, method, address: &str| {
            let request = ada.browser.request(method, &ada.arriving(address));
            request
                .header(header::COOKIE, format!("{SESSION}=1; {SESSION}=2"))
                .header("sec-fetch-site", "same-origin")
        };
        let request = conflict(&ada, Method::GET, "/sso/login").body(Body::empty()).unwrap();
        let page = held("/sso/login", ada.browser.take(request).await);
        assert!(page.body.contains("action=\"/sso/cookies/delete\""), "{}", page.body);
        let request = with_form(conflict(&ada, Method::POST, "/sso/cookies/delete"), &[]);
        let deleted = held("/sso/cookies/delete", ada.browser.take(request).await);
        assert_eq!(deleted.header("location"), "/sso/login?done=cookies-deleted");
    }
}

#[tokio::test]
async fn programs_find_everything_below_the_prefix() {
    let credentials = format!(r#"{{"identifier":"{ADA}","password":"{PASSWORD}"}}"#);
    for (app, proxy) in houses() {
        let mut ada = Visitor::of(&app, proxy);
        let metadata = ada.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(metadata["issuer"], ORIGIN);
        assert_eq!(metadata["jwks_uri"], format!("{ORIGIN}/.well-known/jwks.json"));
        for (endpoint, inner) in [
            ("token_endpoint", "/oauth/token"),
            ("revocation_endpoint", "/oauth/revoke"),
            ("introspection_endpoint", "/oauth/introspect"),
        ] {
            assert_eq!(metadata[endpoint], format!("{ORIGIN}/sso{inner}"));
        }
        let document = ada.get("/sso/api/v1/openapi.json").await.json();
        for path in document["paths"].as_object().unwrap().keys() {
            assert!(path.starts_with("/sso/") || path.starts_with("/.well-known/"), "{path}");
        }

        // A problem stays JSON there even for who asks for HTML, as all of the API does.
        let refused = ada.get("/sso/api/v1/session").await;
        assert_eq!((refused.status, &*refused.code()), (StatusCode::UNAUTHORIZED, "no-credential"));
        let made = r#"{"identifier":"new@example.com","password":"a longer and better password"}"#;
        let made = ada.fetch(Method::POST, "/sso/api/v1/register", None, Some(made)).await;
        assert_eq!(made.json()["next"], "/sso/api/v1/login");
        let signed_in = ada.fetch(Method::POST, "/sso/api/v1/login", None, Some(&credentials)).await;
        assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.body);
        let token = ada.get("/sso/api/v1/csrf").await.json()["csrf_token"].as_str().unwrap().to_owned();
        app.world.advance(Duration::from_secs(11 * 60));
        let stale = ada.fetch(Method::DELETE, "/sso/api/v1/sessions", Some(&token), None).await;
        assert_eq!(stale.code(), "insufficient_user_authentication");
        assert!(
            stale.json()["detail"].as_str().unwrap().contains("POST it to /sso/api/v1/confirm,"),
            "{}",
            stale.body
        );
        let session = ada.browser.jar[SESSION].clone();
        let out = ada.fetch(Method::POST, "/sso/api/v1/logout", Some(&token), None).await;
        assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.body);

        // A session token is not revoked by the OAuth endpoint, which says where it is.
        let told = ada.tell("/sso/oauth/revoke", &[("token", &*session)], None).await;
        let said = told.json()["error_description"].as_str().unwrap().to_owned();
        assert!(said.contains("at /sso/logout or POST /sso/api/v1/logout."), "{said}");
        let (_, proof) = app.shelf.add_client(1, |client| client.serves = Some("parts".to_owned()));
        let issued =
            ada.tell("/sso/oauth/token", &[("grant_type", "client_credentials")], Some(&proof)).await;
        assert_eq!(issued.status, StatusCode::OK, "{}", issued.body);
        let known = ada.tell("/sso/oauth/introspect", &[("token", "x")], Some(&proof)).await;
        assert_eq!(known.json(), serde_json::json!({ "active": false }));
    }
}

/// Who comes past the proxy, or by the address that pages have elsewhere, finds nothing.
#[tokio::test]
async fn at_other_addresses_there_is_nothing() {
    for (app, proxy) in houses() {
        let mut browser = Browser::of(&app);
        let elsewhere = match proxy {
            Proxy::PassesAll => ["/auth/login", "/login", "/ssologin", "/SSO/login", "/sso/sso/login"],
            Proxy::TakesOff => ["/auth/login", "/sso/login", "/sso", "/sso/.well-known/jwks.json", "/LOGIN"],
        };
        for path in elsewhere {
            assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{proxy:?} {path}");
        }
    }
}

/// Templates name addresses below the prefix alone.
#[test]
fn no_template_spells_the_prefix_out() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("/auth"), "{}", path.display());
        read += 1;
    }
    assert!(read > 10, "{read}");
}
