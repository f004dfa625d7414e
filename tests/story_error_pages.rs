//! What visitors read when a proxy in front refuses them or gets no answer: a page of the operator's theme, in their language, as long as
//! Vestibule answers, and a plain page of the proxy's own when it does not. Programs get no page.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::personas::{Answer, Ask, Caddy, Door, HaProxy, Nginx, Scene, Vestibule, free_address};

const PROXIES: [Door; 3] = [Door::Caddy, Door::HaProxy, Door::Nginx];
const THEME: &str = "[theme]\nname = \"Orchard & Söhne\"";

/// The browser's languages, and what it reads for 403, 431, 502 and 503.
const LANGUAGES: [(&str, [(u16, &str); 4]); 2] = [
    (
        "de-AT,de;q=0.9,en;q=0.5",
        [
            (403, "Sie können diese Seite nicht öffnen"),
            (431, "Ihr Browser hat zu viele Cookies gesendet"),
            (502, "Diese Seite ist gerade nicht erreichbar"),
            (503, "Diese Seite ist gerade nicht erreichbar"),
        ],
    ),
    (
        "en",
        [
            (403, "You cannot open this page"),
            (431, "Your browser sent too many cookies"),
            (502, "This page cannot be reached right now"),
            (503, "This page cannot be reached right now"),
        ],
    ),
];

