//! Cookies that read like ours to somebody: another case, white space that is none, quotes, RFC 2965's `$`, two of them in any order and
//! on any number of lines. Mallory's session is in them, Ada's beside them: nobody ever acts as Mallory, and what is in doubt is refused.

use crate::personas::{Answer, ApiClient, Ask, Door, PASSWORD, Scene, Vestibule};

const MALLORY: &str = "mallory@example.com";

/// CK-03: ways to write a cookie's name that some server folds into it.
fn look_alikes(name: &str) -> Vec<Vec<u8>> {
    let mut title = name.to_owned();
    title.get_mut(..1).unwrap().make_ascii_uppercase();
    let php = name.replacen("__", "..", 1);
    let escaped = name.replacen('i', "%69", 1);
    let mut all: Vec<Vec<u8>> = [name.to_ascii_uppercase(), name.to_ascii_lowercase(), title, php, escaped]
        .into_iter()
        .filter(|other| other != name)
        .map(String::into_bytes)
        .collect();
    let white: [&[u8]; 11] = [
        b"  ",
        b"\t",
        b"\x0b",
        b"\x0c",
        b"\x85",
        b"\xa0",
        "\u{85}".as_bytes(),
        "\u{a0}".as_bytes(),
        "\u{2000}".as_bytes(),
        "\u{3000}".as_bytes(),
        "\u{feff}".as_bytes(),
    ];
    for space in white {
        all.push([space, name.as_bytes()].concat());
        all.push([name.as_bytes(), space].concat());
    }
    all.extend(["\"", "\\", "theme=dark,", "theme=dark "].map(|mark| format!("{mark}{name}").into_bytes()));
    all.extend([format!("\"{name}\""), format!("{name}[]")].map(String::into_bytes));
    all
}

/// Names that resemble ours to people, and that no parser takes for it.
fn ordinary(name: &str) -> Vec<String> {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let mut all = ["'", "$", ".", "x"].map(|mark| format!("{mark}{name}")).to_vec();
    all.extend([letters.to_lowercase(), name.replace('_', "-"), name.replace('-', "_"), format!("{name}.")]);
    all.retain(|other| other != name);
    all
}

/// Each hostile line of cookies, with what it is called; `session` is Mallory's, `own` the victim's.
fn lines(name: &str, session: &str, own: &str) -> Vec<(String, Vec<Vec<u8>>)> {
    let good = format!("{name}={own}").into_bytes();
    let mut all = Vec::new();
    let mut add = |what: &str, pairs: &[&[u8]]| {
        // Behind a cookie of somebody else's: white space that begins a line is nobody's (RFC 9110 section 5.5).
        let line = |separator: &[u8]| [&[&b"a=b"[..]], pairs].concat().join(separator);
        all.push((format!("{what}, one line"), vec![line(b"; ")]));
        if pairs.len() > 1 {
            all.push((format!("{what}, without a space"), vec![line(b";")]));
            let lines = pairs.iter().map(|pair| [b"a=b; ", *pair].concat()).collect();
            all.push((format!("{what}, a line each"), lines));
        }
    };
    for look_alike in look_alikes(name) {
        let tossed = [&look_alike, &b"="[..], session.as_bytes()].concat();
        let what = look_alike.escape_ascii().to_string();
        add(&format!("{what} alone"), &[&tossed]);
        add(&format!("{what} first"), &[&tossed, &good]);
        add(&format!("{what} last"), &[&good, &tossed]);
    }
    let nameless = format!("={name}={session}").into_bytes();
    let twin = format!("{name}={session}").into_bytes();
    let quoted = format!("{name}=\"{session}\"").into_bytes();
    for (what, tossed) in [("nameless", &nameless), ("the same name", &twin), ("a quoted value", &quoted)] {
        add(&format!("{what} first"), &[tossed, &good]);
        add(&format!("{what} last"), &[&good, tossed]);
    }
    add("nameless alone", &[&nameless]);
    add("a quoted value alone", &[&quoted]);
    add("the same name, cut in the middle", &[&good, b"a=b", &good]);
    add("RFC 2965", &[b"$Version=1", &quoted, b"$Path=\"/\""]);
    add("RFC 2965 beside", &[b"$Version=1", &twin, b"$Path=\"/\"", &good]);
    all
}

fn with_cookies(mut ask: Ask, lines: &[Vec<u8>]) -> Ask {
    for line in lines {
        ask = ask.header("Cookie", line);
    }
    ask
}

fn may_fail(door: Door) -> bool {
    matches!(door, Door::HaProxy | Door::Nginx)
}

fn is_refused(answer: &Answer) -> bool {
    matches!(answer.status, 302 | 400 | 401 | 403)
}

