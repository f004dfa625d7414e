//! Every secret that the system hands out, at every place that takes one: each opens what it was made for, and nothing else.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

use crate::forge::Signer;
use crate::forge::sealer::Sealer;
use crate::personas::{ADA, Answer, Ask, Door, Operator, PASSWORD, Scene, Vestibule};
use crate::story_hostile_tokens::now;
use crate::story_token_cookies::take_token_cookies;

/// What there is, each with the places that take it.
const DIAGONAL: [(&str, &[&str]); 18] = [
    (
        "access token",
        &[
            "door, access cookie",
            "door, bearer",
            "API, access cookie",
            "API, bearer",
            "introspect",
            "revoke",
            "subject_token",
        ],
    ),
    ("access token, encrypted", &[]),
    ("client assertion", &["client_assertion"]),
    ("client assertion, encrypted", &[]),
    ("client id", &[]),
    ("client secret", &["client secret"]),
    ("client's JWT", &["introspect", "service"]),
    ("CSRF token", &["CSRF token"]),
    ("device mark", &[]),
    ("form's cookie", &["form's cookie"]),
    ("form's token", &["form's token"]),
    ("password", &[]),
    ("refresh token", &["refresh cookie", "refresh_token", "revoke"]),
    ("service's JWT", &["introspect", "service", "subject_token"]),
    ("service's JWT, encrypted", &[]),
    ("session id", &[]),
    ("session token", &["door, session cookie", "API, session cookie"]),
    (
        "session token of a program",
        &["door, bearer", "API, bearer", "introspect", "subject_token of a session"],
    ),
];

/// TK-02, HX-04: the kinds of tokens and the endpoints that take one, all with all: only the diagonal passes.
#[test]
fn each_secret_opens_what_it_was_made_for_and_nothing_else() {
    // Who signs in comes from another network each time: none has to wait for how often others did.
    let sections = "[tokens]\ncookies = true\n[trusted_proxies]\npublic = [\"127.0.0.0/8\"]";
    let mut scene = Scene::with(Door::BuiltIn, Vestibule::installed(), "", sections);
    take_token_cookies(&mut scene);
    let world = World::of(scene);
    let mut purse = world.purse();
    let mut found = BTreeMap::<&str, Vec<&str>>::new();
    for (kind, _) in DIAGONAL {
        let taken = found.entry(kind).or_default();
        for lock in LOCKS {
            if (lock.takes)(&world, &purse, &purse.all[kind]) {
                taken.push(lock.name);
                // It may be used up by that, or the session ended.
                purse = world.purse();
            }
        }
        taken.sort_unstable();
    }
    let mut expected = BTreeMap::from(DIAGONAL.map(|(kind, places)| (kind, places.to_vec())));
    expected.values_mut().for_each(|places| places.sort_unstable());
    assert_eq!(found, expected);
}

/// A place that takes a secret.
struct Lock {
    name: &'static str,
    /// Presents a value there; whether it was taken for what belongs there.
    takes: fn(&World, &Purse, &str) -> bool,
}

const fn lock(name: &'static str, takes: fn(&World, &Purse, &str) -> bool) -> Lock {
    Lock { name, takes }
}

const LOCKS: [Lock; 19] = [
    lock("door, bearer", |world, _, value| world.is_ok(Ask::get("/orders/7").bearer(value))),
    lock("door, session cookie", |world, _, value| world.is_ok(with("vestibule", value, "/orders/7"))),
    lock("door, access cookie", |world, _, value| world.is_ok(with("vestibule_access", value, "/orders/7"))),
    lock("door, refresh cookie", |world, _, value| {
        world.is_ok(with("vestibule_refresh", value, "/orders/7"))
    }),
    lock("API, bearer", |world, _, value| world.is_ok(Ask::get(SESSION).bearer(value))),
    lock("API, session cookie", |world, _, value| world.is_ok(with("vestibule", value, SESSION))),
    lock("API, access cookie", |world, _, value| world.is_ok(with("vestibule_access", value, SESSION))),
    lock("refresh cookie", |world, _, value| world.refreshes(value)),
    lock("refresh_token", |world, _, value| {
        world.grants(Ask::post(TOKEN), &[("grant_type", "refresh_token"), ("refresh_token", value)])
    }),
    lock("client secret", |world, purse, value| {
        let ask = proven(Ask::post(TOKEN), &purse.all["client id"], value);
        world.grants(ask, &[("grant_type", "client_credentials")])
    }),
    lock("introspect", |world, _, value| world.is_active(value)),
    lock("subject_token", |world, _, value| {
        world.trades("urn:ietf:params:oauth:token-type:access_token", value)
    }),
    lock("subject_token of a session", |world, _, value| {
        world.trades("urn:vestibule:token-type:session", value)
    }),
    lock("client_assertion", |world, _, value| {
        let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        let form = [("grant_type", "client_credentials"), kind, ("client_assertion", value)];
        world.grants(Ask::post(TOKEN), &form)
    }),
    lock("service", |world, _, value| {
        world.scene.vestibule.operator.run(&["token", "verify", "--audience", "orders"], value).code == 0
    }),
    lock("revoke", |world, purse, value| world.revokes(purse, value)),
    lock("CSRF token", |world, purse, value| {
        let ask = Ask::post("/orders/new").header("Cookie", purse.cookie()).header("X-CSRF-Token", value);
        world.is_ok(from_a_page(ask))
    }),
    lock("form's token", |world, purse, value| world.opens_the_form(&purse.all["form's cookie"], value)),
    lock("form's cookie", |world, purse, value| world.opens_the_form(value, &purse.all["form's token"])),
];

