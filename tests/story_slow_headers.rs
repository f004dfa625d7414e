//! Headers that are long and of one character over and over: what a rule that looks at them twice for each byte would choke on. In: 14 to
//! 16 KiB of each separator, in each header that a proxy's rules, Lua or templates read. Out: an answer at once, and a proxy that lives.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::personas::{Ask, Door, Scene};

/// Read by a rule, map, regular expression or Lua of some example, or by the built-in door.
const READ: [&str; 13] = [
    "Accept",
    "Authorization",
    "Connection",
    "Cookie",
    "Host",
    "Origin",
    "Sec-Fetch-Mode",
    "Sec-Fetch-Site",
    "Sec-WebSocket-Key",
    "Upgrade",
    "X-CSRF-Token",
    "X-Forwarded-For",
    "X-Anything",
];

/// Whatever parts one thing from another somewhere, and beginnings of what the rules look for.
const PARTS: [&str; 24] = [
    " ",
    "\t",
    ";",
    "; ",
    " ;",
    ",",
    ", ",
    "=",
    "; =",
    "\"",
    "\\",
    "-",
    "_",
    ".",
    "%",
    "/",
    ":",
    "@",
    "\u{a0}",
    "v",
    "; vestibule",
    "=vestibule",
    "; __host-http",
    "text/htm",
];

/// No rule needs a tenth of it, however busy the machine.
const AT_ONCE: Duration = Duration::from_secs(2);

/// All of one kind, at the end of something, and between two letters.
fn shapes(part: &str, length: usize) -> [String; 3] {
    let filler: String = part.chars().cycle().take(length).collect();
    [filler.clone(), format!("a={filler}b"), format!("vestibule{filler}")]
}

/// The quickest of a few tries: a busy machine slows some of them, a slow rule slows all.
fn quickest(attempt: impl Fn() -> Duration) -> Duration {
    let mut best = attempt();
    for _ in 0..3 {
        if best < AT_ONCE {
            break;
        }
        best = best.min(attempt());
    }
    best
}

fn time(ask: &Ask, to: SocketAddr) -> Duration {
    let began = Instant::now();
    // Refused without an answer is refused.
    let _ = ask.try_send(to);
    began.elapsed()
}

fn a_long_header_costs_nothing(door: Door) {
    let scene = Scene::behind(door);
    let visitor = || Ask::get("/public/").try_send(scene.front).map(|answer| answer.text());
    assert_eq!(visitor().as_deref(), Some("hello stranger"), "the control");
    for name in READ {
        for part in PARTS {
            // nginx takes 8 KiB a line unless its file says otherwise.
            for length in if door == Door::Nginx { [16 * 1024, 7900] } else { [16 * 1024, 14 * 1000] } {
                for value in shapes(part, length) {
                    let ask = Ask::get("/public/").header(name, value);
                    let took = quickest(|| time(&ask, scene.front));
                    assert!(took < AT_ONCE, "{door:?} {name} {part:?}: {took:?}");
                }
            }
        }
    }
    assert_eq!(visitor().as_deref(), Some("hello stranger"), "{door:?} answers no more");
}

#[test]
fn a_long_header_costs_nothing_behind_caddy() {
    a_long_header_costs_nothing(Door::Caddy);
}

#[test]
fn a_long_header_costs_nothing_behind_haproxy() {
    a_long_header_costs_nothing(Door::HaProxy);
}

#[test]
fn a_long_header_costs_nothing_behind_nginx() {
    a_long_header_costs_nothing(Door::Nginx);
}

#[test]
fn a_long_header_costs_nothing_at_the_built_in_door() {
    a_long_header_costs_nothing(Door::BuiltIn);
}

/// Three of these ended HAProxy once: a rule that runs for seconds is taken for a dead process.
#[test]
fn many_long_cookies_at_once_stop_no_proxy() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let front = scene.front;
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let part = [" ", "\t", ";", "="][thread % 4];
                scope.spawn(move || {
                    for value in shapes(part, 14 * 1000) {
                        time(&Ask::get("/public/").header("Cookie", value), front);
                    }
                });
            }
            for _ in 0..10 {
                let took = quickest(|| time(&Ask::get("/public/"), front));
                assert!(took < AT_ONCE, "{door:?}: another visitor waits {took:?}");
            }
        });
        let answer = Ask::get("/public/").send(front);
        assert_eq!(answer.text(), "hello stranger", "{door:?}");
    }
}

/// What a service sets is read as well.
#[test]
fn a_long_cookie_of_a_service_costs_nothing() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        for part in PARTS {
            for value in shapes(part, 3000) {
                scene.service.answer_with(&[("Set-Cookie", &value), ("Set-Cookie", &value)]);
                let took = quickest(|| time(&Ask::get("/public/"), scene.front));
                assert!(took < AT_ONCE, "{door:?} {part:?}: {took:?}");
            }
        }
        scene.service.answer_with(&[]);
        assert_eq!(Ask::get("/public/").send(scene.front).text(), "hello stranger", "{door:?}");
    }
}

/// As many names as a head holds: each rule looks at each of them.
#[test]
fn a_head_full_of_names_costs_nothing() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        for count in [90, 3000, 100_000] {
            let ask = (0..count).fold(Ask::get("/public/"), |ask, at| ask.header(&format!("X{at:x}"), ""));
            let took = quickest(|| time(&ask, scene.front));
            assert!(took < AT_ONCE, "{door:?} {count}: {took:?}");
        }
    }
}
