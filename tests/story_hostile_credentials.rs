//! Credentials, paths and sizes that no honest client sends: a clear answer, nothing let in, nothing at the service, and those who are
//! signed in stay so.

use crate::personas::{ADA, Answer, Ask, Door, PASSWORD, Scene, exchange};

/// A session cookie's value with a change that must make it worthless.
fn damaged(value: &str) -> Vec<String> {
    let mut swapped = value.to_owned();
    let first = if value.starts_with('A') { "B" } else { "A" };
    swapped.replace_range(..1, first);
    vec![
        swapped,
        String::new(),
        value[..42].to_owned(),
        format!("{value}A"),
        format!("{value}="),
        format!("\"{value}\""),
        value.to_ascii_lowercase(),
        value.to_ascii_uppercase(),
        format!(" {value}"),
        format!("{value}%00"),
        value.replace(value.chars().next().unwrap(), "%41"),
        "A".repeat(43),
        format!("vst_{value}"),
        "null".to_owned(),
        "../../etc/passwd".to_owned(),
        "eyJhbGciOiJub25lIn0.e30.".to_owned(),
    ]
}

/// CK-03, CK-05: nothing is trimmed, unquoted or folded until it fits, and what does not fit is not looked up.
#[test]
fn a_damaged_cookie_is_no_cookie() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let browser = scene.signed_in();
        let good = browser.cookie("vestibule").unwrap().value.clone();
        // Nothing is looked up.
        scene.vestibule.assert_unmoved(&["vestibule_store_reads_total"], || {
            for value in damaged(&good) {
                let line = format!("vestibule={value}");
                for path in ["/orders/", "/auth/api/v1/session"] {
                    let answer = Ask::get(path).header("Cookie", &line).send(scene.front);
                    assert!(is_refused(&answer), "{door:?} {path} {line:?}: {answer:?}");
                    assert!(scene.service.take().is_empty(), "{door:?} {path} {line:?}");
                }
            }
        });
        let answer = Ask::get("/orders/").header("Cookie", format!("vestibule={good}")).send(scene.front);
        assert_eq!(answer.status, 200, "the control: {door:?} {answer:?}");
    }
}

/// CK-04: cookie tossing: whoever can set cookies for this host beside ours gets nobody in and nobody confused.
#[test]
fn two_cookies_of_our_name_or_a_look_alike_beside_it_are_refused() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let good = scene.signed_in().cookie("vestibule").unwrap().value.clone();
        let other = scene.signed_in().cookie("vestibule").unwrap().value.clone();
        let lines = [
            format!("vestibule={good}; vestibule={other}"),
            format!("vestibule={good}; vestibule={good}"),
            format!("vestibule={good}; Vestibule={other}"),
            format!("VESTIBULE={other}; vestibule={good}"),
            format!("vestibule={good}; vestibule ={other}"),
            format!("vestibule={good};  vestibule={other}"),
            format!("vestibule[]={other}; vestibule={good}"),
            format!("\"vestibule\"={other}; vestibule={good}"),
            format!("vestibule={good}; ; =vestibule={other}"),
        ];
        for line in &lines {
            let answer = Ask::get("/orders/").header("Cookie", line).send(scene.front);
            assert!(is_refused(&answer), "{door:?} {line}: {answer:?}");
            assert!(scene.service.take().is_empty(), "{door:?} {line}");
        }
        let twice = Ask::get("/orders/")
            .header("Cookie", format!("vestibule={good}"))
            .header("Cookie", format!("vestibule={other}"));
        let answer = twice.send(scene.front);
        assert!(is_refused(&answer), "{door:?}, two header lines: {answer:?}");
        assert!(scene.service.take().is_empty(), "{door:?}");
        // The victim of it all is still signed in.
        let alone = Ask::get("/orders/").header("Cookie", format!("vestibule={good}")).send(scene.front);
        assert_eq!(alone.status, 200, "{door:?}: {alone:?}");
    }
}

/// HX-06, HD-05: nor is one taken from the URL.
#[test]
fn two_credentials_are_refused_and_neither_is_picked() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let cookie = format!("vestibule={}", scene.signed_in().cookie("vestibule").unwrap().value);
        let client = scene.api_client();
        let bearer = format!("Bearer {}", client.session_token);
        for ask in [
            Ask::get("/orders/").header("Cookie", &cookie).header("Authorization", &bearer),
            Ask::get("/public/").header("Cookie", &cookie).header("Authorization", &bearer),
            Ask::get("/orders/").header("Authorization", &bearer).header("Authorization", &bearer),
            Ask::get("/orders/").header("Authorization", format!("{bearer}, {bearer}")),
            Ask::get("/auth/api/v1/session").header("Cookie", &cookie).header("Authorization", &bearer),
        ] {
            let answer = ask.send(scene.front);
            assert!(is_refused(&answer), "{door:?}: {answer:?}");
            assert!(scene.service.take().is_empty(), "{door:?}");
        }
        // A credential in the URL is none.
        let answer = Ask::get(&format!("/orders/?access_token={}", client.session_token)).send(scene.front);
        assert_eq!(answer.status, 401, "{door:?}");
    }
}

