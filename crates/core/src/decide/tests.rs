use std::sync::atomic::Ordering;
use std::time::Duration;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue};
use vestibule_verify::{Algorithm, RevocationView};

use super::*;
use crate::csrf::origin::Origin;
use crate::key::{KeyPurpose, KeyRecord, KeyRing, SealKey};
use crate::logout::Logout;
use crate::port::Ending;
use crate::principal::Assurance;
use crate::route::{Accept, Activity, AmbiguousPath, Case, Elsewhere, PathPattern};
use crate::session::{Device, Session, SessionKind, SessionToken};
use crate::testing::{START, SetClock, World, pepper, run};
use crate::token::HeaderEncoding;
use crate::wire::cookie::Https;

mod lifecycle;

struct Fixture {
    world: Arc<World>,
    clock: Arc<SetClock>,
    decider: Decider,
    token: SessionToken,
    ring: KeyRing,
    logout: Logout,
}

const SESSION: SessionId = SessionId::from_bytes([7; 16]);
/// Its holder has access tokens and a refresh token.
const FAMILY: SessionId = SessionId::from_bytes([8; 16]);
const SUBJECT: Subject = Subject::from_bytes([1; 16]);

fn route(path: &str, requirement: Requirement, csrf: CsrfPolicy) -> Route {
    Route {
        host: None,
        path: PathPattern::parse(path).unwrap(),
        case: Case::Fold,
        ambiguous_path: AmbiguousPath::Refuse,
        methods: Vec::new(),
        requirement,
        accept: Accept::DEFAULT,
        audience: Some("orders".into()),
        csrf,
        activity: Activity::Person,
        assertion_header: AUTHORIZATION,
        elsewhere: Elsewhere::default(),
        headers: Vec::new(),
        headers_encoding: HeaderEncoding::Drop,
        pass_headers: Vec::new(),
        upstream: None,
    }
}

fn session(token: &SessionToken) -> Session {
    Session {
        digest: token.digest(&pepper()),
        id: SESSION,
        subject: SUBJECT,
        version: 1,
        epoch: 1,
        kind: SessionKind::Browser,
        opened_at: START,
        proven_at: START,
        seen_at: START,
        issued_at: START,
        idle: Duration::from_secs(1800),
        ends_at: START.after(Duration::from_secs(43_200)),
        assurance: Assurance::Aal1,
        amr: crate::principal::Amr::PASSWORD,
        device: Device::new(None, ""),
    }
}

fn fixture() -> Fixture {
    let (world, clock, pepper) = (Arc::new(World::default()), SetClock::at_start(), pepper());
    let token = SessionToken::from_random([9; 32]);
    let session = session(&token);
    world.live.lock().insert(session.digest, Arc::new(LiveSession::new(&session)));
    let with_family = Session {
        id: FAMILY,
        digest: refresh_token::session_digest(FAMILY, &pepper),
        kind: SessionKind::Client,
        ..session
    };
    world.live.lock().insert(with_family.digest, Arc::new(LiveSession::new(&with_family)));
    let seal = SealKey::new(&[5; 32]).unwrap();
    let record = |purpose| KeyRecord::generate(purpose, Algorithm::Es256, &seal, [1; 12], START).unwrap();
    let ring = KeyRing::unseal(&KeyPurpose::ALL.map(record), &seal, 1, START).unwrap();
    let revocations = Arc::new(RevocationView::new());
    let edge = Verifier::new("https://app.test", "https://app.test", ring.edge(START).unwrap())
        .with_revocation(revocations.clone());
    let signed_in = Requirement::SignedIn(Assurance::Aal1);
    let cookie_only = Route {
        accept: Accept::NONE.with(crate::wire::CredentialKind::Reference, Transport::Cookie),
        ..route("/cookie-only/", signed_in, CsrfPolicy::Token)
    };
    let decider = Decider {
        routes: ArcSwap::from_pointee(RouteTable::new(vec![
            route("/", signed_in, CsrfPolicy::Token),
            route("/public/", Requirement::Public, CsrfPolicy::Token),
            route("/own-csrf/", signed_in, CsrfPolicy::Origin),
            route("/no-csrf/", signed_in, CsrfPolicy::Off),
            route("/strong/", Requirement::SignedIn(Assurance::Aal2), CsrfPolicy::Token),
            cookie_only,
            Route { activity: Activity::Background, ..route("/news/", signed_in, CsrfPolicy::Token) },
        ])),
        origins: ArcSwap::from_pointee(Origins::new(vec![Origin::parse("https://app.test").unwrap()])),
        sessions: world.clone(),
        pepper: pepper.clone(),
        csrf: Arc::new(CsrfTokens::new(pepper.clone(), [0; 16]).unwrap()),
        cookie: CookieName::session("vestibule", Https::Yes).unwrap(),
        access_cookie: None,
        edge: Arc::new(edge),
        clock: clock.clone(),
    };
    let logout = Logout {
        sessions: world.clone(),
        pepper,
        revocations,
        clock: clock.clone(),
        longest_jwt: Duration::from_secs(300),
    };
    Fixture { world, clock, decider, token, ring, logout }
}

