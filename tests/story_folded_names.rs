//! Header names that a careless server reads as one of ours: CGI, WSGI and their like make one variable of every name that differs in
//! punctuation alone. In: each character that a name may have (RFC 9110 section 5.6.2). Out: the service sees our value, or none.

use vestibule_gateway::{FAMILIES, KNOWN, PROTECTED};

use crate::personas::{Ask, Browser, Door, Lighttpd, Scene, example_path};

/// Every character of a token that is no letter, digit or hyphen.
const MARKS: [char; 14] = ['!', '#', '$', '%', '&', '\'', '*', '+', '.', '^', '_', '`', '|', '~'];

/// What a service could believe, beside the credential itself.
const IDENTITY: [&str; 4] = ["X-Auth-Subject", "X-Auth-Session", "X-Auth-Department", "X-CSRF-Token"];

/// Below the hundred header lines that a server takes.
const LINES: usize = 60;

/// A name with this character in place of all its hyphens, of each one, before it and after it.
fn foldings(name: &str, mark: char) -> Vec<String> {
    let joints = name.match_indices('-').map(|(at, _)| {
        let (before, after) = name.split_at(at);
        format!("{before}{mark}{}", &after[1..])
    });
    let mark_text = mark.to_string();
    let outside = [format!("{mark}{name}"), format!("{name}{mark}"), format!("{mark}{name}{mark}")];
    joints.chain([name.replace('-', &mark_text)]).chain(outside).filter(|other| other != name).collect()
}

fn all_foldings<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let of = |mark: char| names.clone().flat_map(move |name| foldings(name, mark));
    MARKS.iter().flat_map(|mark| of(*mark)).collect()
}

fn claiming(path: &str, names: &[String]) -> Ask {
    names.iter().fold(Ask::get(path), |ask, name| ask.header(name, "mallory"))
}

/// GW-01: no name that is more than letters, digits and hyphens passes, for whatever it stands.
#[test]
fn no_folded_name_passes_any_door() {
    let credential =
        ["Authorization", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Anything"];
    let names = IDENTITY.iter().chain(&KNOWN).chain(&credential).copied();
    let all = all_foldings(names);
    assert!(all.len() > 5000, "{}", all.len());
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let (mut ada, mut stranger) = (scene.signed_in(), scene.browser());
        for some in all.chunks(LINES) {
            for (who, path) in [(&mut ada, "/orders/"), (&mut stranger, "/public/")] {
                let answer = who.fetch(claiming(path, some));
                assert_eq!(answer.status, 200, "{door:?} {some:?}: {answer:?}");
                let received = scene.service.one();
                assert!(!received.whole().contains("mallory"), "{door:?}: {received:#?}");
            }
        }
    }
}

/// GW-01: the same with a real server that folds.
#[test]
fn a_cgi_program_sees_our_identity_or_none() {
    let lighttpd = Lighttpd::start();
    for mark in MARKS {
        let name = format!("X{mark}Auth{mark}Subject");
        let folded = Ask::get("/").header(&name, "mallory").send(lighttpd.address).text();
        assert_eq!(variable(&folded, "HTTP_X_AUTH_SUBJECT"), ["mallory"], "the control: {name}: {folded}");
    }
    let names = IDENTITY.into_iter().chain(["X-Forwarded-User", "Remote-User", "X-Forwarded-For"]);
    let all = all_foldings(names);
    for door in Door::ALL {
        let scene = Scene::in_front_of(door, lighttpd.address);
        let (mut ada, mut stranger) = (scene.browser(), scene.browser());
        ada.sign_in("/auth/login", crate::personas::ADA, crate::personas::PASSWORD);
        let session = scene.vestibule.operator.only_session();
        let told = |who: &mut Browser, path: &str, names: &[String]| {
            let answer = who.fetch(claiming(path, names));
            assert_eq!(answer.status, 200, "{door:?} {names:?}: {answer:?}");
            let text = answer.text();
            assert!(text.contains("GATEWAY_INTERFACE=CGI/1.1"), "{door:?}: {text}");
            assert!(!text.contains("mallory"), "{door:?} {names:?}: {text}");
            text
        };
        for some in all.chunks(LINES) {
            let text = told(&mut ada, "/orders/", some);
            assert_eq!(variable(&text, "HTTP_X_AUTH_SUBJECT"), [scene.subject.as_str()], "{door:?}: {text}");
            assert_eq!(variable(&text, "HTTP_X_AUTH_SESSION"), [session.as_str()], "{door:?}: {text}");
            assert_eq!(variable(&text, "HTTP_X_AUTH_DEPARTMENT"), ["R&D"], "{door:?}: {text}");
            assert_eq!(variable(&text, "HTTP_X_FORWARDED_FOR"), ["127.0.0.1"], "{door:?}: {text}");
            let text = told(&mut stranger, "/public/", some);
            for name in IDENTITY.into_iter().chain(["Authorization"]) {
                let name = format!("HTTP_{}", name.replace('-', "_").to_ascii_uppercase());
                let values = variable(&text, &name);
                assert!(values.iter().all(|value| value.is_empty()), "{door:?} {name}: {text}");
            }
        }
    }
}