enum Front {
    Caddy(#[expect(dead_code, reason = "held until it ends")] Caddy),
    HaProxy(#[expect(dead_code, reason = "held until it ends")] HaProxy),
    Nginx(#[expect(dead_code, reason = "held until it ends")] Nginx),
}

impl Front {
    /// A proxy that shows Vestibule's pages, and asks whoever is at `check` for decisions.
    fn start(door: Door, scene: &Scene, check: SocketAddr) -> (Self, SocketAddr) {
        let (front, public, service) = (free_address(), scene.vestibule.public, scene.service.address);
        let started = match door {
            Door::Caddy => Self::Caddy(Caddy::start(front, public, check, service)),
            Door::HaProxy => Self::HaProxy(HaProxy::start(front, public, check, service)),
            Door::Nginx => Self::Nginx(Nginx::start(front, public, check, service)),
            Door::BuiltIn => panic!("no proxy"),
        };
        (started, front)
    }
}

/// What answers every question with one status.
fn check_that_says(status: u16) -> SocketAddr {
    let check = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = check.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in check.incoming().flatten() {
            let _ = stream.read(&mut [0; 32 * 1024]);
            let head = format!("HTTP/1.1 {status} No\r\nCache-Control: no-store\r\nContent-Length: 0");
            let _ = write!(stream, "{head}\r\nConnection: close\r\n\r\n");
        }
    });
    address
}

/// A browser loads a page, and says much beside.
fn loading(ask: Ask, languages: &str) -> Ask {
    ask.header("Accept", "text/html,*/*;q=0.8")
        .header("Accept-Language", languages)
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document")
}

/// Vestibule's page, asked for without anything else.
fn page_of(scene: &Scene, status: u16, languages: &str) -> Answer {
    let ask = Ask::get(&format!("/auth/error/{status}")).header("Accept", "text/html");
    ask.header("Accept-Language", languages).send(scene.vestibule.public)
}

/// Holds an answer to be exactly Vestibule's page, with the headers that it needs.
#[track_caller]
fn assert_is_themed(scene: &Scene, answer: &Answer, status: u16, languages: &str, title: &str) {
    let page = page_of(scene, status, languages);
    assert_eq!((answer.status, page.status), (status, status), "{answer:?}");
    assert!(page.text().contains(&format!("<title>{title} · Orchard &#38; Söhne</title>")), "{page:?}");
    assert_eq!(answer.text(), page.text(), "{answer:?}");
    for name in ["content-type", "content-language", "content-security-policy", "cache-control", "vary"] {
        assert_eq!(answer.all(name), page.all(name), "{name}: {answer:?}");
    }
    assert_eq!(answer.header("retry-after"), (status == 503).then_some("5"), "{answer:?}");
    assert!(
        answer.all("set-cookie").is_empty() && answer.header("server") != Some("vestibule"),
        "{answer:?}"
    );
}

/// A page that lies in the proxy's own files.
fn is_plain_page(answer: &Answer, says: &str) -> bool {
    answer.header("content-type") == Some("text/html; charset=utf-8")
        && answer.text().starts_with("<!doctype html>")
        && answer.text().contains(says)
        && answer.text().contains(">Reload</a>")
        && answer.header("cache-control") == Some("no-store")
}

/// What Vestibule says of a request is shown as its page, whatever else the request holds; a program gets the status.
#[test]
fn refusals_are_pages_of_the_theme_in_the_visitors_language() {
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", THEME);
    for door in PROXIES {
        for status in [403, 431, 503] {
            let (_front, front) = Front::start(door, &scene, check_that_says(status));
            for (languages, titles) in LANGUAGES {
                let title = titles.iter().find(|(of, _)| *of == status).unwrap().1;
                let plain = loading(Ask::get("/orders/7?a=%3Cb%3E"), languages).send(front);
                assert_is_themed(&scene, &plain, status, languages, title);
                let claims = Ask::post("/orders/7?to=/auth/error/404")
                    .header("Cookie", "vestibule=planted; other=1")
                    .header("Authorization", "Bearer planted")
                    .header("X-Auth-Subject", "planted")
                    .header("Host", front.to_string())
                    .header("X-HTTP-Method-Override", "DELETE")
                    .form(&[("planted", &"b".repeat(100_000))]);
                let busy = loading(claims, languages).send(front);
                assert_is_themed(&scene, &busy, status, languages, title);
            }
            let program = Ask::get("/orders/7").header("Accept", "*/*").send(front);
            let media_type = program.header("content-type").unwrap_or_default();
            assert!(program.status == status && !media_type.contains("html"), "{door:?}: {program:?}");
            let script = Ask::post("/orders/7").header("Accept", "*/*").header("Sec-Fetch-Mode", "cors");
            let script = script.send(front);
            let media_type = script.header("content-type").unwrap_or_default();
            assert!(script.status == status && !media_type.contains("html"), "{door:?}: {script:?}");
            assert!(scene.service.take().is_empty(), "{door:?}");
        }
    }
}

/// The same by Vestibule's own decision: a form of another site.
#[track_caller]
fn assert_shows_why_it_refuses(door: Door) {
    let scene = Scene::with(door, Vestibule::installed(), "", THEME);
    let ada = scene.signed_in();
    let elsewhere =
        || Ask::post("/orders/").header("Cookie", ada.cookies()).header("Sec-Fetch-Site", "cross-site");
    for (languages, titles) in LANGUAGES {
        let (status, title) = titles[0];
        let page = loading(elsewhere(), languages).send(scene.front);
        assert_is_themed(&scene, &page, status, languages, title);
    }
    let program = elsewhere().header("Accept", "*/*").header("Sec-Fetch-Mode", "cors").send(scene.front);
    assert!(program.status == 403 && !program.text().contains('<'), "{program:?}");
    assert!(scene.service.take().is_empty());
}

#[test]
fn haproxy_shows_visitors_why_they_are_refused() {
    assert_shows_why_it_refuses(Door::HaProxy);
}

#[test]
fn caddy_shows_visitors_why_they_are_refused() {
    assert_shows_why_it_refuses(Door::Caddy);
}

#[test]
fn nginx_shows_visitors_why_they_are_refused() {
    assert_shows_why_it_refuses(Door::Nginx);
}

/// The client's query is its own: Vestibule is asked for the page alone, and no length of it changes the answer.
#[test]
fn a_query_goes_to_no_error_page() {
    for door in PROXIES {
        let scene = Scene::with(door, Vestibule::installed(), "", THEME);
        let ada = scene.signed_in();
        scene.service.says("no header at all\r\n");
        let long = format!("/orders/?{}", "p".repeat(9000));
        let broken = loading(Ask::get(&long).header("Cookie", ada.cookies()), "en").send(scene.front);
        assert_eq!(
            (broken.status, broken.header("content-type")),
            (502, Some("text/html; charset=utf-8")),
            "{door:?}"
        );
        for status in [403, 431, 503] {
            let (_front, front) = Front::start(door, &scene, check_that_says(status));
            let page = loading(Ask::get(&long), "en").send(front);
            assert_is_themed(
                &scene,
                &page,
                status,
                "en",
                LANGUAGES[1].1.iter().find(|(of, _)| *of == status).unwrap().1,
            );
        }
    }
}

/// A request that Vestibule cannot read is the client's fault, and not "could not tell".
#[test]
fn a_control_character_in_a_header_is_the_clients_fault() {
    for door in PROXIES {
        let scene = Scene::with(door, Vestibule::installed(), "", THEME);
        for (ask, is_page) in [(Ask::get("/orders/"), false), (loading(Ask::get("/orders/"), "en"), true)] {
            let answer = ask.header("Cookie", "a=\u{b}").send(scene.front);
            assert_eq!(answer.status, 400, "{door:?}: {answer:?}");
            // Caddy refuses it before it asks.
            let is_html = answer.header("content-type") == Some("text/html; charset=utf-8");
            assert!(is_html == is_page || door == Door::Caddy, "{door:?}: {answer:?}");
        }
        assert!(scene.service.take().is_empty(), "{door:?}");
    }
}

/// More cookies than Vestibule takes, in two lines that nginx takes.
#[test]
fn a_browser_with_too_many_cookies_is_told_in_its_language() {
    let half = "c".repeat(17 * 1024);
    for door in PROXIES {
        let scene = Scene::with(door, Vestibule::installed(), "", THEME);
        for (languages, titles) in LANGUAGES {
            let (status, title) = titles[1];
            let ask = Ask::get("/orders/").header("Cookie", format!("a={half}"));
            let page = loading(ask.header("Cookie", format!("b={half}")), languages).send(scene.front);
            assert_is_themed(&scene, &page, status, languages, title);
        }
    }
}

/// The service does not answer, or makes no sense. HAProxy can show its own file alone.
#[test]
fn a_broken_service_is_a_page_of_the_theme() {
    for door in PROXIES {
        let scene = Scene::with(door, Vestibule::installed(), "", THEME);
        let ada = scene.signed_in();
        scene.service.says("no header at all\r\n");
        for (languages, titles) in LANGUAGES {
            let (status, title) = titles[2];
            let ask = loading(Ask::get("/orders/").header("Cookie", ada.cookies()), languages);
            let page = ask.send(scene.front);
            if door == Door::HaProxy {
                assert!(page.status == 502 && is_plain_page(&page, "Please try again"), "{page:?}");
            } else {
                assert_is_themed(&scene, &page, status, languages, title);
            }
        }
    }
}

/// A service's own error pages are the service's.
#[test]
fn nginx_shows_visitors_a_page_when_it_answers_by_itself() {
    let mut scene = Scene::with(Door::Nginx, Vestibule::installed(), "", THEME);
    let ada = scene.signed_in();
    let upload = Ask::post("/orders/").header("Cookie", ada.cookies()).header("Origin", &scene.origin);
    for (languages, title) in [("de", "Das war zu viel"), ("en", "That was too much")] {
        let large = loading(upload.clone().body("b".repeat(1_100_000)), languages).send(scene.front);
        assert_is_themed(&scene, &large, 413, languages, title);
    }
    // The places of the pages are nobody's to ask for.
    assert_eq!(ada_looks(&scene, "/_vestibule/error/403").status, 404);
    scene.vestibule.kill();
    for (path, status) in [("/orders/", 503), ("/auth/account", 502)] {
        let page = ada_looks(&scene, path);
        assert!(page.status == status && is_plain_page(&page, "try again"), "{path}: {page:?}");
        assert_eq!(page.header("retry-after"), (status == 503).then_some("5"), "{page:?}");
    }
    let large = loading(upload.body("b".repeat(1_100_000)), "de").send(scene.front);
    assert!(large.status == 413 && is_plain_page(&large, "not allowed"), "{large:?}");
}

fn ada_looks(scene: &Scene, path: &str) -> Answer {
    loading(Ask::get(path), "de").send(scene.front)
}

/// A visitor reads a page and not a proxy's own words; a program gets the status.
#[test]
fn visitors_see_a_page_when_nothing_answers() {
    for door in [Door::Caddy, Door::HaProxy] {
        let mut scene = Scene::behind(door);
        let mut ada = scene.signed_in();
        scene.vestibule.kill();
        for path in ["/orders/", "/auth/account"] {
            let answer = ada.look(path);
            assert!((502..=504).contains(&answer.status), "{door:?} {path}: {answer:?}");
            if path == "/orders/" {
                assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{door:?}");
            }
            assert!(is_plain_page(&answer, "Please try again"), "{door:?} {path}: {answer:?}");
        }
        let form = loading(Ask::post("/orders/").form(&[("a", "b")]), "de").send(scene.front);
        assert!((502..=504).contains(&form.status), "{door:?}: {form:?}");
        assert!(is_plain_page(&form, "Please try again"), "{door:?}: {form:?}");
        let program = Ask::get("/orders/").send(scene.front);
        assert_eq!(
            (program.status, program.header("retry-after")),
            (503, Some("5")),
            "{door:?}: {program:?}"
        );
        assert!(program.body.is_empty(), "{door:?}: {program:?}");
    }
}

/// While Vestibule decides and has no page to give, the files are there.
#[test]
fn haproxy_tells_a_browser_of_too_many_cookies() {
    let (front, nothing) = (free_address(), free_address());
    let _haproxy = HaProxy::start(front, nothing, check_that_says(431), nothing);
    let page = loading(Ask::get("/orders/"), "de").send(front);
    assert!(page.status == 431 && is_plain_page(&page, "Too many cookies"), "{page:?}");
    let program = Ask::get("/orders/").header("Cookie", "a=b").send(front);
    assert_eq!((program.status, program.body.len()), (431, 0), "{program:?}");
}