impl Fixture {
    fn cookie(&self) -> (http::HeaderName, String) {
        (COOKIE, format!("__Host-Http-vestibule={}", self.token.reveal_cookie_value()))
    }

    fn bearer(&self) -> (http::HeaderName, String) {
        (AUTHORIZATION, format!("Bearer {}", self.token.reveal_bearer()))
    }

    fn jwt(&self, aud: &str) -> String {
        let now = self.decider.clock.now().unix_seconds();
        let claims = serde_json::json!({
            "iss": "https://app.test", "sub": SUBJECT.to_string(), "aud": aud, "exp": now + 120, "iat": now, "jti": "AAAA",
            "sid": FAMILY.to_string(), "client_id": "app", "auth_time": now, "amr": ["pwd"], "acr": "aal1",
        });
        self.ring.signer(KeyPurpose::Edge, START).unwrap().sign_jwt(&claims).unwrap()
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(http::HeaderName, String)],
    ) -> Result<Decision, Fault> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        run(self.decider.decide(&Inquiry {
            method: &method,
            host: "app.test",
            path,
            headers: &map,
            csrf_field: None,
        }))
    }

    fn verdict(&self, method: Method, path: &str, headers: &[(http::HeaderName, String)]) -> String {
        match self.ask(method, path, headers) {
            Ok(Decision::Permit(permit)) => {
                permit.principal().map_or("anonymous".into(), |_| "permit".into())
            }
            Ok(Decision::Challenge(challenge)) => format!("challenge {}", challenge.reject().detail()),
            Ok(Decision::Deny(deny)) => format!("deny {}", deny.reject().detail()),
            Err(fault) => format!("fault {}", fault.code()),
        }
    }
}

fn header(name: &'static str, value: &str) -> (http::HeaderName, String) {
    (http::HeaderName::from_static(name), value.to_owned())
}

#[test]
fn credentials_and_routes() {
    let fixture = fixture();
    let unknown = (
        COOKIE,
        format!("__Host-Http-vestibule={}", SessionToken::from_random([8; 32]).reveal_cookie_value()),
    );
    let jwt = header("authorization", &format!("Bearer {}", fixture.jwt("https://app.test")));
    let internal = header("authorization", &format!("Bearer {}", fixture.jwt("orders")));
    let cases = [
        ("/orders", vec![], "challenge no-credential"),
        ("/orders", vec![fixture.cookie()], "permit"),
        ("/orders", vec![fixture.bearer()], "permit"),
        ("/orders", vec![jwt.clone()], "permit"),
        // HX-04: what was minted for a service behind is no credential at the edge.
        ("/orders", vec![internal], "challenge claim-mismatch"),
        ("/orders", vec![unknown.clone()], "challenge session-unknown"),
        ("/orders", vec![fixture.cookie(), fixture.bearer()], "deny two-credentials"),
        ("/orders", vec![fixture.cookie(), jwt.clone()], "deny two-credentials"),
        ("/orders", vec![fixture.cookie(), unknown.clone()], "challenge cookie-ambiguous"),
        ("/orders", vec![header("authorization", "Basic YTpi")], "challenge scheme-unknown"),
        ("/cookie-only/", vec![fixture.bearer()], "challenge credential-not-accepted"),
        ("/strong/", vec![fixture.cookie()], "challenge credential-not-accepted"),
        ("/public/", vec![], "anonymous"),
        ("/public/", vec![fixture.cookie()], "permit"),
        ("/public/", vec![unknown], "anonymous"),
        ("/public/", vec![fixture.cookie(), fixture.bearer()], "deny two-credentials"),
        ("//orders", vec![fixture.cookie()], "deny path-ambiguous"),
        ("/a/%2e%2e/public/", vec![], "deny path-ambiguous"),
    ];
    for (path, headers, expected) in cases {
        assert_eq!(fixture.verdict(Method::GET, path, &headers), expected, "{path} {}", headers.len());
    }
    fixture.decider.routes.store(Arc::new(RouteTable::default()));
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[fixture.cookie()]), "deny no-route");
}

