//! What time and use do to a session on its way through a decision.

use super::*;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);

fn loads_page() -> (http::HeaderName, String) {
    (http::HeaderName::from_static("sec-fetch-mode"), "navigate".to_owned())
}

fn fetches() -> (http::HeaderName, String) {
    (http::HeaderName::from_static("sec-fetch-mode"), "cors".to_owned())
}

/// A fixture whose one session is remembered for 30 days.
fn remembering() -> Fixture {
    let fixture = fixture();
    let limits = (DAY * 7, START.after(DAY * 30));
    let remembered = Session {
        kind: SessionKind::Remembered,
        idle: limits.0,
        ends_at: limits.1,
        ..session(&fixture.token)
    };
    fixture.world.live.lock().insert(remembered.digest, Arc::new(LiveSession::new(&remembered)));
    fixture
}

impl Fixture {
    fn get(&self, path: &str, mode: (http::HeaderName, String)) -> Result<Decision, Fault> {
        self.ask(Method::GET, path, &[self.cookie(), mode])
    }

    fn passes(&self, path: &str, mode: (http::HeaderName, String)) -> bool {
        match self.get(path, mode).unwrap() {
            Decision::Permit(permit) => permit.principal().is_some(),
            Decision::Challenge(challenge) => {
                assert_eq!(challenge.reject(), Reject::RotationDue);
                false
            }
            Decision::Deny(deny) => panic!("{:?}", deny.reject()),
        }
    }
}

/// SS-04: one second before each limit a request passes, and at the limit it does not.
#[test]
fn both_limits_hold_to_the_second() {
    for (last_use, dies_after, expected) in [
        (Duration::ZERO, Duration::from_secs(1800), Reject::SessionIdle),
        (Duration::from_secs(43_199), Duration::from_secs(43_200), Reject::SessionEnded),
    ] {
        for (now, is_alive) in
            [(dies_after - SECOND, true), (dies_after, false), (dies_after + SECOND, false)]
        {
            let fixture = fixture();
            let live = Arc::clone(&fixture.world.live.lock()[&fixture.token.digest(&pepper())]);
            live.used(START.after(last_use));
            fixture.clock.set(START.after(now));
            match fixture.get("/orders", fetches()).unwrap() {
                Decision::Permit(_) => assert!(is_alive, "{now:?}"),
                Decision::Challenge(challenge) => {
                    assert!(!is_alive, "{now:?}");
                    assert_eq!(challenge.reject(), expected);
                }
                Decision::Deny(deny) => panic!("{:?}", deny.reject()),
            }
        }
    }
}

/// SS-04: 48 hours of a request a minute; the session dies at its absolute limit all the same.
#[test]
fn two_days_of_steady_requests_still_die_at_the_absolute_limit() {
    let fixture = fixture();
    let passed = (0..48 * 60)
        .filter(|minute| {
            fixture.clock.set(START.after(Duration::from_secs(60 * minute)));
            matches!(fixture.get("/orders", fetches()).unwrap(), Decision::Permit(_))
        })
        .count();
    assert_eq!(passed, 12 * 60);
}

/// SS-04: a clock that steps forward and back again ends nothing for good, and one that steps back prolongs nothing.
#[test]
fn a_clock_that_jumps_ends_nothing_for_good_and_prolongs_nothing() {
    let fixture = fixture();
    let permits = || matches!(fixture.get("/orders", fetches()).unwrap(), Decision::Permit(_));
    assert!(permits());
    fixture.clock.set(START.after(DAY * 365));
    assert!(!permits(), "while the clock is wrong, nobody passes");
    fixture.clock.set(START.after(SECOND));
    assert!(permits(), "refused requests left no trace");
    fixture.clock.set(START.before(DAY));
    assert!(permits());
    fixture.clock.set(START.after(Duration::from_secs(43_200)));
    assert!(!permits(), "the absolute limit is where it was");
}

