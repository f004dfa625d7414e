//! How sessions age by the server's clock. The shortest lives that can be configured make this the slowest story, so it is told first;
//! it mostly sleeps.

use std::time::{Duration, Instant};

use crate::personas::{Door, Scene, Vestibule};

/// SS-04, HX-02: a session ends when it is unused and at the latest when it is old, whatever the browser still holds; and no JWT
/// outlives its session.
#[test]
fn unused_for_a_minute_it_ends_used_it_lives_on_until_it_is_old_and_no_jwt_outlives_it() {
    let lives = "[sessions]\nidle = \"1m\"\nabsolute = \"75s\"";
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", lives);
    let (mut unused, mut used_once, mut busy) = (scene.signed_in(), scene.signed_in(), scene.signed_in());
    let began = Instant::now();
    let (mut looked_in_between, mut compared) = (false, false);
    let ended = loop {
        std::thread::sleep(Duration::from_secs(1));
        let age = began.elapsed();
        if !looked_in_between && age > Duration::from_secs(35) {
            assert_eq!(used_once.look("/orders/").status, 200);
            looked_in_between = true;
        }
        if !compared && age > Duration::from_secs(62) {
            assert_eq!((unused.look("/orders/").status, used_once.look("/orders/").status), (302, 200));
            compared = true;
        }
        match busy.look("/orders/").status {
            200 => assert!(age < Duration::from_secs(80), "it never ends"),
            302 => break age,
            other => panic!("{other}"),
        }
    };
    assert!(compared && ended >= Duration::from_secs(74), "in use, it ended after {ended:?}");
    assert_eq!(used_once.look("/orders/").status, 302, "old is old");
    assert_eq!(busy.open("/auth/account").path.split('?').next(), Some("/auth/login"));
    for received in scene.service.take() {
        let claims = received.claims.unwrap();
        let (from, to) = (claims["auth_time"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
        assert!(to <= from + 75, "a JWT until {to} for a session from {from} that lives 75 s");
    }
}