#[test]
fn unsafe_requests_with_an_ambient_credential_prove_their_page() {
    let fixture = fixture();
    let token = header("x-csrf-token", &fixture.decider.csrf.issue(Binding::Session(&SESSION), START));
    let foreign = header(
        "x-csrf-token",
        &fixture.decider.csrf.issue(Binding::Session(&SessionId::from_bytes([6; 16])), START),
    );
    let same = header("sec-fetch-site", "same-origin");
    let cross = header("sec-fetch-site", "cross-site");
    let post =
        |path: &str, headers: &[(http::HeaderName, String)]| fixture.verdict(Method::POST, path, headers);
    assert_eq!(post("/orders", &[fixture.cookie(), same.clone(), token.clone()]), "permit");
    assert_eq!(
        post("/orders", &[fixture.cookie(), header("origin", "https://app.test"), token.clone()]),
        "permit"
    );
    assert_eq!(post("/orders", &[fixture.cookie(), same.clone()]), "deny csrf-token");
    assert_eq!(post("/orders", &[fixture.cookie(), same.clone(), foreign]), "deny csrf-token");
    assert_eq!(
        post("/orders", &[fixture.cookie(), same.clone(), token.clone(), token.clone()]),
        "deny csrf-token"
    );
    assert_eq!(post("/orders", &[fixture.cookie(), token.clone()]), "deny csrf-origin");
    assert_eq!(post("/orders", &[fixture.cookie(), cross.clone(), token.clone()]), "deny csrf-origin");
    assert_eq!(post("/public/", &[fixture.cookie(), cross.clone()]), "deny csrf-origin");
    assert_eq!(post("/own-csrf/", &[fixture.cookie(), same.clone()]), "permit");
    assert_eq!(post("/own-csrf/", &[fixture.cookie(), cross.clone()]), "deny csrf-origin");
    assert_eq!(post("/no-csrf/", &[fixture.cookie(), cross.clone()]), "permit");
    // An explicit credential cannot be ridden.
    assert_eq!(post("/orders", &[fixture.bearer(), cross.clone()]), "permit");
    for safe in [Method::GET, Method::HEAD, Method::OPTIONS] {
        assert_eq!(fixture.verdict(safe, "/orders", &[fixture.cookie(), cross.clone()]), "permit");
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::from_bytes(b"PURGE").unwrap()] {
        assert_eq!(fixture.verdict(method, "/orders", &[fixture.cookie(), same.clone()]), "deny csrf-token");
    }
}

/// CS-07: another site's page may not open a WebSocket with our cookie, though the handshake is a GET.
#[test]
fn a_channel_is_opened_by_our_own_pages_only() {
    let fixture = fixture();
    let key = header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let upgrade = header("upgrade", "websocket");
    let ours = header("origin", "https://app.test");
    let evil = header("origin", "https://evil.app.test");
    let get = |headers: &[(http::HeaderName, String)]| fixture.verdict(Method::GET, "/orders", headers);
    for channel in [&key, &upgrade] {
        assert_eq!(get(&[fixture.cookie(), channel.clone(), ours.clone()]), "permit");
        assert_eq!(get(&[fixture.cookie(), channel.clone(), evil.clone()]), "deny csrf-origin");
        assert_eq!(get(&[fixture.cookie(), channel.clone()]), "deny csrf-origin");
        assert_eq!(get(&[fixture.bearer(), channel.clone(), evil.clone()]), "permit");
    }
}

#[test]
fn limits_end_sessions_and_refused_requests_keep_none_alive() {
    let fixture = fixture();
    let minute = Duration::from_secs(60);
    for _ in 0..29 {
        fixture.clock.advance(minute);
        assert_eq!(fixture.verdict(Method::POST, "/orders", &[fixture.cookie()]), "deny csrf-origin");
    }
    fixture.clock.advance(minute);
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[fixture.cookie()]), "challenge session-idle");
    fixture.clock.set(START);
    for _ in 0..720 {
        assert_eq!(fixture.verdict(Method::GET, "/orders", &[fixture.cookie()]), "permit");
        fixture.clock.advance(minute);
    }
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[fixture.cookie()]), "challenge session-ended");
    assert_eq!(fixture.world.noted.load(Ordering::SeqCst), 719);
}