/// CK-03, CK-04: through every door, and at the pages' own addresses.
#[test]
fn what_reads_like_our_cookie_opens_nothing_and_is_never_chosen_from() {
    for door in Door::ALL {
        let scene = Scene::behind(door);
        scene.vestibule.operator.add_account(MALLORY);
        let cookie = |identifier| {
            let body = serde_json::json!({"identifier": identifier, "password": PASSWORD});
            let answer = Ask::post("/auth/api/v1/login").json(&body).send(scene.front);
            let line = answer.header("set-cookie").unwrap().to_owned();
            line.split(';').next().unwrap().strip_prefix("vestibule=").unwrap().to_owned()
        };
        let (own, session) = (cookie(crate::personas::ADA), cookie(MALLORY));
        let all = lines("vestibule", &session, &own);
        assert!(all.len() > 150, "{}", all.len());
        for (what, lines) in &all {
            for path in ["/orders/", "/auth/api/v1/session", "/auth/api/v1/sessions"] {
                let answer = with_cookies(Ask::get(path), lines).send(scene.front);
                // A control character is no request to Vestibule (400); nginx and HAProxy make "could not tell" of that.
                let could_not_tell = may_fail(door) && answer.status == 503;
                assert!(is_refused(&answer) || could_not_tell, "{door:?} {path} {what}: {answer:?}");
            }
            // Who is in doubt is nobody on a public page either; a refusal will do as well.
            let public = with_cookies(Ask::get("/public/"), lines).send(scene.front);
            assert!(
                is_refused(&public)
                    || may_fail(door) && public.status == 503
                    || public.text() == "hello stranger",
                "{door:?} {what}: {public:?}"
            );
            for received in scene.service.take() {
                let whole = received.whole();
                assert!(received.claims.is_err() && !whole.contains(&own), "{door:?} {what}: {whole}");
                // What was tossed is its tosser's own; the built-in door keeps even that.
                assert!(door != Door::BuiltIn || !whole.contains(&session), "{what}: {whole}");
            }
        }
        let alone = Ask::get("/orders/").header("Cookie", format!("vestibule={own}")).send(scene.front);
        assert_eq!(alone.text(), format!("hello {}", scene.subject), "the control: {door:?}");
        assert_eq!(scene.service.take().len(), 1);
        // A cookie of another's beside it is a cookie of another's.
        let among = format!("a=b; vestibule={own}; vestibule_theme=dark; x=\"vestibule\"");
        let answer = Ask::get("/orders/").header("Cookie", among).send(scene.front);
        assert_eq!(answer.text(), format!("hello {}", scene.subject), "{door:?}");
    }
}

/// CK-03: the name with the prefix that browsers enforce, and all that a browser would not enforce it for.
#[test]
fn what_reads_like_the_prefixed_cookie_opens_nothing_over_https() {
    const NAME: &str = "__Host-Http-vestibule";
    let scene = Scene::at("https://app.test", Vestibule::installed());
    scene.vestibule.operator.add_account(MALLORY);
    let cookie = |identifier| {
        let client = serde_json::json!({"identifier": identifier, "password": PASSWORD});
        let answer =
            Ask::post("/auth/api/v1/login").header("Host", "app.test").json(&client).send(scene.front);
        let line = answer.header("set-cookie").unwrap().to_owned();
        line.split(';').next().unwrap().strip_prefix(&format!("{NAME}=")).unwrap().to_owned()
    };
    let (own, session) = (cookie(crate::personas::ADA), cookie(MALLORY));
    let ask = |path| Ask::get(path).header("Host", "app.test");
    let mut all = lines(NAME, &session, &own);
    // Under the names without the prefix, or with another, it is a stranger's cookie: alone it opens nothing.
    for name in
        ["vestibule", "__Host-vestibule", "__Secure-vestibule", "__Http-vestibule", "__Secure-Http-vestibule"]
    {
        all.push((name.to_owned(), vec![format!("{name}={session}").into_bytes()]));
    }
    for (what, lines) in &all {
        let answer = with_cookies(ask("/orders/"), lines).send(scene.front);
        assert!(is_refused(&answer), "{what}: {answer:?}");
        assert!(scene.service.take().is_empty(), "{what}");
    }
    let alone = ask("/orders/").header("Cookie", format!("{NAME}={own}")).send(scene.front);
    assert_eq!(alone.text(), format!("hello {}", scene.subject), "the control");
    // CK-04: what a sibling host may set for the whole domain is no session, and keeps nobody from theirs.
    for ordinary in ordinary(NAME) {
        let tossed = format!("{ordinary}={session}");
        let answer = ask("/orders/").header("Cookie", &tossed).send(scene.front);
        assert!(is_refused(&answer), "{ordinary}: {answer:?}");
        for line in [format!("{tossed}; {NAME}={own}"), format!("{NAME}={own}; {tossed}")] {
            let answer = ask("/orders/").header("Cookie", line).send(scene.front);
            assert_eq!(answer.text(), format!("hello {}", scene.subject), "{ordinary}");
        }
    }
    // And a session of programs is no cookie, nor the other way about.
    let client = ApiClient::sign_in(scene.front, MALLORY, PASSWORD);
    let crossed =
        ask("/orders/").header("Cookie", format!("{NAME}={}", client.session_token)).send(scene.front);
    assert!(is_refused(&crossed), "{crossed:?}");
    assert!(is_refused(&ask("/orders/").bearer(&own).send(scene.front)));
}
