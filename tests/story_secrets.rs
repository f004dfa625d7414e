//! A whole story with the log as loud as it gets. Afterwards no secret of it is found anywhere: not in the log, the database, its
//! write-ahead log, the metrics or an error's text, and in no encoding.

use std::fs;
use std::path::Path;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use crate::personas::{ADA, ApiClient, Ask, Browser, Door, PASSWORD, Scene, Vestibule};

/// Something nobody may find.
struct Secret {
    what: &'static str,
    forms: Vec<Vec<u8>>,
}

impl Secret {
    /// A secret text; where it is base64url of something, that is the secret.
    fn new(what: &'static str, text: &str) -> Self {
        let mut forms = encodings(text.as_bytes());
        if let Ok(inner) = BASE64URL_NOPAD.decode(text.as_bytes()) {
            forms.extend(encodings(&inner));
        }
        assert!(forms.iter().all(|form| form.len() >= 16), "{what} is too short to look for");
        Self { what, forms }
    }

    fn is_in(&self, haystack: &[u8]) -> bool {
        self.forms.iter().any(|form| haystack.windows(form.len()).any(|window| window == form))
    }
}

/// The bytes themselves, and what loggers, databases and formatters make of them.
fn encodings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let percent: String = bytes
        .iter()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
        })
        .collect();
    let json = serde_json::to_string(&text).unwrap();
    let mut forms: Vec<Vec<u8>> = [
        HEXLOWER.encode(bytes),
        HEXUPPER.encode(bytes),
        BASE64.encode(bytes),
        BASE64_NOPAD.encode(bytes),
        BASE64URL.encode(bytes),
        BASE64URL_NOPAD.encode(bytes),
        percent.replace("%20", "+"),
        percent,
        json.trim_matches('"').to_owned(),
        format!("{bytes:?}"),
        text.escape_debug().to_string(),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    forms.push(bytes.to_vec());
    forms.sort();
    forms.dedup();
    forms
}

/// Every file under a folder, whole.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}

/// A person and a program do all there is to do, also wrongly. What they learned that is secret, and the errors they saw.
fn live(scene: &Scene) -> (Vec<Secret>, Vec<u8>) {
    let mut errors = Vec::new();
    let mut browser = scene.browser();
    browser.look("/orders/");
    let login = browser.open("/auth/login");
    let pre_session = browser.cookie("vestibule_pre").unwrap().value.clone();
    let form_token = login.hidden("csrf_token");
    let wrong = [("identifier", ADA), ("password", "incorrect horse battery staple")];
    errors.extend(browser.submit(&login, "/auth/login", &wrong).answer.body);
    browser.sign_in("/auth/login", ADA, PASSWORD);
    let session = browser.cookie("vestibule").unwrap().value.clone();
    let device = browser.cookie("vestibule_device").unwrap().value.clone();
    assert_eq!(browser.look("/orders/").status, 200);
    let received = scene.service.take().pop().unwrap();
    let jwt = received.jwt().unwrap().to_owned();
    let signature = jwt.rsplit('.').next().unwrap().to_owned();
    let csrf_token = received.all("x-csrf-token")[0].to_owned();
    let api_csrf =
        browser.fetch(Ask::get("/auth/api/v1/csrf")).json()["csrf_token"].as_str().unwrap().to_owned();
    let posted = browser.fetch(Ask::post("/orders/").header("X-CSRF-Token", &csrf_token).body("x=1"));
    assert_eq!(posted.status, 200);

    let client = scene.api_client();
    assert_eq!(client.get("/orders/").status, 200);
    go_wrong(scene, &mut browser, &client, &jwt, &mut errors);
    let operator = &scene.vestibule.operator;
    let program = operator.json(&["client", "add", "billing", "--audience", "orders"]);
    let [program_id, program_secret] =
        ["client_id", "client_secret"].map(|name| program[name].as_str().unwrap().to_owned());
    errors.extend(be_a_program(scene, &program_id, &program_secret));
    let url = format!("{}/orders/", scene.origin);
    operator.ok(&["explain", "--cookie-stdin", "--url", &url], &session);
    operator.ok(&["explain", "--bearer-stdin", "--url", &url], &client.session_token);
    operator.ok(&["token", "verify", "--audience", "orders"], &jwt);
    operator.ok(&["key", "rotate", "--now"], "");
    assert_eq!(client.sign_out().status, 204);
    browser.sign_out();

    let kept = |name: &str| fs::read_to_string(scene.vestibule.place.join("secrets").join(name)).unwrap();
    let secrets = vec![
        Secret::new("the session in the cookie", &session),
        Secret::new("the session as bearer", &client.session_token),
        Secret::new("the session behind the bearer", &client.session_token[4..47]),
        Secret::new("the password", PASSWORD),
        Secret::new("the wrong password", "incorrect horse battery staple"),
        Secret::new("the pre-session", &pre_session),
        Secret::new("the device", &device),
        Secret::new("the form's CSRF token", &form_token),
        Secret::new("the page's CSRF token", &csrf_token),
        Secret::new("the script's CSRF token", &api_csrf),
        Secret::new("the JWT", &jwt),
        Secret::new("the JWT's signature", &signature),
        Secret::new("the program's secret", &program_secret),
        Secret::new("what the program's secret is", &program_secret[4..]),
        Secret::new("the pepper", kept("pepper.key").trim()),
        Secret::new("the seal key", kept("seal.key").trim()),
    ];
    (secrets, errors)
}