fn variable<'a>(environment: &'a str, name: &str) -> Vec<&'a str> {
    let lines = environment.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(found, _)| *found == name).map(|(_, value)| value).collect()
}

/// GW-01: the files for other proxies remove what the gateway's own scrub removes.
#[test]
fn what_the_gateway_takes_off_every_proxy_takes_off() {
    let single = removed_by_name().map(str::to_owned).chain(KNOWN.map(str::to_ascii_lowercase));
    // nginx knows no prefixes, and says so: its file has names alone.
    let made_up = FAMILIES.iter().map(|family| format!("{family}-made-up").replace("--", "-"));
    let (single, made_up): (Vec<String>, Vec<String>) = (single.collect(), made_up.collect());
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let mut stranger = scene.browser();
        let names = single.iter().chain(made_up.iter().filter(|_| door != Door::Nginx));
        for name in names {
            let answer = stranger.fetch(Ask::get("/public/").header(name, "mallory"));
            assert_eq!(answer.status, 200, "{door:?} {name}: {answer:?}");
            let received = scene.service.one();
            assert!(!received.whole().contains("mallory"), "{door:?} {name}: {received:#?}");
        }
    }
}

/// Without the credential and its proof, which the decision reads: what becomes of them has stories of its own.
fn removed_by_name() -> impl Iterator<Item = &'static str> {
    PROTECTED.into_iter().filter(|name| !matches!(*name, "authorization" | "x-csrf-token"))
}

/// GW-01: one table. A name that is added to the gateway's, and to no file, fails here.
#[test]
fn the_files_for_other_proxies_list_the_gateways_names() {
    for name in KNOWN {
        let lower = name.to_ascii_lowercase();
        let is_covered = PROTECTED.contains(&lower.as_str())
            || FAMILIES.iter().chain(&["proxy"]).any(|family| lower.starts_with(family));
        assert!(is_covered, "{name} passes the gateway");
    }
    for family in FAMILIES {
        let mut known = KNOWN.iter().map(|name| name.to_ascii_lowercase());
        assert!(known.any(|name| name.starts_with(family)), "no name of {family} is known");
    }

    let families = || FAMILIES.into_iter().chain(["proxy"]);
    let marked = MARKS.map(|mark| format!("*{mark}*"));
    let wild = removed_by_name().map(str::to_owned).chain(families().map(|family| format!("{family}*")));
    // What becomes of the connection has rules of its own.
    let connection = ["connection", "upgrade", "http2-settings"];
    let caddy = file("caddy/Caddyfile");
    let caddy: Vec<String> = caddy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("request_header -"))
        .map(str::to_ascii_lowercase)
        .filter(|name| !connection.contains(&name.as_str()))
        .collect();
    assert_eq!(sorted(caddy), sorted(wild.chain(marked)));

    let by_rule = removed_by_name().map(str::to_owned);
    let by_rule = by_rule.chain(families().map(|family| format!("{family} -m beg")));
    let haproxy = file("haproxy/haproxy.cfg");
    let haproxy: Vec<String> = haproxy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("http-request del-header "))
        .filter(|rule| !connection.contains(rule))
        .map(str::to_owned)
        .collect();
    assert_eq!(sorted(haproxy), sorted(by_rule.chain(["[^A-Za-z0-9-] -m reg".to_owned()])));

    let nginx = file("nginx/nginx.conf");
    let (_, listed) = nginx.split_once("What else a client could tell").unwrap();
    let (listed, _) = listed.split_once("proxy_hide_header").unwrap();
    let listed = listed.lines().filter_map(|line| line.trim().strip_prefix("proxy_set_header "));
    let listed = listed.map(|line| line.strip_suffix(" \"\";").unwrap().to_owned());
    assert_eq!(sorted(listed), sorted(KNOWN.into_iter().map(str::to_owned)));

    let traefik = file("traefik/dynamic.yml");
    let (_, listed) = traefik.split_once("customRequestHeaders:").unwrap();
    let (listed, _) = listed.split_once("forwardAuth:").unwrap();
    let listed = listed.lines().filter_map(|line| line.trim().strip_suffix(": \"\""));
    let own = ["HTTP2-Settings", "Upgrade", "X-Auth-Department", "X-Auth-Session", "X-Auth-Subject"];
    let aliases = ["X_Auth_Department", "X_Auth_Session", "X_Auth_Subject"];
    let all = KNOWN.iter().chain(&own).chain(&aliases).map(|name| (*name).to_owned());
    assert_eq!(sorted(listed.map(str::to_owned)), sorted(all));
}

fn file(name: &str) -> String {
    std::fs::read_to_string(example_path(name)).unwrap()
}

fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort();
    names
}
