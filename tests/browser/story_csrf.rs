//! Other sites try to make Ada's browser act for her. The browser is real, so what it sends along, and what it says of where a
//! request comes from, is what browsers do.

use serde_json::Value;

use crate::personas::{ADA, Ask, Chromium, PASSWORD};
use crate::world::{Attacker, MALLORY, Victim};

/// What Ada would not want to happen, and by which method.
const DEEDS: [(&str, &str); 5] = [
    ("POST", "/orders/pay"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/api/v1/logout"),
    ("DELETE", "/auth/api/v1/sessions"),
    ("PUT", "/orders/1"),
];

/// CK-02, CS-01, CS-02, CS-05.
#[test]
fn no_other_site_makes_the_browser_act_on_a_session_over_https() {
    let victim = Victim::over_https();
    let attacker = Attacker::over_https(&victim.origin, &[]);
    let chromium = Chromium::start();
    victim.sign_in(&chromium);
    ours_may(&victim, &chromium);
    let before = chromium.cookies().len();
    for host in ["sub.app.test", "evil.test"] {
        forms_are_refused(&victim, &attacker, host, &chromium);
        scripts_are_refused(&victim, &attacker, host, &chromium);
    }
    assert_eq!(chromium.cookies().len(), before, "and the cookies are as they were");
}

/// A window of ours that another site has opened can be sent somewhere, but not looked into, written to, or made to act. Each has a
/// browser of its own, which is not spoken to once the window is open: the driver now and then loses a page that opened one.
#[test]
fn a_window_that_another_site_has_opened_is_no_way_around() {
    let victim = Victim::over_https();
    let attacker = Attacker::over_https(&victim.origin, &[]);
    let mut signed_in = 0;
    for host in ["sub.app.test", "evil.test"] {
        for path in ["/orders/pay", "/auth/logout", "/auth/account/sessions/end-others"] {
            let html = format!(
                "<form method=post action='{}' target=ours><input name=item value=stolen></form>\
                 <button id=go onclick=\"opened = window.open('{}', 'ours'); \
                 setTimeout(() => {{ try {{ seen = opened.document.body.innerText }} catch (error) {{ seen = 'nothing' }}; \
                 fetch('/seen/' + encodeURIComponent(seen)) }}, 700); \
                 setTimeout(() => document.forms[0].submit(), 900)\">go</button><script>var seen, opened</script>",
                victim.url(path),
                victim.url("/orders/"),
            );
            let chromium = Chromium::start();
            victim.sign_in(&chromium);
            signed_in += 1;
            let before = victim.refusals();
            let before_it = attacker.heard().len();
            chromium.open(&attacker.page(host, "/window", &html));
            chromium.click("#go");
            let what = format!("a refusal of a form for {path} in a window that {host} opened");
            victim.wait_until(&what, |victim| victim.refusals() > before);
            let heard = attacker.heard();
            let seen: Vec<_> = heard.iter().skip(before_it).filter(|line| line.contains("/seen/")).collect();
            assert!(
                matches!(seen[..], [line] if line.starts_with("GET /seen/nothing ")),
                "{host} looks into a window of ours: {heard:?}"
            );
            let lines: Vec<String> =
                victim.service.take().into_iter().map(|received| received.line).collect();
            assert!(lines.iter().all(|line| line.starts_with("GET ")), "{host}: {lines:?}");
            assert_eq!(victim.sessions_of(ADA), signed_in, "{host}, {path}: no session of Ada's ended");
        }
    }
}

#[test]
fn no_other_program_on_this_machine_makes_the_browser_act_on_a_session_on_localhost() {
    let victim = Victim::on_localhost();
    let attacker = Attacker::plain();
    let chromium = Chromium::start();
    victim.sign_in(&chromium);
    ours_may(&victim, &chromium);
    // Another port of the same host is the same site: the cookie goes along. 127.0.0.1 is another site.
    for host in ["localhost", "127.0.0.1"] {
        forms_are_refused(&victim, &attacker, host, &chromium);
        scripts_are_refused(&victim, &attacker, host, &chromium);
    }
}

/// CS-04.
#[test]
fn no_other_site_signs_the_browser_in_as_somebody_else() {
    let victim = Victim::over_https();
    let attacker = Attacker::over_https(&victim.origin, &[]);
    let chromium = Chromium::start();
    victim.is_a_strangers(&chromium);
    for host in ["sub.app.test", "evil.test"] {
        logins_are_refused(&victim, &attacker, host, &chromium);
        victim.is_a_strangers(&chromium);
    }
    victim.sign_in(&chromium);
    let before = chromium.session_cookie().unwrap().value;
    for host in ["sub.app.test", "evil.test"] {
        logins_are_refused(&victim, &attacker, host, &chromium);
        victim.is_adas(&chromium);
    }
    assert_eq!(chromium.session_cookie().unwrap().value, before, "Ada's session, untouched");
    assert_eq!(victim.sessions_of(MALLORY), 0, "nobody was signed in as somebody else");
}

/// The control: the same deed from a page of ours, with the page's token, is done. What is refused below is refused for its origin.
fn ours_may(victim: &Victim, chromium: &Chromium) {
    let done = chromium.awaited(
        "const token = (await (await fetch('/auth/api/v1/csrf')).json()).csrf_token;\
         const headers = { 'X-CSRF-Token': token };\
         const paid = await fetch('/orders/pay', { method: 'POST', headers, body: 'item=tea' });\
         const untold = await fetch('/orders/pay', { method: 'POST', body: 'item=tea' });\
         return [paid.status, untold.status]",
    );
    assert_eq!(done, serde_json::json!([200, 403]));
    let lines: Vec<String> = victim.service.take().into_iter().map(|received| received.line).collect();
    let done: Vec<&String> = lines.iter().filter(|line| !line.starts_with("GET ")).collect();
    assert_eq!(done, ["POST /orders/pay HTTP/1.1"], "{lines:?}");
}

/// Forms that send themselves: in the page, in a sandbox (whose origin is `null`), in a window of their own, and by way of a 307.
fn forms_are_refused(victim: &Victim, attacker: &Attacker, host: &str, chromium: &Chromium) {
    let posts = DEEDS.iter().filter(|(method, _)| *method == "POST");
    for (_, path) in posts {
        let form = |action: &str, more: &str| {
            format!(
                "<form method=post action='{action}' {more}><input name=item value=stolen>\
                 <input name=csrf_token value=guess></form><script>document.forms[0].submit()</script>"
            )
        };
        let plain = form(&victim.url(path), "");
        let in_a_frame = |sandbox: &str| {
            let inside = plain.replace('"', "&quot;");
            format!("<iframe {sandbox} srcdoc=\"{inside}\"></iframe>")
        };
        let mut ways = vec![
            ("form", plain.clone()),
            ("text form", form(&victim.url(path), "enctype=text/plain")),
            ("framed form", in_a_frame("")),
            ("sandboxed form", in_a_frame("sandbox='allow-scripts allow-forms'")),
        ];
        if attacker.bounces() {
            ways.push(("bounced form", form(&format!("/bounce{path}"), "")));
        }
        for (way, html) in ways {
            let before = victim.refusals();
            chromium.open(&attacker.page(host, "/form", &html));
            victim.wait_until(&format!("a refusal of a {way} for {path} at {host}"), |victim| {
                victim.refusals() > before
            });
            victim.is_adas(chromium);
        }
    }
}

/// Scripts that fetch with credentials, in every mode there is, directly and by way of a 307; and that try to learn a token.
fn scripts_are_refused(victim: &Victim, attacker: &Attacker, host: &str, chromium: &Chromium) {
    chromium.open(&attacker.page(host, "/script", ""));
    for (method, path) in DEEDS {
        let mut targets = vec![victim.url(path)];
        if attacker.bounces() {
            targets.push(format!("/bounce{path}"));
        }
        for target in targets {
            for init in [
                "mode: 'no-cors'",
                "mode: 'cors'",
                "mode: 'cors', headers: { 'X-CSRF-Token': 'guess' }",
                "mode: 'cors', headers: { 'Content-Type': 'application/json' }",
            ] {
                let sent = chromium.awaited(&format!(
                    "const answer = await fetch('{target}', {{ method: '{method}', credentials: 'include', \
                     {init}, body: '{{\"item\":\"stolen\"}}' }}); return [answer.type, answer.status]"
                ));
                let opaque = serde_json::json!(["opaque", 0]);
                let failed = |sent: &Value| sent.as_str().is_some_and(|text| text.starts_with("failed"));
                assert!(sent == opaque || failed(&sent), "{host}: {method} {target} with {init}: {sent}");
            }
        }
    }
    // CS-07: a WebSocket's handshake is a GET with the cookie, and no CORS guards it.
    let before = victim.refusals();
    let socket = chromium.awaited(&format!(
        "return await new Promise(done => {{ const socket = new WebSocket('{}');\
         socket.onopen = () => done('open'); socket.onerror = () => done('refused') }})",
        victim.url("/orders/live").replacen("http", "ws", 1)
    ));
    assert_eq!(socket, "refused", "{host}");
    // Our own proxy carries no WebSockets at all; behind another it is the decision that refuses.
    let is_decided = attacker.bounces();
    assert!(!is_decided || victim.refusals() > before, "{host}: it was refused by us, not by chance");
    for path in
        ["/auth/api/v1/csrf", "/auth/api/v1/session", "/auth/login", "/orders/", "/.well-known/jwks.json"]
    {
        let read = chromium.awaited(&format!(
            "const answer = await fetch('{}', {{ credentials: 'include' }}); return await answer.text()",
            victim.url(path)
        ));
        assert!(read.as_str().unwrap().starts_with("failed"), "{host} can read {path}: {read}");
    }
    // Looking is no deed, and what is looked at cannot be seen: but it may reach the service.
    let lines: Vec<String> = victim.service.take().into_iter().map(|received| received.line).collect();
    assert!(lines.iter().all(|line| line.starts_with("GET ")), "{host}: {lines:?}");
    victim.is_adas(chromium);
}

/// Login forms filled in by the attacker, with a token of a login page of the attacker's own; and JSON in whatever disguise.
fn logins_are_refused(victim: &Victim, attacker: &Attacker, host: &str, chromium: &Chromium) {
    let page = Ask::get("/auth/login").header("Host", "app.test").send(victim.vestibule.public).text();
    let token = page.split_once("name=\"csrf_token\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let credentials = format!(
        "<input name=csrf_token value='{token}'><input name=identifier value='{MALLORY}'>\
         <input name=password value='{PASSWORD}'>"
    );
    let login = victim.url("/auth/login");
    let send = "<script>document.forms[0].submit()</script>";
    let json = serde_json::json!({"identifier": MALLORY, "password": PASSWORD}).to_string();
    let api = victim.url("/auth/api/v1/login");
    let (head, tail) = json.split_at(json.len() - 2);
    for (way, html) in [
        ("form", format!("<form method=post action='{login}'>{credentials}</form>{send}")),
        (
            "sandboxed form",
            format!(
                "<iframe sandbox='allow-scripts allow-forms' srcdoc=\"<form method=post action='{login}'>{credentials}</form>{send}\"></iframe>"
            ),
        ),
        ("bounced form", format!("<form method=post action='/bounce/auth/login'>{credentials}</form>{send}")),
        (
            "JSON in a text form",
            format!(
                "<form method=post enctype=text/plain action='{api}'><input name='{head}' value='{tail}'></form>{send}"
            ),
        ),
        (
            "JSON in a script",
            format!(
                "<script>fetch('{api}', {{ method: 'POST', mode: 'no-cors', credentials: 'include', body: '{json}' }})</script>"
            ),
        ),
    ] {
        let before = victim.refusals();
        chromium.open(&attacker.page(host, "/login", &html));
        let what = format!("a refusal of a {way} at {host}");
        victim.wait_until(&what, |victim| victim.refusals() > before);
        assert_eq!(victim.sessions_of(MALLORY), 0, "{way} at {host}");
    }
}
