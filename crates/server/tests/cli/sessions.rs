//! What is configured of sessions, seen from the outside on a running server.

use std::fs;

use crate::place::*;

const ADA: &str = "ada@example.com";
const BOB: &str = "bob@example.com";

fn with_accounts(place: &Place) {
    for identifier in [ADA, BOB] {
        place.ok(&["account", "add", identifier, "--password-stdin"], PASSWORD);
    }
}

fn passes(server: &Server, session_token: &str) -> bool {
    let answer = server.check(session_token, "/orders/7");
    assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 401"), "{answer}");
    answer.starts_with("HTTP/1.1 200")
}

/// SS-09: signing in once more than the cap ends the oldest session, of that account alone, and operators see the rest.
#[test]
fn an_account_has_as_many_sessions_as_its_cap() {
    let place = Place::new();
    let server = Server::start_with(&place, "[sessions]\nmax_per_account = 2\n");
    with_accounts(&place);
    let other = server.sign_in(BOB);
    let tokens = [(); 4].map(|()| server.sign_in(ADA));
    assert_eq!(tokens.each_ref().map(|token| passes(&server, token)), [false, false, true, true]);
    assert!(passes(&server, &other));

    let of_ada = place.json(&["session", "list", "--subject", ADA]);
    assert_eq!(of_ada.as_array().unwrap().len(), 2);
    assert_eq!(place.json(&["session", "list"]).as_array().unwrap().len(), 3);
    let newest = of_ada[0]["session"].as_str().unwrap();
    let shown = place.json(&["session", "show", newest]);
    assert_eq!((&shown["subject"], &shown["kind"]), (&of_ada[0]["subject"], &"client".into()));
    assert!(shown["opened_at"].is_string() && shown["opened_at"] == shown["proven_at"]);
    assert!(place.ok(&["session", "show", newest], "").contains("token issued"));
    place.fails(1, &["session", "list", "--subject", "nobody@example.com"], "", "nobody@example.com");
    place.ok(&["session", "end", newest], "");
    assert_eq!(tokens.each_ref().map(|token| passes(&server, token)), [false, false, true, false]);
    assert_eq!(server.end(), 0);
}

#[test]
fn explain_tells_background_routes_from_those_for_people() {
    let place = Place::new();
    let more = "[[route]]\npath = \"/news/\"\naudience = \"orders\"\nbackground = true\n";
    let server = Server::start_with(&place, more);
    with_accounts(&place);
    let session_token = server.sign_in(ADA);
    for (path, background) in [("/news/today", true), ("/orders/7", false)] {
        let url = format!("http://app.test{path}");
        let told = place.ok(&["explain", "--bearer-stdin", "--url", &url, "--json"], &session_token);
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let route = &told["steps"][0];
        assert_eq!((&route["step"], &route["found"]["background"]), (&"route".into(), &background.into()));
        assert_eq!(told["outcome"], "permit");
    }
}

/// Half a reload would be a server whose routes are for another origin than its cookies.
#[test]
fn a_reload_for_another_origin_or_listener_is_refused_whole() {
    let place = Place::new();
    let server = Server::start(&place);
    with_accounts(&place);
    let session_token = server.sign_in(ADA);
    let before = fs::read_to_string(place.config()).unwrap();
    let elsewhere = before.replace("/orders/", "/bills/");
    fs::write(place.config(), format!("public_url = \"http://localhost:1\"\n{elsewhere}")).unwrap();
    server.signal("HUP");
    server.wait_for("these need a restart: the configuration stays as it was, routes included");
    assert!(server.logged().contains("\"keys\":\"public_url\""), "{}", server.logged());
    assert!(passes(&server, &session_token), "the old routes are in force");

    // Limits wait for a restart, which is said; the routes beside them are taken.
    fs::write(place.config(), format!("{elsewhere}\n[sessions]\nidle = \"20m\"\n")).unwrap();
    server.signal("HUP");
    server.wait_for("these stay as they are until a restart");
    server.wait_for("were read anew");
    assert!(server.logged().contains("\"keys\":\"sessions.idle\""), "{}", server.logged());
    assert!(server.check(&session_token, "/bills/7").starts_with("HTTP/1.1 200"));
    assert!(server.check(&session_token, "/orders/7").starts_with("HTTP/1.1 403"));
    assert_eq!(server.end(), 0);
}