/// A program that proves who it is, rightly and wrongly; what it was told where it was wrong.
fn be_a_program(scene: &Scene, id: &str, secret: &str) -> Vec<u8> {
    let ask = |name: &str, secret: &str, more: &[(&str, &str)]| {
        let proof = BASE64.encode(format!("{name}:{secret}").as_bytes());
        let form = [&[("grant_type", "client_credentials")], more].concat();
        let asked = Ask::post("/auth/oauth/token").form(&form);
        asked.header("Authorization", format!("Basic {proof}")).send(scene.vestibule.public)
    };
    assert_eq!(ask(id, secret, &[]).status, 200);
    let wrong = [
        ask(id, secret, &[("client_secret", secret)]),
        ask(id, secret, &[("scope", secret)]),
        ask(id, secret, &[("audience", secret)]),
        ask(id, secret, &[("client_id", secret)]),
        ask(secret, id, &[]),
        ask("vestibule", secret, &[]),
        Ask::get("/orders/").bearer(secret).send(scene.front),
    ];
    wrong
        .into_iter()
        .inspect(|answer| assert!(answer.status >= 400, "{answer:?}"))
        .flat_map(|it| it.raw)
        .collect()
}

/// Requests that are refused, with good and bad credentials in them.
fn go_wrong(scene: &Scene, browser: &mut Browser, client: &ApiClient, jwt: &str, errors: &mut Vec<u8>) {
    let cookies = browser.cookies();
    let (front, url) = (scene.front, format!("{}/orders/", scene.origin));
    for ask in [
        Ask::get("/orders/").header("Cookie", &cookies).bearer(&client.session_token),
        Ask::get("/orders/").header("Cookie", format!("{cookies}; Vestibule=x")),
        Ask::get("/orders/").bearer(jwt),
        Ask::get("/orders/").header("Authorization", format!("Basic {}", client.session_token)),
        Ask::get("/orders/../x").bearer(&client.session_token),
        Ask::post("/orders/").header("Cookie", &cookies),
        Ask::get("/auth/api/v1/session").header("Cookie", &cookies).bearer(&client.session_token),
        Ask::get("/auth/nowhere").header("Cookie", &cookies),
        Ask::post("/auth/api/v1/logout").header("Cookie", &cookies),
        Ask::post("/auth/api/v1/login").header("Content-Type", "application/json").body(format!(
            "{{\"identifier\":\"{ADA}\",\"password\":\"{PASSWORD}\",\"remember\":\"{}\"}}",
            client.session_token
        )),
        Ask::post("/auth/login").form(&[("identifier", ADA), ("password", PASSWORD), ("csrf_token", jwt)]),
        Ask::get(&format!("/orders/?access_token={}", "x")).header("Cookie", "vestibule=short"),
    ] {
        let answer = ask.send(front);
        assert!(answer.status >= 400, "{answer:?}");
        errors.extend(answer.raw);
    }
    let answer = scene.vestibule.check(|ask| ask.header("Cookie", &cookies).bearer(jwt), &url);
    errors.extend(answer.raw);
    ApiClient::attempt(front, "eve@example.com", PASSWORD);
}

/// LG-01, SS-02: neither logs nor the database, metrics or errors hold a secret.
#[test]
fn no_secret_is_written_down_anywhere_at_the_loudest_log_level() {
    let mut scene = Scene::with(Door::BuiltIn, Vestibule::installed().with_log_filter("trace"), "", "");
    let (secrets, errors) = live(&scene);
    let metrics = Ask::get("/metrics").send(scene.vestibule.internal).body;
    let ready = Ask::get("/readyz").send(scene.vestibule.internal).body;
    // While it runs the write-ahead log is there; after a clean end everything is in the database.
    let mut places = files(&scene.vestibule.place.join("vestibule-data"));
    let shown = scene.vestibule.operator.ok(&["config", "show"], "");
    scene.vestibule.end();
    places.extend(files(&scene.vestibule.place.join("vestibule-data")));
    let log = fs::read(scene.vestibule.place.join("vestibule.log")).unwrap();

    // A search that finds nothing must have searched something.
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("\"TRACE\"") && text.contains("login.succeeded") && text.contains(&scene.subject));
    assert!(places.iter().any(|(name, bytes)| name.ends_with("vestibule.db-wal") && bytes.len() > 4096));
    assert!(places.iter().any(|(_, bytes)| bytes.windows(ADA.len()).any(|window| window == ADA.as_bytes())));
    assert!(String::from_utf8_lossy(&metrics).contains("vestibule_logins_total") && errors.len() > 2000);
    places.extend([
        ("the log".to_owned(), log),
        ("/metrics".to_owned(), metrics),
        ("/readyz".to_owned(), ready),
        ("errors that were answered".to_owned(), errors),
        ("config show".to_owned(), shown.into_bytes()),
    ]);
    for (place, bytes) in &places {
        for secret in &secrets {
            assert!(!secret.is_in(bytes), "{} is in {place}", secret.what);
        }
    }
}

/// The search itself finds a secret in every disguise.
#[test]
fn a_secret_is_found_in_every_disguise() {
    let secret = Secret::new("a test", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    for disguise in [
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]",
    ] {
        assert!(secret.is_in(format!("before {disguise} after").as_bytes()), "{disguise}");
    }
    assert!(!secret.is_in(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHhA"));
    let password = Secret::new("a password", PASSWORD);
    for disguise in
        ["correct+horse+battery+staple", "correct%20horse%20battery%20staple", "correct horse battery staple"]
    {
        assert!(password.is_in(disguise.as_bytes()), "{disguise}");
    }
}