/// An access token lives for minutes, its session for as long as it is used, and no longer.
#[test]
fn an_access_token_is_worth_what_its_session_is() {
    let fixture = fixture();
    let jwt = || header("authorization", &format!("Bearer {}", fixture.jwt("https://app.test")));
    let get = |path: &str| fixture.verdict(Method::GET, path, &[jwt()]);
    for _ in 0..40 {
        fixture.clock.advance(Duration::from_secs(1790));
        assert_eq!(
            get("/orders"),
            if fixture.clock.now() < START.after(Duration::from_secs(43_200)) {
                "permit"
            } else {
                "challenge session-ended"
            }
        );
    }
    fixture.clock.set(START);
    let cold = jwt();
    fixture.world.is_cold.store(true, Ordering::SeqCst);
    assert_eq!(fixture.verdict(Method::GET, "/orders", std::slice::from_ref(&cold)), "permit");
    fixture.world.is_down.store(true, Ordering::SeqCst);
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[cold]), "fault unavailable");
}

#[test]
fn ending_the_session_ends_everything_at_once() {
    let fixture = fixture();
    let jwt = header("authorization", &format!("Bearer {}", fixture.jwt("https://app.test")));
    assert_eq!(fixture.verdict(Method::GET, "/orders", std::slice::from_ref(&jwt)), "permit");
    assert_eq!(run(fixture.logout.presented(&fixture.token)).unwrap(), vec![SESSION]);
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[fixture.cookie()]), "challenge session-unknown");
    assert_eq!(run(fixture.logout.presented(&fixture.token)).unwrap(), vec![]);
    // That was another session than the JWT's.
    assert_eq!(fixture.verdict(Method::GET, "/orders", std::slice::from_ref(&jwt)), "permit");
    let ending = Ending::Presented(refresh_token::session_digest(FAMILY, &pepper()));
    assert_eq!(run(fixture.world.end(ending)).unwrap(), vec![FAMILY]);
    assert_eq!(
        fixture.verdict(Method::GET, "/orders", std::slice::from_ref(&jwt)),
        "challenge session-unknown"
    );
    fixture.logout.revoke(&[FAMILY]);
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[jwt]), "challenge revoked");
}

/// GW-08: what cannot be told is a fault, even where a stranger would pass.
#[test]
fn a_store_that_is_down_is_a_fault() {
    let fixture = fixture();
    fixture.world.is_cold.store(true, Ordering::SeqCst);
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[fixture.cookie()]), "permit");
    fixture.world.is_down.store(true, Ordering::SeqCst);
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[fixture.cookie()]), "fault unavailable");
    assert_eq!(fixture.verdict(Method::GET, "/public/", &[fixture.cookie()]), "fault unavailable");
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[]), "challenge no-credential");
}

#[test]
fn warm_credentials_reach_no_store() {
    let fixture = fixture();
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[fixture.cookie()]), "permit");
    assert_eq!(fixture.world.store_reads.load(Ordering::SeqCst), 0);
}

/// CK-05: what is not in the form that we issue is looked up nowhere, even where memory knows nothing and every look goes to the store.
#[test]
fn malformed_credentials_reach_no_store() {
    let fixture = fixture();
    fixture.world.is_cold.store(true, Ordering::SeqCst);
    let reads = || fixture.world.store_reads.load(Ordering::SeqCst);
    let good = SessionToken::from_random([8; 32]);
    let (cookie, bearer) = (good.reveal_cookie_value(), good.reveal_bearer());
    assert_eq!(
        cookie.as_bytes().last(),
        Some(&b'g'),
        "the last of 43 characters has two bits that are nobody's"
    );
    let not_canonical = format!("{}h", cookie.strip_suffix('g').unwrap());
    let injected =
        ["' OR 1=1 --", "1; DROP TABLE sessions", "*", "%00", "%0d%0aSet-Cookie:%20a=b", "../../x"];
    let mut values = injected.map(|text| format!("{text}{}", &cookie[text.len()..])).to_vec();
    values.extend(injected.map(str::to_owned));
    values.extend([
        String::new(),
        cookie[1..].to_owned(),
        format!("{cookie}A"),
        format!("{cookie}="),
        format!(" {cookie}"),
        format!("{cookie}\t"),
        format!("\"{cookie}\""),
        cookie.replacen('C', "+", 1),
        cookie.replacen('C', "/", 1),
        cookie.replacen('C', "\u{e4}", 1),
        not_canonical,
        bearer.clone(),
        "A".repeat(4000),
    ]);
    for value in &values {
        let verdict =
            fixture.verdict(Method::GET, "/orders", &[(COOKIE, format!("__Host-Http-vestibule={value}"))]);
        assert_eq!((&*verdict, reads()), ("challenge credential-malformed", 0), "{value:?}");
    }
    // A program's has check characters, too.
    let mistyped =
        format!("{}{}", &bearer[..bearer.len() - 1], if bearer.ends_with('A') { 'B' } else { 'A' });
    for value in
        [mistyped, bearer[..bearer.len() - 1].to_owned(), format!("{bearer}A"), format!("vst_{cookie}")]
    {
        let verdict =
            fixture.verdict(Method::GET, "/orders", &[header("authorization", &format!("Bearer {value}"))]);
        assert_eq!((&*verdict, reads()), ("challenge credential-malformed", 0), "{value:?}");
    }
    // The control: what is in form is looked for.
    let unknown = (COOKIE, format!("__Host-Http-vestibule={cookie}"));
    assert_eq!(fixture.verdict(Method::GET, "/orders", &[unknown]), "challenge session-unknown");
    assert_eq!(reads(), 1);
}