const SESSION: &str = "/auth/api/v1/session";
const TOKEN: &str = "/auth/oauth/token";
const INTROSPECT: &str = "/auth/oauth/introspect";

struct World {
    scene: Scene,
    client: (String, String),
    /// Of another client, which has no secret.
    key: (String, Signer),
}

/// Secrets of one person and two programs, all of them good.
struct Purse {
    all: BTreeMap<&'static str, String>,
}

impl Purse {
    fn cookie(&self) -> String {
        format!("vestibule={}", self.all["session token"])
    }
}

impl World {
    fn of(scene: Scene) -> Self {
        let operator = &scene.vestibule.operator;
        (0..ACCOUNTS).for_each(|number| drop(operator.add_account(&account(number))));
        let add = |name: &str, more: &[&str]| -> Value {
            operator.json(&[&["client", "add", name, "--audience", "orders"], more].concat())
        };
        let text = |added: &Value, name: &str| added[name].as_str().unwrap().to_owned();
        let by_secret = add("by secret", &["--serves", "orders", "--exchange"]);
        let signer = Signer::generate("ES256");
        let keys = scene.vestibule.place.write("keys", &json!({"keys": [signer.public_jwk()]}).to_string());
        let by_key = add("by key", &["--jwks-file", keys.to_str().unwrap()]);
        let client = (text(&by_secret, "client_id"), text(&by_secret, "client_secret"));
        Self { client, key: (text(&by_key, "client_id"), signer), scene }
    }

    /// Signs in anew in every way there is.
    fn purse(&self) -> Purse {
        let (id, secret) = self.client.clone();
        let cookies = self.log_in(&json!({}));
        let program = self.log_in(&json!({"deliver": "body"})).json();
        let tokens = self.log_in(&json!({"mode": "token"})).json();
        let text = |json: &Value, name: &str| json[name].as_str().unwrap().to_owned();
        let page = self.send(Ask::get("/auth/login"));
        let form = page.text();
        let form = form.split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let url = format!("{}/orders/7", self.scene.origin);
        let vestibule = &self.scene.vestibule;
        let check = vestibule.check(|ask| ask.bearer(&text(&program, "session_token")), &url);
        let own = Ask::post(TOKEN).form(&[("grant_type", "client_credentials")]);
        let own = self.send(proven(own, &id, &secret)).json();
        let mut all = BTreeMap::from([
            ("access token", text(&tokens, "access_token")),
            ("client assertion", self.assertion()),
            ("client id", id),
            ("client secret", secret),
            ("client's JWT", text(&own, "access_token")),
            ("CSRF token", text(&cookies.json(), "csrf_token")),
            ("device mark", set(&cookies, "vestibule_device")),
            ("form's cookie", set(&page, "vestibule_pre")),
            ("form's token", form.to_owned()),
            ("password", PASSWORD.to_owned()),
            ("refresh token", text(&tokens, "refresh_token")),
            ("service's JWT", check.header("authorization").unwrap().replace("Bearer ", "")),
            ("session id", text(&program["session"], "id")),
            ("session token", set(&cookies, "vestibule")),
            ("session token of a program", text(&program, "session_token")),
        ]);
        // Whoever has one can encrypt it, to the only keys that we have: nothing here decrypts, and what is inside does not count.
        let published = self.send(Ask::get("/.well-known/jwks.json")).json();
        let sealer = Sealer::to(&published["keys"][0]);
        for (plain, encrypted) in [
            ("access token", "access token, encrypted"),
            ("client assertion", "client assertion, encrypted"),
            ("service's JWT", "service's JWT, encrypted"),
        ] {
            all.insert(encrypted, sealer.seal(&all[plain], "A256GCM"));
        }
        Purse { all }
    }