/// SS-05: what a page asks for by itself keeps no session alive; anything else does, to the second.
#[test]
fn background_requests_pass_but_are_no_use() {
    let fixture = fixture();
    let permits = |path: &str| matches!(fixture.get(path, fetches()).unwrap(), Decision::Permit(_));
    for seconds in (0..1800).step_by(30) {
        fixture.clock.set(START.after(Duration::from_secs(seconds)));
        assert!(permits("/news/today"), "{seconds}");
    }
    assert_eq!(fixture.world.noted.load(Ordering::SeqCst), 0);
    fixture.clock.set(START.after(Duration::from_secs(1799)));
    assert!(permits("/news"));
    fixture.clock.set(START.after(Duration::from_secs(1800)));
    assert!(!permits("/news/today"));

    let busy = self::fixture();
    busy.clock.set(START.after(Duration::from_secs(1799)));
    assert!(matches!(busy.get("/orders", fetches()).unwrap(), Decision::Permit(_)));
    busy.clock.set(START.after(Duration::from_secs(1801)));
    assert!(matches!(busy.get("/news/", fetches()).unwrap(), Decision::Permit(_)));
    assert_eq!(busy.world.noted.load(Ordering::SeqCst), 1);
}

#[test]
fn explain_says_that_a_route_is_background() {
    let fixture = fixture();
    let headers = HeaderMap::new();
    for (path, expected) in [("/news/today", Activity::Background), ("/orders", Activity::Person)] {
        let mut trace = Trace::on();
        let inquiry =
            Inquiry { method: &Method::GET, host: "app.test", path, headers: &headers, csrf_field: None };
        run(fixture.decider.decide_traced(&inquiry, &mut trace)).unwrap();
        assert!(matches!(trace.steps()[0], Step::Route { activity, .. } if activity == expected));
    }
}

#[test]
fn a_remembered_sessions_page_loads_are_sent_to_rotate_after_a_day() {
    let fixture = remembering();
    fixture.clock.set(START.after(DAY - SECOND));
    assert!(fixture.passes("/orders", loads_page()));
    fixture.clock.set(START.after(DAY));
    assert!(fixture.passes("/orders", fetches()), "what is no page load has a day more");
    let form = [fixture.cookie(), loads_page()];
    assert!(
        matches!(fixture.ask(Method::POST, "/no-csrf/", &form).unwrap(), Decision::Permit(_)),
        "what was typed into a form must not get lost"
    );
    assert!(!fixture.passes("/orders", loads_page()));
    fixture.clock.set(START.after(DAY * 2 - SECOND));
    assert!(fixture.passes("/orders", fetches()));
    fixture.clock.set(START.after(DAY * 2));
    assert!(!fixture.passes("/orders", fetches()));
    assert!(!fixture.passes("/orders", fetches()));
}

/// Ten tabs that a browser restores at once: one goes to rotate; were the others sent there as well, their token would be dead.
#[test]
fn one_page_load_in_ten_seconds_is_sent_to_rotate() {
    let fixture = remembering();
    for days in [1, 3] {
        let begun = START.after(DAY * days);
        fixture.clock.set(begun);
        let passing = |_: &u64| fixture.passes("/orders", loads_page());
        assert_eq!((0..10).filter(passing).count(), 9);
        fixture.clock.set(begun.after(SECOND * 9));
        assert!(fixture.passes("/orders", loads_page()));
        fixture.clock.set(begun.after(SECOND * 10));
        assert_eq!((0..10).filter(passing).count(), 9);
    }
}

#[test]
fn public_pages_send_nobody_to_rotate() {
    let fixture = remembering();
    fixture.clock.set(START.after(DAY * 2 - SECOND));
    for _ in 0..3 {
        assert!(fixture.passes("/public/", loads_page()), "known");
    }
    fixture.clock.set(START.after(DAY * 2));
    let Decision::Permit(permit) = fixture.get("/public/", loads_page()).unwrap() else {
        panic!("not public")
    };
    assert!(permit.principal().is_none(), "too old a token is as none");
}

#[test]
fn other_sessions_are_never_sent_to_rotate() {
    for kind in [SessionKind::Browser, SessionKind::Client] {
        let fixture = fixture();
        let old = Session { kind, idle: DAY * 9, ends_at: START.after(DAY * 9), ..session(&fixture.token) };
        fixture.world.live.lock().insert(old.digest, Arc::new(LiveSession::new(&old)));
        fixture.clock.set(START.after(DAY * 8));
        assert!(fixture.passes("/orders", loads_page()) && fixture.passes("/orders", fetches()));
    }
}

/// Refused for its token, a request is no use of the session.
#[test]
fn being_sent_to_rotate_is_no_use() {
    let fixture = remembering();
    fixture.clock.set(START.after(DAY * 2));
    assert!(!fixture.passes("/orders", fetches()));
    let live = Arc::clone(&fixture.world.live.lock()[&fixture.token.digest(&pepper())]);
    assert_eq!(live.seen_at(), START);
}
