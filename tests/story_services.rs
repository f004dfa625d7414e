//! What a service can do to visitors by its answers: through nginx, Caddy, HAProxy and the built-in proxy. A service is trusted with the
//! requests that it gets, and with nothing else.

use crate::personas::{ADA, Ask, Browser, Door, Nginx, PASSWORD, Scene, free_address};

/// Headers by which a service tells a server in front of it to fetch the answer elsewhere, or how to send it.
const INTERNAL_REDIRECTS: [&str; 4] =
    ["X-Accel-Redirect", "X-Sendfile", "X-LIGHTTPD-send-file", "X-Reproxy-URL"];

/// Everything else by which a service steers nginx, beside X-Accel-Buffering, which services need.
const STEERING: &str = "X-Accel-Expires: 3600\r\nX-Accel-Limit-Rate: 1\r\nX-Accel-Charset: x-planted\r\n";

/// Where a service could want to be asked for: another route, the place of the question, a named location, Vestibule's pages.
const ELSEWHERE: [&str; 4] = ["/orders/secret", "/_vestibule/check", "@sign_in", "/auth/login"];

/// GW-07: a decision is about one address. nginx would fetch the other one by itself, past the decision about it, and with a JWT for the
/// audience of the first.
#[test]
fn a_service_sends_no_request_past_the_decision() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let client = scene.api_client();
        for name in INTERNAL_REDIRECTS {
            for to in ELSEWHERE {
                scene.service.says(&format!("{name}: {to}\r\n{STEERING}"));
                let stranger = Ask::get("/public/news").send(scene.front);
                let arrived = scene.service.take();
                assert_eq!(arrived.len(), 1, "{door:?} {name} {to}: {arrived:#?}");
                assert_eq!(
                    (stranger.status, stranger.text().as_str()),
                    (200, "hello stranger"),
                    "{door:?} {to}"
                );
                let known = client.get("/orders/7");
                assert_eq!(scene.service.take().len(), 1, "{door:?} {name} {to}");
                assert_eq!(known.status, 200, "{door:?} {name} {to}: {known:?}");
                // nginx, or another server in front of the built-in proxy, would act on it.
                if door == Door::BuiltIn || (door == Door::Nginx && name == "X-Accel-Redirect") {
                    for answer in [&stranger, &known] {
                        assert_eq!(answer.header(name), None, "{door:?}: {answer:?}");
                    }
                }
                if door == Door::Nginx {
                    let steered = known.headers.iter().any(|(name, _)| name.starts_with("x-accel-"));
                    assert!(!steered && !known.text().contains("x-planted"), "{known:?}");
                }
            }
        }
    }
}

/// A location that somebody adds is held to the same.
#[test]
fn a_location_added_to_nginx_redirects_nowhere_either() {
    let scene = Scene::behind(Door::BuiltIn);
    let front = free_address();
    let added = "location /reports/ { proxy_pass http://orders; }\n        location / {";
    let (public, internal) = (scene.vestibule.public, scene.vestibule.internal);
    let _nginx =
        Nginx::start_extended(front, public, internal, scene.service.address, &[("location / {", added)]);
    let client = scene.api_client();
    scene.service.says("X-Accel-Redirect: /orders/secret\r\n");
    let answer = Ask::get("/reports/7").bearer(&client.session_token).send(front);
    assert_eq!((answer.status, scene.service.one().line.as_str()), (200, "GET /reports/7 HTTP/1.1"));
}

/// What a service may set beside Vestibule's cookies, and what it may not, however it is written.
const OWN_COOKIES: [&str; 4] =
    ["theme=dark; Path=/", "vestibules=1", "lang=vestibule; Path=/", "x=1; Domain=vestibule.example"];
const OUR_COOKIES: [&str; 10] = [
    "vestibule=planted; Path=/",
    "vestibule=; Max-Age=0; Path=/",
    "vestibule_pre=planted; Path=/",
    "vestibule_device=planted; Path=/",
    "vestibule_access=planted; Path=/",
    "vestibule_refresh=planted; Path=/auth/",
    "Vestibule =planted",
    "__Host-Http-vestibule=planted; Secure; HttpOnly; Path=/",
    "=vestibule=planted",
    "= =vestibule=planted",
];