/// GW-06: whatever two servers could read as two different paths reaches no service.
#[test]
fn a_path_that_can_be_read_in_two_ways_is_refused_or_means_what_it_says() {
    const PATHS: [&str; 18] = [
        "/public/../orders/",
        "/public/..%2forders/",
        "/public/%2e%2e/orders/",
        "/public/%2E./orders/",
        "/public/.%2e/orders/",
        "/public/..;/orders/",
        "/public/..\\orders/",
        "/public/..%5corders/",
        "/public//../orders/",
        "/public/%252e%252e/orders/",
        "/public%2f..%2forders/",
        "/public/./../orders/",
        "//public/",
        "/public/%00",
        "/public/%0d%0aX-Auth-Subject:%20mallory",
        "/public/\u{7f}",
        "/%70ublic/..%c0%af/orders/",
        "/public/..%ef%bc%8forders/",
    ];
    for door in Door::ALL {
        let scene = Scene::behind(door);
        for path in PATHS {
            let bytes = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", scene.front);
            let answer = exchange(scene.front, bytes.as_bytes());
            let arrived = scene.service.take();
            let status = answer.map(|answer| answer.status);
            // Some are odd and plain at once: then the service was asked for that public path, byte for byte.
            for received in arrived {
                assert_eq!(status, Some(200), "{door:?} {path}");
                let asked = received.line.split(' ').nth(1).unwrap();
                assert_eq!(asked, path, "{door:?}: decided about one path, carried another");
                let lower = asked.to_ascii_lowercase();
                let climbs = |segment: &str| matches!(segment.replace("%2e", ".").as_str(), "." | "..");
                let hides =
                    ["%2f", "%5c", "%25", "%00", "%0d", "\\", ";"].iter().any(|it| lower.contains(it));
                assert!(!lower.split('/').any(climbs) && !hides, "{door:?} {path}");
            }
            assert_ne!(status, Some(500), "{door:?} {path}");
        }
        assert_eq!(Ask::get("/public/").send(scene.front).status, 200, "the control: {door:?}");
        scene.service.take();
    }
}

/// DS-04: and what is large by right passes.
#[test]
fn oversized_requests_get_a_clear_answer_and_leave_the_server_well() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let client = scene.api_client();
        // More than a request line and headers may take: 32 KiB here, 48 KiB in HAProxy, which tells Vestibule of few headers.
        let long = "a".repeat(60_000);
        let many = (0..400).map(|n| format!("c{n}=v")).collect::<Vec<_>>().join("; ");
        let mut crowd = Ask::get("/orders/").bearer(&client.session_token);
        for n in 0..500 {
            crowd = crowd.header(&format!("X-SharedBucket-{n}"), "x".repeat(60));
        }
        for (what, ask) in [
            ("URI", Ask::get(&format!("/orders/?q={long}")).bearer(&client.session_token)),
            ("header", Ask::get("/orders/").bearer(&client.session_token).header("X-Long", &long)),
            ("headers", crowd),
            ("cookie", Ask::get("/orders/").header("Cookie", format!("vestibule={long}"))),
            ("bearer", Ask::get("/orders/").bearer(&format!("vst_{long}"))),
            ("bearer JWT", Ask::get("/orders/").bearer(&format!("{long}.{long}.{long}"))),
        ] {
            let answer = ask.send(scene.front);
            // A proxy that passes on what is too much for Vestibule may find the connection closed before it has said it all.
            let clear = matches!(answer.status, 400 | 401 | 403 | 413 | 414 | 431);
            let by_the_proxy = door != Door::BuiltIn && matches!(answer.status, 502 | 503);
            assert!(clear || by_the_proxy, "{door:?} {what}: {}", answer.status);
            assert!(scene.service.take().is_empty(), "{door:?} {what}");
        }
        // Many cookies are no crime, and ours is found among them.
        let answer = client.send(Ask::get("/orders/").header("Cookie", &many));
        assert_eq!(answer.status, 200, "{door:?}: {answer:?}");
        assert_eq!(
            scene.service.one().all("cookie"),
            [many.as_str()],
            "{door:?}: other cookies pass unchanged"
        );

        // Neither page nor API reads more than they need.
        let password = "p".repeat(200_000);
        let body = serde_json::json!({"identifier": ADA, "password": password});
        let answer = Ask::post("/auth/api/v1/login").json(&body).send(scene.front);
        assert_eq!((answer.status, answer.code().as_str()), (413, "body-too-large"), "{door:?}");
        let mut browser = scene.browser();
        let page = browser.open("/auth/login");
        let page = browser.submit(&page, "/auth/login", &[("identifier", ADA), ("password", &password)]);
        assert_eq!(page.answer.status, 413, "{door:?}");

        // A large upload to the service is none of our business, and arrives whole.
        let upload = vec![b'u'; 900_000];
        assert_eq!(client.send(Ask::post("/orders/").body(upload.clone())).status, 200, "{door:?}");
        assert_eq!(scene.service.one().body.len(), upload.len(), "{door:?}");
        assert!(scene.vestibule.is_ready());
    }
}

/// HX-01: what opens the outer door never goes through the inner one.
#[test]
fn the_service_never_sees_the_session_or_the_login_cookies() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        let mut browser = scene.browser();
        browser.open("/auth/login");
        let pre_session = browser.cookie("vestibule_pre").unwrap().value.clone();
        browser.look("/public/");
        browser.sign_in("/auth/login", ADA, PASSWORD);
        let session = browser.cookie("vestibule").unwrap().value.clone();
        let device = browser.cookie("vestibule_device").unwrap().value.clone();
        browser.plant("theme", "dark");
        browser.plant("vestibule_pre", &pre_session);
        for path in ["/orders/", "/public/", "/orders/?a=vestibule"] {
            assert_eq!(browser.look(path).status, 200, "{door:?}");
        }
        let received = scene.service.take();
        assert_eq!(received.len(), 4, "{door:?}");
        for request in &received {
            let whole = request.whole();
            for ours in [&session, &pre_session, &device] {
                assert!(!whole.contains(ours), "{door:?}: {whole}");
            }
            assert!(!request.all("cookie").join("").contains("vestibule"), "{door:?}: {whole}");
        }
        assert_eq!(received[3].all("cookie"), ["theme=dark"], "{door:?}: other cookies pass");
    }
}

fn is_refused(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 401 | 403)
}
