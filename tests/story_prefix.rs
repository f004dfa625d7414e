//! Vestibule's pages at another address: below `/sso`, behind a proxy that passes the prefix on and behind one that takes it off. The
//! application has `/auth/` for itself then.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::personas::{
    ADA, Ask, Browser, Caddy, Door, Nginx, PASSWORD, Scene, Service, Vestibule, free_address, routes,
};

/// The line of the nginx example that has the prefix.
const PAGES: &str =
    r"location ~ ^/(?:auth/|\.well-known/(?:jwks\.json|oauth-authorization-server|change-password)$) {";

/// The place of the pages for refusals and failures.
const ERRORS: &str = "error_pages/auth/error/";

#[test]
fn behind_nginx_the_pages_are_below_another_prefix() {
    behind("prefix = \"/sso\"", |front, vestibule, service| {
        let (public, internal) = (vestibule.public, vestibule.internal);
        let changes =
            [("location ~ ^/(?:auth/|", "location ~ ^/(?:sso/|"), (ERRORS, "error_pages/sso/error/")];
        Nginx::start_extended(front, public, internal, service, &changes)
    });
}

#[test]
fn behind_nginx_that_takes_the_prefix_off_all_links_work() {
    behind("prefix = \"/sso\"\nstripped = true", |front, vestibule, service| {
        let stripping = r"location /sso/ {
            auth_request off;
            proxy_pass http://vestibule_pages/;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }
        location ~ ^/\.well-known/(?:jwks\.json|oauth-authorization-server|change-password)$ {";
        let changes = [(PAGES, stripping), (ERRORS, "error_pages/error/")];
        Nginx::start_extended(front, vestibule.public, vestibule.internal, service, &changes)
    });
}

#[test]
fn behind_caddy_the_pages_are_below_another_prefix() {
    behind("prefix = \"/sso\"", |front, vestibule, service| {
        let changes = [("@pages path /auth/*", "@pages path /sso/*"), ("rewrite /auth/", "rewrite /sso/")];
        Caddy::start_extended(front, vestibule.public, vestibule.internal, service, &changes)
    });
}

fn behind<T>(paths: &str, start: impl FnOnce(SocketAddr, &Vestibule, SocketAddr) -> T) {
    let (mut vestibule, service, front) = (Vestibule::installed(), Service::start(), free_address());
    let origin = format!("http://{front}");
    // The proxy carries the requests.
    let routes: Vec<String> = routes(service.address)
        .lines()
        .filter(|line| !line.starts_with("upstream"))
        .map(str::to_owned)
        .collect();
    let routes = routes.join("\n");
    vestibule.configure(&format!("public_url = \"{origin}\""), &format!("[paths]\n{paths}\n{routes}"));
    vestibule.start();
    vestibule.operator.add_account(ADA);
    service.trust(&origin, "orders", vestibule.public);
    let _proxy = start(front, &vestibule, service.address);
    the_whole_way(&origin, &vestibule, &service);
    // Where nothing takes the prefix off, services and proxies ask by the whole address.
    let asked = Ask::post("/sso/oauth/introspect").form(&[("token", "x")]).send(vestibule.internal);
    assert_eq!(asked.status, 401, "{asked:?}");
}

#[test]
fn through_the_built_in_door_the_pages_are_below_another_prefix() {
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", "[paths]\nprefix = \"/sso\"");
    the_whole_way(&scene.origin, &scene.vestibule, &scene.service);
    // A page of ours is decided about by no route, and whoever asks why is told so.
    let url = format!("{}/sso/login", scene.origin);
    let arguments = ["explain", "--bearer-stdin", "--url", &url];
    scene.vestibule.operator.fails(
        1,
        &arguments,
        "x",
        "is an address of Vestibule itself (paths.prefix = \"/sso\")",
    );
}

