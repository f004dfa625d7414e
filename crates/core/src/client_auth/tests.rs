use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use parking_lot::Mutex;
use serde_json::{Value, json};
use vestibule_verify::{Claims, VerifyingKey};

use super::*;
use crate::port::Page;
use crate::testing::{START, SetClock, pepper, run};

#[expect(dead_code, reason = "assertions are signed with asymmetric keys alone")]
#[path = "../../../../tests/forge/signer.rs"]
mod signer;

use signer::Signer;

/// As the signer asks for it.
fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

const ISSUER: &str = "https://app.test";

/// Clients and shown assertions in memory.
#[derive(Default)]
struct Shelf {
    clients: Mutex<HashMap<ClientId, Arc<Client>>>,
    shown: Mutex<Vec<ShownAssertion>>,
    is_full: AtomicBool,
    is_down: AtomicBool,
}

impl Shelf {
    fn answer(&self) -> Result<(), Fault> {
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(Fault::unavailable("the store", "it is down")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Clients for Shelf {
    async fn add(&self, client: Client) -> Result<(), Fault> {
        self.clients.lock().insert(client.id, Arc::new(client));
        Ok(())
    }

    async fn find(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        self.answer()?;
        Ok(self.clients.lock().get(id).map(Arc::clone))
    }

    async fn all(&self, _: Page) -> Result<Vec<Client>, Fault> {
        unimplemented!("not asked here")
    }

    async fn remove(&self, id: &ClientId) -> Result<bool, Fault> {
        self.answer()?;
        Ok(self.clients.lock().remove(id).is_some())
    }
}

#[async_trait]
impl OneTime for Shelf {
    async fn consume(&self, shown: ShownAssertion, _: Timestamp) -> Result<Consumed, Fault> {
        self.answer()?;
        let mut known = self.shown.lock();
        if known.iter().any(|other| (other.client, other.digest) == (shown.client, shown.digest)) {
            return Ok(Consumed::Again);
        }
        if self.is_full.load(Ordering::SeqCst) {
            return Ok(Consumed::Full);
        }
        known.push(shown);
        Ok(Consumed::First)
    }
}

struct Bench {
    shelf: Arc<Shelf>,
    revocations: Arc<RevocationView>,
    client_auth: ClientAuthenticator,
    /// Of the client with keys.
    signer: Signer,
}

fn bench() -> Bench {
    let (shelf, revocations) = (Arc::new(Shelf::default()), Arc::new(RevocationView::new()));
    let signer = Signer::generate("ES256");
    let key = VerifyingKey::from_jwk(&signer.public_jwk()).unwrap();
    run(shelf.add(client(1, ClientProof::Secret(secret().digest(&pepper()))))).unwrap();
    run(shelf.add(client(2, ClientProof::Keys(KeySet::new([key]).unwrap())))).unwrap();
    let client_auth = ClientAuthenticator::new(
        shelf.clone(),
        shelf.clone(),
        Arc::clone(&revocations),
        pepper(),
        ISSUER.to_owned(),
        SetClock::at_start(),
    );
    Bench { shelf, revocations, client_auth, signer }
}

fn client(number: u8, proof: ClientProof) -> Client {
    Client {
        id: id(number),
        name: format!("client {number}"),
        proof,
        audiences: vec!["orders".to_owned()],
        scopes: vec![],
        exchanges: false,
        serves: None,
        added_at: START,
    }
}

fn id(number: u8) -> ClientId {
    ClientId::from_bytes([number; 16])
}

fn secret() -> ClientSecret {
    ClientSecret::from_random([5; 32])
}

impl Bench {
    fn know(&self, shown: Shown<'_>) -> Result<ClientId, NotKnown> {
        match run(self.client_auth.know(shown, None)).unwrap() {
            Known::Client(client) => Ok(client.id),
            Known::Refused(not_known) => Err(not_known),
            Known::Throttled(wait) => panic!("to wait {wait:?}"),
        }
    }

    fn assertion(&self, of: u8, jti: &str) -> String {
        let name = id(of).to_string();
        let exp = START.unix_seconds() + 60;
        self.signed(&json!({ "iss": name, "sub": name, "aud": ISSUER, "exp": exp, "jti": jti }))
    }

    fn signed(&self, claims: &Value) -> String {
        let input = format!("{}.{}", base64(r#"{"alg":"ES256"}"#), base64(claims.to_string()));
        let signature = base64(self.signer.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }
}

fn refused(client: Option<u8>, why: WhyNotKnown) -> Result<ClientId, NotKnown> {
    Err(NotKnown { client: client.map(id), why })
}

#[test]
fn a_client_is_known_by_its_secret_and_by_nothing_near_it() {
    let bench = bench();
    let (one, two, nobody) = (id(1).to_string(), id(2).to_string(), id(9).to_string());
    let text = secret().reveal();
    let know = |client: &str, secret: &str| bench.know(Shown::Secret { client, secret });
    assert_eq!(know(&one, &text), Ok(id(1)));
    let other = ClientSecret::from_random([6; 32]).reveal();
    let digest = format!("vcs_{}", base64(secret().digest(&pepper()).bytes()));
    let (loud, longer) = (text.to_uppercase(), format!("{} ", *text));
    for wrong in ["", "vcs_", &other, &digest, &loud, &longer] {
        assert_eq!(know(&one, wrong), refused(Some(1), WhyNotKnown::Secret), "{wrong}");
    }
    assert_eq!(know(&two, &text), refused(Some(2), WhyNotKnown::OtherMethod));
    for unknown in [nobody.as_str(), "", "vestibule", &one.to_uppercase(), &one[3..]] {
        assert_eq!(know(unknown, &text), refused(None, WhyNotKnown::Unknown), "{unknown}");
    }
}

/// OA-03.
#[test]
fn a_client_is_known_by_an_assertion_once() {
    let bench = bench();
    let know = |client, jwt: &str| bench.know(Shown::Assertion { client, jwt });
    let (one, two) = (id(1).to_string(), id(2).to_string());
    let first = bench.assertion(2, "first");
    assert_eq!(know(None, &first), Ok(id(2)));
    assert_eq!(know(None, &first), refused(Some(2), WhyNotKnown::AssertionAgain));
    // By its name, not by its bytes: the same signed anew is the same.
    assert_eq!(know(None, &bench.assertion(2, "first")), refused(Some(2), WhyNotKnown::AssertionAgain));
    assert_eq!(know(Some(&two), &bench.assertion(2, "second")), Ok(id(2)));
    let third = bench.assertion(2, "third");
    assert_eq!(know(Some(&one), &third), refused(None, WhyNotKnown::OtherClient));
    assert_eq!(know(None, &third), Ok(id(2)), "what was refused before it was looked at is not used up");
    // Another client's name in it, by somebody who has a key, but not that one's.
    assert_eq!(know(None, &bench.assertion(1, "x")), refused(Some(1), WhyNotKnown::OtherMethod));
    assert_eq!(know(None, &bench.assertion(9, "x")), refused(None, WhyNotKnown::Unknown));
    let Err(NotKnown { client: None, why: WhyNotKnown::Assertion(_) }) = know(None, "x.y.z") else {
        panic!("what is none is none");
    };
    bench.shelf.is_full.store(true, Ordering::SeqCst);
    assert_eq!(know(None, &bench.assertion(2, "y")), refused(Some(2), WhyNotKnown::AssertionsTooMany));
    assert_eq!(bench.shelf.shown.lock().len(), 3);
    // Remembered for as long as it is taken, clocks that differ included, and a minute more.
    let taken_until = START.after(Duration::from_secs(60 + MAX_SKEW));
    assert_eq!(
        bench.shelf.shown.lock()[0].forget_after,
        taken_until.after(ShownAssertion::REMEMBERED_BEYOND)
    );
}

#[test]
fn an_assertion_for_somebody_else_uses_nothing_up() {
    let bench = bench();
    let name = id(2).to_string();
    let exp = START.unix_seconds() + 60;
    for aud in [json!("https://other.test"), json!([ISSUER]), json!(format!("{ISSUER}/auth/oauth/token"))] {
        let jwt = bench.signed(&json!({ "iss": name, "sub": name, "aud": aud, "exp": exp, "jti": "a" }));
        let judged = bench.know(Shown::Assertion { client: None, jwt: &jwt });
        assert!(matches!(judged, Err(NotKnown { why: WhyNotKnown::Assertion(_), .. })), "{judged:?}");
    }
    assert!(bench.shelf.shown.lock().is_empty());
}

#[test]
fn many_failures_are_answered_shortly_and_keep_nobody_out() {
    let bench = bench();
    let one = id(1).to_string();
    let text = secret().reveal();
    let wrong = Shown::Secret { client: &one, secret: "vcs_wrong" };
    let mut throttled = 0;
    for _ in 0..1000 {
        match run(bench.client_auth.know(wrong, None)).unwrap() {
            Known::Throttled(wait) => {
                assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
                throttled += 1;
            }
            Known::Refused(_) => {}
            Known::Client(_) => panic!("it is wrong"),
        }
    }
    assert_eq!(throttled, 1000 - 180);
    assert_eq!(bench.know(Shown::Secret { client: &one, secret: &text }), Ok(id(1)));
}

#[test]
fn what_cannot_be_told_is_no_no() {
    let bench = bench();
    bench.shelf.is_down.store(true, Ordering::SeqCst);
    let (one, text) = (id(1).to_string(), secret().reveal());
    assert!(run(bench.client_auth.know(Shown::Secret { client: &one, secret: &text }, None)).is_err());
    let assertion = bench.assertion(2, "a");
    assert!(run(bench.client_auth.know(Shown::Assertion { client: None, jwt: &assertion }, None)).is_err());
    assert!(run(bench.client_auth.remove(&id(1), Duration::from_secs(300))).is_err());
    assert!(bench.revocations.is_empty(), "what was not removed is not revoked");
}

#[test]
fn a_removed_client_is_nobody_and_what_it_holds_is_refused() {
    let bench = bench();
    let claims = |sub: &str, iat: u64| {
        let claims = json!({ "iss": ISSUER, "sub": sub, "aud": "orders", "exp": iat + 150, "iat": iat });
        Claims::parse(claims.to_string().as_bytes()).unwrap()
    };
    let (one, two) = (id(1).to_string(), id(2).to_string());
    let now = START.unix_seconds();
    assert!(!bench.revocations.is_revoked(&claims(&one, now - 30)));
    assert!(run(bench.client_auth.remove(&id(1), Duration::from_secs(300))).unwrap());
    assert!(bench.revocations.is_revoked(&claims(&one, now - 30)));
    assert!(bench.revocations.is_revoked(&claims(&one, now)), "signed in the same second");
    assert!(!bench.revocations.is_revoked(&claims(&two, now - 30)));
    bench.revocations.forget(now + 300);
    assert!(bench.revocations.is_revoked(&claims(&one, now - 30)), "one of its JWTs may still be in time");
    let shown = Shown::Secret { client: &one, secret: &secret().reveal() };
    assert_eq!(bench.know(shown), refused(None, WhyNotKnown::Unknown));
    assert!(!run(bench.client_auth.remove(&id(1), Duration::from_secs(300))).unwrap());
}