/// SS-10: how much a proof was worth is what the session or the signed JWT says of it. No request can ask for more.
#[test]
fn a_wish_for_more_assurance_is_no_proof() {
    let fixture = fixture();
    let strong = SessionToken::from_random([4; 32]);
    let session = Session { assurance: Assurance::Aal2, ..session(&strong) };
    fixture.world.live.lock().insert(session.digest, Arc::new(LiveSession::new(&session)));
    let bearer = |credential: &str| header("authorization", &format!("Bearer {credential}"));
    let jwt = fixture.jwt("https://app.test");
    let raised = {
        let parts: Vec<&str> = jwt.split('.').collect();
        let claims = data_encoding::BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap();
        let claims = String::from_utf8(claims).unwrap().replace("\"aal1\"", "\"aal2\"");
        format!("{}.{}.{}", parts[0], data_encoding::BASE64URL_NOPAD.encode(claims.as_bytes()), parts[2])
    };
    let wishes = [
        header("acr", "aal2"),
        header("acr-values", "aal2"),
        header("x-auth-acr", "aal2"),
        header("x-auth-assurance", "2"),
        header("x-forwarded-acr", "aal2"),
        header("claims", "{\"id_token\":{\"acr\":{\"essential\":true,\"values\":[\"aal2\"]}}}"),
        (COOKIE, "acr=aal2; assurance=2".to_owned()),
    ];
    let get = |path: &str, credential: &(http::HeaderName, String), wished: bool| {
        let wishes = if wished { &wishes[..] } else { &[] };
        fixture.verdict(Method::GET, path, &[std::slice::from_ref(credential), wishes].concat())
    };
    let own = (COOKIE, format!("__Host-Http-vestibule={}", strong.reveal_cookie_value()));
    let refused = "challenge credential-not-accepted";
    for (what, credential, plain, step_up) in [
        ("one factor", fixture.cookie(), "permit", refused),
        ("one factor, a program's", fixture.bearer(), "permit", refused),
        ("one factor, by JWT", bearer(&jwt), "permit", refused),
        ("a JWT with a claim of its holder's", bearer(&raised), "challenge signature", "challenge signature"),
        ("two factors", own, "permit", "permit"),
    ] {
        for wished in [false, true] {
            assert_eq!(get("/orders", &credential, wished), plain, "{what}, wished for: {wished}");
            assert_eq!(get("/strong/", &credential, wished), step_up, "{what}, wished for: {wished}");
        }
    }
    let Ok(Decision::Permit(permit)) =
        fixture.ask(Method::GET, "/orders", &[&[fixture.cookie()][..], &wishes].concat())
    else {
        panic!("a live session passes, whatever is wished");
    };
    assert_eq!(permit.principal().unwrap().assurance, Assurance::Aal1);
}

#[test]
fn a_trace_tells_the_way_a_decision_went() {
    let fixture = fixture();
    let mut headers = HeaderMap::new();
    let (name, value) = fixture.cookie();
    headers.insert(name, HeaderValue::from_str(&value).unwrap());
    let inquiry = Inquiry {
        method: &Method::GET,
        host: "app.test",
        path: "/orders",
        headers: &headers,
        csrf_field: None,
    };
    let mut trace = Trace::on();
    assert!(matches!(run(fixture.decider.decide_traced(&inquiry, &mut trace)), Ok(Decision::Permit(_))));
    assert!(matches!(
        trace.steps(),
        [
            Step::Route { .. },
            Step::Presented { .. },
            Step::Session { id: SESSION, warm: true, .. },
            Step::Permitted { subject: Some(SUBJECT) }
        ]
    ));
}