    fn log_in(&self, more: &Value) -> Answer {
        // One account may not sign in so often.
        let identifier = account(next() % ACCOUNTS);
        let mut body = json!({"identifier": identifier, "password": PASSWORD});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.send(from_elsewhere(Ask::post("/auth/api/v1/login")).json(&body));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// RFC 7523, as a client with a key proves itself.
    fn assertion(&self) -> String {
        let (id, signer) = &self.key;
        let part = |json: Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let claims = json!({
            "iss": id, "sub": id, "aud": self.scene.origin, "iat": now(), "exp": now() + 60,
            "jti": next().to_string(),
        });
        let signed = format!("{}.{}", part(json!({"alg": signer.algorithm()})), part(claims));
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signer.sign(signed.as_bytes())))
    }

    fn send(&self, ask: Ask) -> Answer {
        ask.send(self.scene.vestibule.public)
    }

    fn is_ok(&self, ask: Ask) -> bool {
        let answer = self.send(ask);
        assert!(matches!(answer.status, 200 | 400 | 401 | 403), "{answer:?}");
        answer.status == 200
    }

    fn grants(&self, ask: Ask, form: &[(&str, &str)]) -> bool {
        self.is_ok(ask.form(form))
    }

    /// Whether the service that it was presented to hears that it is good.
    fn is_active(&self, value: &str) -> bool {
        let (id, secret) = &self.client;
        let answer = self.send(proven(Ask::post(INTROSPECT).form(&[("token", value)]), id, secret));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["active"].as_bool().unwrap()
    }

    /// Whether the service that it was presented to can go on in its holder's name (RFC 8693).
    fn trades(&self, kind: &str, value: &str) -> bool {
        let (id, secret) = &self.client;
        let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        let form = [grant, ("subject_token", value), ("subject_token_type", kind)];
        self.grants(proven(Ask::post(TOKEN), id, secret), &form)
    }

    /// The page asks for its CSRF token first, which the same cookie is good for.
    fn refreshes(&self, value: &str) -> bool {
        let own = self.send(from_a_page(with("vestibule_refresh", value, "/auth/api/v1/csrf")));
        if own.status != 200 {
            return false;
        }
        let token = own.json()["csrf_token"].as_str().unwrap().to_owned();
        let cookie = format!("vestibule_refresh={value}");
        let ask = Ask::post("/auth/api/v1/refresh").header("Cookie", cookie);
        self.is_ok(from_a_page(ask.header("X-CSRF-Token", token)))
    }

    /// It says yes to whatever it knows nothing of (RFC 7009 section 2.2), and names what it does not revoke: whether anything ended by it
    /// is what counts.
    fn revokes(&self, purse: &Purse, value: &str) -> bool {
        let answer = self.send(Ask::post("/auth/oauth/revoke").form(&[("token", value)]));
        let is_named = answer.status == 400 && answer.json()["error"] == "unsupported_token_type";
        assert!(answer.status == 200 || is_named, "{answer:?}");
        let bearers = ["access token", "session token of a program"].map(|kind| &purse.all[kind]);
        let by_cookie = Ask::get(SESSION).header("Cookie", purse.cookie());
        let verify = ["token", "verify", "--audience", "orders"];
        let operator: &Operator = &self.scene.vestibule.operator;
        operator.ok(&verify, &purse.all["client's JWT"]);
        !(bearers.iter().all(|bearer| self.is_ok(Ask::get(SESSION).bearer(bearer))) && self.is_ok(by_cookie))
    }

    /// Whether one gets in by the form.
    fn opens_the_form(&self, cookie: &str, token: &str) -> bool {
        let fields = [("csrf_token", token), ("identifier", ADA), ("password", PASSWORD)];
        let ask = Ask::post("/auth/login").header("Cookie", format!("vestibule_pre={cookie}")).form(&fields);
        let answer = self.send(from_elsewhere(from_a_page(ask)));
        assert!(matches!(answer.status, 303 | 403), "{answer:?}");
        answer.status == 303
    }
}

fn with(name: &str, value: &str, path: &str) -> Ask {
    Ask::get(path).header("Cookie", format!("{name}={value}"))
}

/// As a client with a secret proves itself.
fn proven(ask: Ask, id: &str, secret: &str) -> Ask {
    ask.header("Authorization", format!("Basic {}", BASE64.encode(format!("{id}:{secret}").as_bytes())))
}

fn from_a_page(ask: Ask) -> Ask {
    ask.header("Sec-Fetch-Site", "same-origin").header("Sec-Fetch-Mode", "cors")
}

/// The value of a cookie as it was set.
fn set(answer: &Answer, name: &str) -> String {
    let lines = answer.all("set-cookie");
    let value = lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.split(';').next());
    value.unwrap_or_else(|| panic!("no {name}: {answer:?}")).to_owned()
}

fn from_elsewhere(ask: Ask) -> Ask {
    let number = next();
    ask.header("X-Forwarded-For", format!("10.{}.{}.1", number >> 8 & 255, number & 255))
}

/// How many accounts share the sign-ins.
const ACCOUNTS: u64 = 7;

fn account(number: u64) -> String {
    format!("tester-{number}@example.com")
}

/// Never the same twice.
fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::SeqCst)
}
