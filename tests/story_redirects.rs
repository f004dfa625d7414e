//! AU-11: people who want a signed-in visitor sent to a site of theirs. Every way of writing "elsewhere" that we know of, at every
//! address that sends somebody on; where a browser would go is told by a URL parser that is not ours (Node's, which is the browsers').

use std::io::Write;
use std::process::Stdio;

use crate::elsewhere::elsewhere;
use crate::personas::{Answer, Ask, Door, PASSWORD, Scene, Vestibule, program};

const PROXIES: &str = "[trusted_proxies]\nforward_auth = [\"127.0.0.1/32\"]\npublic = [\"127.0.0.1/32\"]";

/// Where browsers would go from `base` by each of these; with what they were for.
fn targets(base: &str, places: &[(String, String)]) -> Vec<(String, String)> {
    const SCRIPT: &str = "const [base, places] = JSON.parse(require('fs').readFileSync(0, 'utf8'));\
        const at = place => { try { return new URL(place, base).href } catch { return 'nowhere' } };\
        console.log(JSON.stringify(places.map(place => at(place))))";
    let only: Vec<&String> = places.iter().map(|(place, _)| place).collect();
    let mut command = program("node", "nodejs");
    let mut node = command.args(["-e", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let question = serde_json::json!([base, only]).to_string();
    node.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
    let output = node.wait_with_output().unwrap();
    let told: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    told.into_iter().zip(places.iter().map(|(_, why)| why.clone())).collect()
}

/// All places that an answer can send somebody to: its Location, and every link, form and wish on its page.
fn places(answer: &Answer) -> Vec<String> {
    let text = answer.text();
    let mut found: Vec<String> = answer.all("location").into_iter().map(str::to_owned).collect();
    for attribute in
        ["href=\"", "action=\"", "name=\"return_to\" value=\"", "http-equiv=\"refresh\" content=\""]
    {
        for rest in text.split(attribute).skip(1) {
            let value = rest.split('"').next().unwrap();
            // The icon in the page's head.
            if value.starts_with("data:image/svg+xml,") {
                continue;
            }
            found.push(value.replace("&#38;", "&").replace("&amp;", "&").replace("&#39;", "'"));
        }
    }
    found
}

fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn nobody_is_sent_to_another_origin_by_signing_in() {
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "registration = \"open\"", PROXIES);
    let payloads = elsewhere(&scene.front.to_string());
    assert!(payloads.len() >= 200, "{}", payloads.len());
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut note = |answer: &Answer, why: String| {
        assert!(answer.status < 500, "{why}: {answer:?}");
        assert!(answer.all("refresh").is_empty(), "{why}");
        assert!(
            answer.all("set-cookie").iter().all(|line| line.starts_with("vestibule")),
            "{why}: {answer:?}"
        );
        seen.extend(places(answer).into_iter().map(|place| (place, why.clone())));
    };
    let form = Ask::get("/auth/login").send(scene.front);
    let pre_session = form.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let token_on = |page: &Answer| {
        let text = page.text();
        text.split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let csrf_token = token_on(&form);
    // What one account may have of sessions and of attempts is counted.
    let people: Vec<String> =
        (0..payloads.len().div_ceil(2)).map(|number| format!("ada{number}@example.com")).collect();
    for identifier in &people {
        scene.vestibule.operator.add_account(identifier);
    }
    let mut sessions = Vec::new();
    for (turn, payload) in payloads.iter().enumerate() {
        // By the page, and by the form.
        for page in ["/auth/login", "/auth/register", "/auth/logout", "/auth/account"] {
            for query in
                [escape(payload), payload.replace(|it: char| !it.is_ascii_graphic() || it == '#', "")]
            {
                let answer = Ask::get(&format!("{page}?return_to={query}")).send(scene.front);
                note(&answer, format!("GET {page} with {payload:?}"));
            }
        }
        let identifier = &*people[turn % people.len()];
        let fields =
            [("csrf_token", csrf_token.as_str()), ("identifier", identifier), ("password", PASSWORD)];
        let answer = Ask::post("/auth/login")
            .header("Origin", &scene.origin)
            .header("Cookie", &pre_session)
            .header("X-Forwarded-For", format!("10.{}.{}.7", turn / 200, turn % 200))
            .form(&[&fields[..], &[("return_to", payload)]].concat())
            .send(scene.front);
        assert_eq!((answer.status, answer.all("location").len()), (303, 1), "{payload:?}: {answer:?}");
        note(&answer, format!("a login with {payload:?}"));
        let cookie = answer.all("set-cookie").into_iter().find(|line| line.starts_with("vestibule="));
        sessions.push(cookie.unwrap().split(';').next().unwrap().to_owned());
    }
    // The same to who is signed in already; and to who proves themselves again.
    let signed_in = sessions.last().unwrap();
    for payload in &payloads {
        for page in
            ["/auth/login", "/auth/confirm", "/auth/register", "/auth/account", "/auth/account/password"]
        {
            let ask = Ask::get(&format!("{page}?return_to={}", escape(payload))).header("Cookie", signed_in);
            note(&ask.send(scene.front), format!("GET {page}, signed in, with {payload:?}"));
        }
    }
    // Each within a session of its own and from an address of its own: what is asked within and from one is counted.
    for (turn, (payload, signed_in)) in payloads.iter().zip(&sessions).enumerate() {
        let page = Ask::get("/auth/confirm").header("Cookie", signed_in).send(scene.front);
        let csrf_token = token_on(&page);
        let fields = [("csrf_token", csrf_token.as_str()), ("password", PASSWORD), ("return_to", payload)];
        let answer = Ask::post("/auth/confirm")
            .header("Origin", &scene.origin)
            .header("Cookie", signed_in)
            .header("X-Forwarded-For", format!("10.{}.{}.7", turn / 200, turn % 200))
            .form(&fields)
            .send(scene.front);
        assert_eq!((answer.status, answer.all("location").len()), (303, 1), "{payload:?}: {answer:?}");
        note(&answer, format!("a confirmation with {payload:?}"));
    }
    let home = format!("{}/", scene.origin);
    let judged = targets(&format!("{}/auth/login", scene.origin), &seen);
    assert!(judged.len() > payloads.len() * 10, "{}", judged.len());
    for (target, why) in judged {
        assert!(target.starts_with(&home), "{why} leads to {target}");
    }
}

/// The forward-auth redirect carries where somebody wanted to go: to our login page, and back to a path of that host alone.
#[test]
fn nobody_is_sent_to_another_origin_by_being_asked_to_sign_in() {
    let scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", PROXIES);
    let mut seen = Vec::new();
    for payload in elsewhere(&scene.front.to_string()) {
        for (host, uri) in [
            (scene.front.to_string(), format!("/{payload}")),
            (scene.front.to_string(), payload.clone()),
            (scene.front.to_string(), format!("/orders/?return_to={payload}")),
            (payload.clone(), "/orders/".to_owned()),
            (format!("{payload}.evil.test"), "/orders/".to_owned()),
        ] {
            let nginx = Ask::get("/check?redirect=1")
                .header("X-Original-Method", "GET")
                .header("X-Original-URL", format!("http://{host}{uri}"));
            let caddy = Ask::get("/check?redirect=1")
                .header("X-Forwarded-Method", "GET")
                .header("X-Forwarded-Host", &host)
                .header("X-Forwarded-Uri", &uri);
            for ask in [nginx, caddy] {
                let ask = ask.header("Accept", "text/html").header("Sec-Fetch-Mode", "navigate");
                // What is no header line at all gets no answer, or one from the HTTP layer.
                let Some(answer) = ask.try_send(scene.vestibule.internal) else { continue };
                assert!(matches!(answer.status, 302 | 400 | 403 | 404), "{host} {uri:?}: {answer:?}");
                let why = format!("{host:?} {uri:?}");
                seen.extend(answer.all("location").into_iter().map(|place| (place.to_owned(), why.clone())));
            }
        }
    }
    let login = format!("{}/auth/login", scene.origin);
    let judged = targets(&scene.origin, &seen);
    assert!(judged.len() > 100, "{}", judged.len());
    let wishes: Vec<(String, String)> = judged
        .into_iter()
        .inspect(|(target, why)| assert!(target.starts_with(&login), "{why} leads to {target}"))
        .filter_map(|(target, why)| {
            let (_, query) = target.split_once("?return_to=")?;
            Some((decode(query), why))
        })
        .collect();
    // And what it carries back is refused, or leads to this origin, when it is used.
    for (wish, why) in wishes {
        let page = Ask::get(&format!("/auth/login?return_to={}", escape(&wish))).send(scene.front);
        for target in places(&page) {
            let is_plain = target.starts_with('/') && !target.starts_with("//") && !target.contains('\\');
            assert!(is_plain, "{why}: {target}");
        }
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