/// From a stranger's first request to the end of the session, by the addresses that each answer names.
fn the_whole_way(origin: &str, vestibule: &Vestibule, service: &Service) {
    let mut browser = Browser::at(origin);

    // What was ours by default is the application's, like all of /.well-known/ but three documents.
    for path in ["/auth/login", "/ssologin", "/.well-known/security.txt"] {
        let sent = browser.look(path);
        assert_eq!(sent.status, 302, "{path}: {sent:?}");
        let way = sent.header("location").unwrap();
        assert!(way.starts_with(&format!("{origin}/sso/login?return_to=/")), "{path}: {way}");
    }
    assert_eq!(browser.look("/public/auth/").status, 200);
    service.take();

    let login = browser.open("/orders/7?tab=2");
    assert_eq!(login.path, "/sso/login?return_to=/orders/7%3Ftab%3D2");
    loads_what_it_names(&mut browser, &login.text());
    let way_back = login.hidden("return_to");
    let fields = [("identifier", ADA), ("password", PASSWORD), ("return_to", &way_back)];
    let page = browser.submit(&login, "/sso/login", &fields);
    assert_eq!((page.path.as_str(), page.answer.status), ("/orders/7?tab=2", 200), "{:?}", page.answer);
    let received = service.take().pop().unwrap();
    assert_eq!(received.claims.unwrap()["email"], ADA);
    assert_eq!(browser.look("/auth/login").status, 200);
    assert!(service.take().pop().unwrap().line.starts_with("GET /auth/login "), "the application's own page");

    let account = browser.open("/sso/");
    assert_eq!((account.path.as_str(), account.answer.status), ("/sso/account", 200));
    loads_what_it_names(&mut browser, &account.text());
    assert_eq!(browser.open("/.well-known/change-password").path, "/sso/account/password");
    assert_eq!(browser.look("/sso/error/503").status, 503);
    assert_eq!(browser.look("/sso/nothing").status, 404);

    // A form of another site: the refusal is a page of ours, whichever proxy shows it.
    let elsewhere = Ask::post("/orders/")
        .header("Cookie", browser.cookies())
        .header("Sec-Fetch-Site", "cross-site")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Accept", "text/html");
    let refused = elsewhere.send(origin.trim_start_matches("http://").parse().unwrap());
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.text().contains("You cannot open this page"), "{refused:?}");

    // Programs go by what the metadata says.
    let metadata = browser.look("/.well-known/oauth-authorization-server").json();
    for (endpoint, status) in
        [("token_endpoint", 400), ("revocation_endpoint", 200), ("introspection_endpoint", 401)]
    {
        let url = metadata[endpoint].as_str().unwrap();
        let path = url.strip_prefix(origin).unwrap();
        assert!(path.starts_with("/sso/oauth/"), "{url}");
        let answer = browser.fetch(Ask::post(path).form(&[("token", "x")]));
        assert_eq!(answer.status, status, "{endpoint}: {answer:?}");
    }
    let keys = metadata["jwks_uri"].as_str().unwrap().strip_prefix(origin).unwrap();
    assert!(browser.look(keys).json()["keys"][0].is_object());
    let document = browser.look("/sso/api/v1/openapi.json").json();
    let told: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert!(
        told.iter().all(|path| path.starts_with("/sso/") || path.starts_with("/.well-known/")),
        "{told:?}"
    );
    let session: Value = browser.look("/sso/api/v1/session").json();
    assert_eq!(session["account"]["identifier"], json!(ADA), "{session}");

    // The question names the login page by its whole address.
    let asked = vestibule.check(|ask| ask, &format!("{origin}/orders/"));
    assert_eq!(asked.status, 401);
    let login = asked.header("x-auth-login").unwrap();
    assert!(login.starts_with(&format!("{origin}/sso/login?return_to=/orders/")), "{login}");

    let page = browser.open("/sso/logout");
    let out = browser.submit(&page, "/sso/logout", &[]);
    assert_eq!((out.path.as_str(), out.answer.status), ("/sso/logout", 200));
    assert_eq!(browser.look("/orders/").status, 302);
    let received = String::from_utf8_lossy(&browser.received).into_owned();
    let ours = received.split("HTTP/1.1 ").filter(|answer| answer.contains("/sso/"));
    for answer in ours {
        // The way back of a request for the application's own page is the one place that may say it.
        let answer = answer.replace("return_to=/auth/login", "");
        assert!(!answer.contains("\"/auth") && !answer.contains("/auth/"), "{answer}");
    }
}

/// Stylesheet, logo and icon of a page.
#[track_caller]
fn loads_what_it_names(browser: &mut Browser, page: &str) {
    let (_, rest) = page.split_once("<link rel=\"stylesheet\" href=\"").unwrap();
    let (path, _) = rest.split_once('"').unwrap();
    assert!(path.starts_with("/sso/static/"), "{path}");
    let file = browser.look(path);
    assert_eq!((file.status, file.header("content-type")), (200, Some("text/css; charset=utf-8")), "{path}");
}