/// SE-09: with Debian's JavaScript module nginx takes our cookies out of a service's answers, as the file says.
#[test]
fn nginx_with_its_javascript_module_lets_no_service_set_our_cookies() {
    let scene = Scene::behind(Door::BuiltIn);
    let (public, internal) = (scene.vestibule.public, scene.vestibule.internal);
    let front = free_address();
    let _nginx = Nginx::start_extended(front, public, internal, scene.service.address, &[("#[js] ", "")]);
    let client = scene.api_client();
    let ask = Ask::get("/orders/7").bearer(&client.session_token);
    let line = |cookie: &&str| format!("Set-Cookie: {cookie}\r\n");

    scene.service.says(&OWN_COOKIES.iter().chain(&OUR_COOKIES).map(line).collect::<String>());
    let answer = ask.send(front);
    assert_eq!((answer.status, answer.all("set-cookie")), (200, OWN_COOKIES.to_vec()), "{answer:?}");
    scene.service.says(&OUR_COOKIES.iter().map(line).collect::<String>());
    let answer = ask.send(front);
    assert_eq!((answer.status, answer.all("set-cookie").len()), (200, 0), "{answer:?}");
    scene.service.says(&OWN_COOKIES.iter().map(line).collect::<String>());
    assert_eq!(ask.send(front).all("set-cookie"), OWN_COOKIES);
    // Vestibule itself sets them as before.
    let page = Ask::get("/auth/login").header("Accept", "text/html").send(front);
    assert!(page.all("set-cookie").iter().any(|it| it.starts_with("vestibule_pre=")), "{page:?}");
}

/// What newcomers paste first: it sends browsers to the login page and back, holds a large JWT, and leaves the application what is its own.
#[test]
fn the_lines_for_nginx_in_the_readme_do_the_main_job() {
    let front = free_address();
    let mut scene = Scene::behind(Door::BuiltIn);
    let (public, internal) = (scene.vestibule.public, scene.vestibule.internal);
    let _nginx = Nginx::of_readme(front, public, internal, scene.service.address);
    let origin = format!("http://{front}");
    let routes = "[[audience]]\nname = \"orders\"\nclaims = { department = \"account.traits.department\" }\n\
                  [[route]]\npath = \"/\"\naudience = \"orders\"";
    scene.vestibule.configure(&format!("public_url = \"{origin}\""), routes);
    scene.vestibule.end();
    scene.vestibule.start();
    scene.service.trust(&origin, "orders", public);
    let traits = format!("{{\"department\":\"{}\"}}", "d".repeat(2500));
    scene.vestibule.operator.ok(&["account", "set", ADA, "--traits", &traits], "");

    let program = Ask::get("/orders/7").send(front);
    assert_eq!(program.status, 401, "{program:?}");
    let mut browser = Browser::at(&origin);
    let page = browser.sign_in("/orders/7?page=2", ADA, PASSWORD);
    assert_eq!((page.path.as_str(), page.answer.status), ("/orders/7?page=2", 200), "{:?}", page.answer);
    let received = scene.service.one();
    assert!(received.claims.is_ok() && received.jwt().unwrap().len() > 3500, "{received:#?}");
    let challenge = browser.look("/.well-known/acme-challenge/x");
    assert_eq!((challenge.status, scene.service.take().len()), (200, 1), "{challenge:?}");
    scene.service.says("X-Accel-Redirect: /orders/secret\r\n");
    browser.look("/orders/7");
    assert!(scene.service.one().line.starts_with("GET /orders/7 "));
    let elsewhere =
        Ask::post("/orders/7").header("Cookie", browser.cookies()).header("Sec-Fetch-Site", "cross-site");
    let elsewhere = elsewhere.header("Accept", "text/html").header("Accept-Language", "de");
    let page = elsewhere.form(&[("a", &"b".repeat(100_000))]).send(front);
    assert!(page.status == 403 && page.text().contains("Sie können diese Seite nicht öffnen"), "{page:?}");
    assert!(scene.service.take().is_empty());
    scene.vestibule.end();
    assert_eq!(browser.look("/orders/7").status, 503);
}
