//! `[sessions]`, routes that are background, and what a reload may change.

use std::num::NonZeroU32;
use std::time::Duration;

use vestibule_core::route::Activity;
use vestibule_core::session::{Cap, SessionLimits};

use super::super::reload::{Differences, dangers_after};
use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn nobody_is_remembered_unless_it_is_said_and_an_account_has_a_hundred_sessions() {
    let settings = from("").unwrap();
    let hundred = Cap::at(NonZeroU32::new(100).unwrap());
    assert_eq!((settings.remember, settings.session_cap), (None, hundred));
    assert_eq!(from("[sessions]\nmax_per_account = 0").unwrap().session_cap, Cap::NONE);
    assert_eq!(settings.step_up, MINUTE * 10);

    let settings =
        from("[sessions]\nremember.enabled = true\nmax_per_account = 3\nstep_up = \"5m\"").unwrap();
    assert_eq!(settings.remember, Some(SessionLimits { idle: DAY * 7, absolute: DAY * 30 }));
    assert_eq!(settings.session_cap, Cap::at(NonZeroU32::new(3).unwrap()));
    assert_eq!(settings.step_up, MINUTE * 5);
    assert_eq!(settings.session_limits, SessionLimits { idle: MINUTE * 30, absolute: DAY / 2 });

    let written = "[sessions.remember]\nenabled = true\nidle = \"400d\"\nabsolute = \"400d\"";
    let longest = SessionLimits { idle: DAY * 400, absolute: DAY * 400 };
    assert_eq!(from(written).unwrap().remember, Some(longest));
}

#[test]
fn limits_that_make_no_sense_are_refused_in_so_many_words() {
    for (text, expected) in [
        (
            "[sessions.remember]\nenabled = true\nabsolute = \"401d\"",
            "v.toml:3:1: sessions.remember.absolute: 401d is too long; 400d is the most",
        ),
        (
            "[sessions.remember]\nenabled = true\nidle = \"31d\"",
            "v.toml:3:1: sessions.remember.idle: 31d is longer than `sessions.remember.absolute` (30d); make it shorter",
        ),
        (
            "[sessions.remember]\nidle = \"59s\"",
            "v.toml:2:1: sessions.remember.idle: 59s is too short; 1m is the least",
        ),
        (
            "[sessions]\nidle = \"13h\"",
            "v.toml:2:1: sessions.idle: 13h is longer than `sessions.absolute` (12h); make it shorter",
        ),
        (
            "[sessions]\nabsolute = \"401d\"",
            "v.toml:2:1: sessions.absolute: 401d is too long; 400d is the most",
        ),
        ("[sessions]\nstep_up = \"30s\"", "v.toml:2:1: sessions.step_up: 30s is too short; 1m is the least"),
        ("[sessions]\nstep_up = \"2h\"", "v.toml:2:1: sessions.step_up: 2h is too long; 1h is the most"),
        ("[sessions]\nmax_per_account = -1", "v.toml:2:19: sessions.max_per_account: "),
        ("[sessions]\nremember = true", "v.toml:2:12: sessions.remember: "),
    ] {
        let refusal = refusal(from(text));
        assert!(refusal.starts_with(expected), "{refusal}");
    }
}

#[test]
fn a_route_is_for_people_unless_it_is_said() {
    let route = |line: &str| {
        let text = format!("[[route]]\npath = \"/a/\"\nrequire = \"public\"\n{line}");
        from(&text).unwrap().routes[0].activity
    };
    assert_eq!(route(""), Activity::Person);
    assert_eq!(route("background = false"), Activity::Person);
    assert_eq!(route("background = true"), Activity::Background);
}

const BEFORE: &str = r#"
    public_url = "https://app.example.com"
    [listen]
    public = "127.0.0.1:8080"
    [sessions]
    idle = "30m"
    [trusted_proxies]
    forward_auth = ["127.0.0.1/32"]
    [[audience]]
    name = "orders"
    [[route]]
    path = "/orders/"
    audience = "orders"
"#;

fn differences(newer: &str) -> Differences {
    Differences::between(&from(BEFORE).unwrap(), &from(newer).unwrap())
}

#[test]
fn a_reload_takes_routes_audiences_and_who_may_ask() {
    let newer = BEFORE.replace("/orders/", "/bills/").replace("\"orders\"", "\"bills\"");
    let newer = newer.replace("127.0.0.1/32", "10.0.0.0/8");
    assert_eq!(differences(&newer), Differences { refused: vec![], waiting: vec![] });
}

#[test]
fn a_reload_refuses_another_origin_and_other_listeners() {
    for (from, to, key) in [
        ("https://app.example.com", "https://www.example.com", "public_url"),
        ("127.0.0.1:8080", "127.0.0.1:9090", "listen.public"),
        ("[listen]", "[paths]\nprefix = \"/sso\"\n[listen]", "paths.prefix"),
        ("[listen]", "[paths]\nstripped = true\n[listen]", "paths.stripped"),
        ("[listen]", "[listen]\ninternal = \"127.0.0.1:9091\"", "listen.internal"),
        (
            "[listen]",
            "[listen]\ndanger_internal_beyond_loopback = true",
            "listen.danger_internal_beyond_loopback",
        ),
    ] {
        assert_eq!(differences(&BEFORE.replace(from, to)).refused, [key]);
    }
}

#[test]
fn a_reload_names_what_waits_for_a_restart() {
    let newer = BEFORE.replace("idle = \"30m\"", "idle = \"20m\"\nremember.enabled = true");
    let newer = newer.replace("forward_auth", "public = [\"192.0.2.1\"]\nforward_auth");
    let found = differences(&newer);
    assert_eq!(found.refused, Vec::<String>::new());
    assert_eq!(found.waiting, ["sessions.idle", "sessions.remember.enabled", "trusted_proxies.public"]);
}

/// What is in force is listed, whatever the file says meanwhile.
#[test]
fn dangers_in_force_until_a_restart_stay_listed() {
    let beyond = "internal = \"0.0.0.0:8081\"\ndanger_internal_beyond_loopback = true";
    let older = from(&BEFORE.replace("[listen]", &format!("[listen]\n{beyond}"))).unwrap();
    let newer = from(&BEFORE.replace("path = \"/orders/\"", "path = \"/orders/\"\ncsrf = \"off\"")).unwrap();
    let keys = |older: &Settings, newer: &Settings| {
        dangers_after(older, newer).into_iter().map(|danger| danger.key).collect::<Vec<_>>()
    };
    let listener = "listen.danger_internal_beyond_loopback";
    assert_eq!(keys(&older, &newer), [listener, "route /orders/ csrf = \"off\""]);
    assert_eq!(keys(&newer, &older), Vec::<String>::new(), "what is only in the file is not in force");
}
