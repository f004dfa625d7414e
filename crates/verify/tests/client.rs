//! An issuer's keys over real HTTP on loopback: found, kept fresh, kept for a while when the issuer is silent, and never believed when
//! they are not what was asked for.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;
#[path = "common/issuer.rs"]
mod issuer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{AUDIENCE, Forge};
use issuer::{Answer, Issuer, KEYS, METADATA, Pace};
use serde_json::{Value, json};
use vestibule_verify::client::{Discovery, DiscoveryFault};
use vestibule_verify::{KeyReject, Reject, Verifier};

const fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

/// As it comes, but impatient.
fn discovery(issuer: &Issuer) -> Discovery {
    Discovery::new(&issuer.url, AUDIENCE).unwrap().with_timeout(millis(500))
}

/// It asks all the time.
fn restless(issuer: &Issuer) -> Discovery {
    discovery(issuer).with_freshness(millis(40), millis(80))
}

async fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "still not so: {what}");
        tokio::time::sleep(millis(5)).await;
    }
}

fn issuer_with(algorithm: &str) -> (Issuer, Forge) {
    let issuer = Issuer::silent();
    let forge = issuer.forge(algorithm);
    issuer.answer(METADATA, Answer::json(&issuer.metadata()));
    issuer.publish(&[&forge]);
    (issuer, forge)
}

async fn fault(discovery: Discovery) -> DiscoveryFault {
    match discovery.ready().await {
        Ok(_) => panic!("keys were found"),
        Err(fault) => fault,
    }
}

#[tokio::test]
async fn keys_are_found_by_the_issuers_metadata() {
    let (issuer, forge) = issuer_with("ES256");
    let verifier = Verifier::discover(&issuer.url, AUDIENCE).await.unwrap();
    assert_eq!(verifier.verify(&forge.control()).unwrap().sub(), forge.claims["sub"].as_str().unwrap());
    assert_eq!(verifier.discovery_fault(), None);
    // The other settings are made as ever, and do not lose the keys.
    let verifier = verifier.with_skew(0).with_cache_capacity(0);
    verifier.verify_asking(&forge.control()).await.unwrap();
    let other = verifier.with_typ("JWT");
    assert_eq!(other.verify(&forge.control()).unwrap_err().code(), "header-mismatch");

    let asked = issuer.asked();
    assert_eq!(asked.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), [METADATA, KEYS]);
    for asked in asked {
        assert!(asked.head.contains("accept: application/"), "{}", asked.head);
        assert!(!asked.head.contains("cookie:") && !asked.head.contains("authorization:"), "{}", asked.head);
    }
}

#[tokio::test]
async fn an_issuer_with_a_path_has_its_metadata_between_host_and_path() {
    let issuer = Issuer::silent();
    let tenant = issuer.at("/tenant");
    let metadata = json!({ "issuer": tenant, "jwks_uri": issuer.at("/tenant/keys") });
    issuer.answer("/.well-known/oauth-authorization-server/tenant", Answer::json(&metadata));
    let forge = issuer::current(&tenant, common::forge("EdDSA"));
    issuer.answer(
        "/tenant/keys",
        Answer::of("application/jwk-set+json; charset=utf-8", common::jwks(&[&forge]).to_string()),
    );
    let verifier = Verifier::discover(&tenant, AUDIENCE).await.unwrap();
    verifier.verify(&forge.control()).unwrap();
}

#[tokio::test]
async fn a_set_is_asked_for_again_ahead_of_its_end_and_not_sent_again_when_it_is_the_same() {
    let (issuer, forge) = issuer_with("ES256");
    let verifier = restless(&issuer).ready().await.unwrap();
    wait_until("asked four times", || issuer.times(KEYS) >= 4).await;
    verifier.verify(&forge.control()).unwrap();
    let asked: Vec<_> = issuer.asked().into_iter().filter(|it| it.path == KEYS).collect();
    let is_conditional: Vec<bool> = asked.iter().map(|it| it.head.contains("if-none-match: \"")).collect();
    assert!(!is_conditional.first().unwrap() && is_conditional.iter().skip(1).all(|it| *it), "{asked:?}");
    // The way to the keys is known.
    assert_eq!(issuer.times(METADATA), 1);
    assert_eq!(verifier.discovery_fault(), None);

    drop(verifier);
    tokio::time::sleep(millis(300)).await;
    let until_now = issuer.times(KEYS);
    tokio::time::sleep(millis(300)).await;
    assert_eq!(issuer.times(KEYS), until_now, "a verifier that is gone still asks");
}

#[tokio::test]
async fn the_max_age_of_the_answer_counts_within_its_bounds() {
    for (cache, expected) in [("max-age=300", 1), ("no-store", 2), ("max-age=0", 2), ("max-age=1, public", 2)]
    {
        let (issuer, forge) = issuer_with("ES256");
        let keys = Answer::json(&common::jwks(&[&forge])).with("cache-control", cache);
        issuer.answer(KEYS, keys);
        let discovery = discovery(&issuer).with_freshness(millis(400), Duration::from_secs(3600));
        let _verifier = discovery.ready().await.unwrap();
        if expected == 1 {
            tokio::time::sleep(millis(600)).await;
            assert_eq!(issuer.times(KEYS), 1, "{cache}");
            continue;
        }
        wait_until(cache, || issuer.times(KEYS) >= expected).await;
        let asked: Vec<_> = issuer.asked().into_iter().filter(|it| it.path == KEYS).collect();
        let pause = asked[1].at - asked[0].at;
        // Three to four fifths of the least; whoever is asked may be late to notice.
        assert!(pause > millis(150), "{cache}: again after {pause:?}");
    }
}

/// KM-02: keys that are published before they sign, and stay until their tokens are gone, are never unknown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_rotations_go_by_without_one_refusal() {
    let issuer = Issuer::silent();
    let mut signing = Arc::new(issuer.forge("ES256"));
    issuer.answer(METADATA, Answer::json(&issuer.metadata()));
    issuer.publish(&[&signing]);
    let verifier = Arc::new(restless(&issuer).ready().await.unwrap());
    let (end, verified) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let current = Arc::new(std::sync::Mutex::new(signing.control()));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (verifier, end) = (Arc::clone(&verifier), Arc::clone(&end));
            let (verified, current) = (Arc::clone(&verified), Arc::clone(&current));
            tokio::spawn(async move {
                while !end.load(Ordering::Acquire) {
                    let jwt = current.lock().unwrap().clone();
                    // Not even `verify_asking`: nobody waits for a rotation.
                    verifier.verify(&jwt).unwrap();
                    verified.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(millis(1)).await;
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let next = Arc::new(issuer.forge("ES256"));
        let ahead = issuer.times(KEYS);
        issuer.publish(&[&signing, &next]);
        wait_until("published ahead", || issuer.times(KEYS) >= ahead + 3).await;
        *current.lock().unwrap() = next.control();
        tokio::time::sleep(millis(20)).await;
        issuer.publish(&[&next]);
        let after = issuer.times(KEYS);
        wait_until("the old one is gone", || issuer.times(KEYS) >= after + 3).await;
        assert_eq!(verifier.verify(&signing.control()).unwrap_err(), Reject::KeyUnknown);
        signing = next;
    }
    end.store(true, Ordering::Release);
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(verified.load(Ordering::Relaxed) > 1000, "{verified:?} verifications");
}

#[tokio::test]
async fn a_key_that_nobody_announced_is_asked_for_at_its_first_sight() {
    let (issuer, _) = issuer_with("ES256");
    let verifier = discovery(&issuer).ready().await.unwrap();
    let sudden = issuer.forge("ES256");
    issuer.publish(&[&sudden]);
    // At once it is unknown; but the question is on its way.
    assert_eq!(verifier.verify(&sudden.control()).unwrap_err(), Reject::KeyUnknown);
    verifier.verify_asking(&sudden.control()).await.unwrap();
    assert_eq!(issuer.times(KEYS), 2);
    verifier.verify(&sudden.control()).unwrap();
}

/// KM-05.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_made_up_keys_asks_once_per_interval() {
    let (issuer, forge) = issuer_with("ES256");
    let interval = millis(400);
    let verifier = Arc::new(discovery(&issuer).with_unknown_key_interval(interval).ready().await.unwrap());
    let began = Instant::now();
    let floods: Vec<_> = (0..8)
        .map(|flood| {
            let verifier = Arc::clone(&verifier);
            let mut forge = issuer.forge("EdDSA");
            tokio::spawn(async move {
                let mut refused = 0;
                while began.elapsed() < millis(1000) {
                    forge.key_id = format!("{flood}-{refused}");
                    let made_up = forge.control();
                    assert_eq!(verifier.verify_asking(&made_up).await.unwrap_err(), Reject::KeyUnknown);
                    refused += 1;
                }
                refused
            })
        })
        .collect();
    let mut refused = 0;
    for flood in floods {
        refused += flood.await.unwrap();
        verifier.verify(&forge.control()).unwrap();
    }
    // The first, and one for each interval since.
    let asked = issuer.times(KEYS) - 1;
    let most = 1 + (began.elapsed().as_millis() / interval.as_millis()) as usize;
    assert!(refused > 50, "{refused}");
    assert!((2..=most).contains(&asked), "asked {asked} times for {refused} made-up keys, not {most}");
}

/// An issuer that is down stops nobody at once, and cannot be believed for ever.
#[tokio::test]
async fn the_last_good_set_is_kept_up_to_a_bound_and_then_nobody_can_tell() {
    let (issuer, forge) = issuer_with("ES256");
    let bound = millis(2000);
    let verifier = restless(&issuer).with_max_staleness(bound).ready().await.unwrap();
    verifier.verify(&forge.control()).unwrap();
    wait_until("renewed", || issuer.times(KEYS) >= 3).await;
    issuer.set_down(true);
    let began = Instant::now();
    wait_until("noticed", || verifier.discovery_fault().is_some()).await;
    while began.elapsed() < bound / 4 {
        verifier.verify(&forge.control()).unwrap();
        assert!(verifier.has_keys());
        tokio::time::sleep(millis(10)).await;
    }
    wait_until("too old", || !verifier.has_keys()).await;
    assert!(began.elapsed() < bound * 2, "{:?}", began.elapsed());
    assert!(matches!(verifier.discovery_fault().as_deref(), Some(DiscoveryFault::Unreachable { .. })));
    // Not even what was verified before, and is remembered.
    assert_eq!(verifier.verify(&forge.control()).unwrap_err(), Reject::KeyUnknown);
    assert_eq!(verifier.verify_asking(&forge.control()).await.unwrap_err(), Reject::KeyUnknown);
    assert!(verifier.keys().is_empty());

    issuer.set_down(false);
    wait_until("there again", || verifier.has_keys()).await;
    verifier.verify(&forge.control()).unwrap();
    assert_eq!(verifier.discovery_fault(), None);
}

#[tokio::test]
async fn nonsense_counts_as_silence_and_an_empty_set_as_a_withdrawal() {
    let (issuer, forge) = issuer_with("ES256");
    let verifier = restless(&issuer).ready().await.unwrap();
    for nonsense in [
        Answer::status(500),
        Answer::status(404),
        Answer::json(&json!({ "keys": "none" })),
        Answer::of("text/html", "<h1>Down for maintenance</h1>"),
        Answer::json(
            &json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "short" }] }),
        ),
    ] {
        issuer.answer(KEYS, nonsense);
        wait_until("noticed", || verifier.discovery_fault().is_some()).await;
        verifier.verify(&forge.control()).unwrap();
        issuer.publish(&[&forge]);
        wait_until("good again", || verifier.discovery_fault().is_none()).await;
    }
    issuer.answer(KEYS, Answer::json(&json!({ "keys": [] })));
    wait_until("withdrawn", || !verifier.has_keys()).await;
    assert_eq!(verifier.verify(&forge.control()).unwrap_err(), Reject::KeyUnknown);
    assert_eq!(verifier.discovery_fault(), None);
}

/// However long it says that it may be kept, nobody waits that long for keys.
#[tokio::test]
async fn an_empty_set_is_looked_at_again_soon() {
    let (issuer, forge) = issuer_with("ES256");
    issuer.answer(KEYS, Answer::json(&common::jwks(&[&forge])).with("cache-control", "no-store"));
    let discovery = discovery(&issuer).with_freshness(millis(300), Duration::from_secs(3600));
    let verifier = discovery.ready().await.unwrap();
    issuer.answer(KEYS, Answer::json(&json!({ "keys": [] })).with("cache-control", "max-age=3600"));
    wait_until("withdrawn", || !verifier.has_keys()).await;
    issuer.publish(&[&forge]);
    wait_until("there again", || verifier.has_keys()).await;
    verifier.verify(&forge.control()).unwrap();
}

#[tokio::test]
async fn keys_that_moved_are_found_again_by_the_metadata() {
    let (issuer, forge) = issuer_with("ES256");
    let verifier = restless(&issuer).ready().await.unwrap();
    let next = issuer.forge("EdDSA");
    issuer.answer(KEYS, Answer::status(404));
    issuer.answer("/elsewhere", Answer::json(&common::jwks(&[&forge, &next])));
    issuer.answer(
        METADATA,
        Answer::json(&json!({ "issuer": issuer.url, "jwks_uri": issuer.at("/elsewhere") })),
    );
    wait_until("found", || verifier.verify(&next.control()).is_ok()).await;
}

#[tokio::test]
async fn a_verifier_may_be_there_before_its_issuer() {
    let (issuer, forge) = issuer_with("ES256");
    issuer.set_down(true);
    let discovery_of = || discovery(&issuer).with_freshness(millis(300), Duration::from_secs(3600));
    let verifier = discovery_of().start().unwrap();
    assert!(!verifier.has_keys());
    assert_eq!(verifier.verify_asking(&forge.control()).await.unwrap_err(), Reject::KeyUnknown);
    wait_until("noticed", || verifier.discovery_fault().is_some()).await;
    issuer.set_down(false);
    wait_until("there", || verifier.has_keys()).await;
    verifier.verify(&forge.control()).unwrap();

    // Nor has asking for any keys used up the one question about unknown ones.
    let sudden = issuer.forge("ES256");
    issuer.publish(&[&forge, &sudden]);
    verifier.verify_asking(&sudden.control()).await.unwrap();

    // The first to ask waits for the first keys.
    let verifier = discovery(&issuer).start().unwrap();
    verifier.verify_asking(&forge.control()).await.unwrap();
}

#[tokio::test]
async fn an_issuer_known_inside_by_another_name_needs_no_metadata() {
    let issuer = Issuer::silent();
    let public = "https://app.example.com";
    let forge = issuer::current(public, common::forge("ES256"));
    issuer.publish(&[&forge]);
    let discovery = Discovery::new(public, AUDIENCE).unwrap().with_key_set_at(&issuer.at(KEYS)).unwrap();
    let verifier = discovery.ready().await.unwrap();
    verifier.verify(&forge.control()).unwrap();
    assert_eq!(issuer.times(METADATA), 0);
}

/// OA-02: whoever answers for another issuer is not believed, and not asked for its keys.
#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    let (issuer, _) = issuer_with("ES256");
    let named = |name: Value| json!({ "issuer": name, "jwks_uri": issuer.at(KEYS) }).to_string();
    let mismatched = [
        named(json!("https://app.example.com")),
        named(json!(format!("{}/", issuer.url))),
        named(json!(issuer.url.to_uppercase())),
        named(json!("")),
    ];
    let malformed = [
        named(json!([issuer.url])),
        named(json!(null)),
        json!({ "jwks_uri": issuer.at(KEYS) }).to_string(),
        json!({ "issuer": issuer.url }).to_string(),
        json!({ "issuer": issuer.url, "jwks_uri": [issuer.at(KEYS)] }).to_string(),
        format!(r#"{{"issuer":"https://other","issuer":"{}","jwks_uri":"{}"}}"#, issuer.url, issuer.at(KEYS)),
        format!("{}{}", named(json!(issuer.url)), " x"),
        "[]".to_owned(),
        String::new(),
    ];
    for text in mismatched {
        issuer.answer(METADATA, Answer::of("application/json", text.clone()));
        let fault = fault(discovery(&issuer)).await;
        assert!(matches!(fault, DiscoveryFault::IssuerMismatch { .. }), "{text}: {fault}");
    }
    for text in malformed {
        issuer.answer(METADATA, Answer::of("application/json", text.clone()));
        let fault = fault(discovery(&issuer)).await;
        assert!(matches!(fault, DiscoveryFault::Metadata { .. }), "{text}: {fault}");
    }
    assert_eq!(issuer.times(KEYS), 0);
}

#[tokio::test]
async fn keys_come_by_https_except_from_this_machine() {
    for issuer in [
        "http://app.example.com",
        "http://10.0.0.1",
        "ftp://127.0.0.1",
        "app.example.com",
        "https://a@b.example",
    ] {
        let refused = Discovery::new(issuer, AUDIENCE).err();
        assert!(matches!(refused, Some(DiscoveryFault::Url { .. })), "{issuer}: {refused:?}");
    }
    let (issuer, _) = issuer_with("ES256");
    for keys in ["http://app.example.com/jwks", "//app.example.com/jwks", "/jwks", "file:///etc/jwks"] {
        assert!(discovery(&issuer).with_key_set_at(keys).is_err(), "{keys}");
        issuer.answer(METADATA, Answer::json(&json!({ "issuer": issuer.url, "jwks_uri": keys })));
        let fault = fault(discovery(&issuer)).await;
        assert!(matches!(fault, DiscoveryFault::Url { .. }), "{keys}: {fault}");
    }
    // Nor is https ever given up for something that answers.
    let tls = issuer.url.replace("http://", "https://");
    let fault = fault(Discovery::new(&tls, AUDIENCE).unwrap()).await;
    assert!(matches!(fault, DiscoveryFault::Unreachable { .. }), "{fault}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (issuer, _) = issuer_with("ES256");
    let (elsewhere, _) = issuer_with("ES256");
    for path in [METADATA, KEYS] {
        for status in [301, 302, 303, 307, 308] {
            issuer.answer(METADATA, Answer::json(&issuer.metadata()));
            issuer.answer(path, Answer::status(status).with("location", &elsewhere.at(path)));
            let fault = fault(discovery(&issuer)).await;
            assert_eq!(fault, DiscoveryFault::Status { url: issuer.at(path), status }, "{fault}");
        }
    }
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn answers_that_are_too_large_too_slow_or_of_another_kind_are_refused() {
    let (issuer, forge) = issuer_with("ES256");
    let keys = common::jwks(&[&forge]);
    let mut large = keys.clone();
    large["padding"] = json!("x".repeat(256 * 1024));
    let url = || issuer.at(KEYS);
    let kind =
        || DiscoveryFault::ContentType { url: url(), wanted: "application/jwk-set+json, application/json" };
    let cases = [
        (Answer::json(&large), DiscoveryFault::TooLarge { url: url() }),
        (Answer::json(&large).at(Pace::Chunked), DiscoveryFault::TooLarge { url: url() }),
        (Answer::json(&keys).at(Pace::Trickling), DiscoveryFault::Timeout { url: url() }),
        (Answer::json(&keys).at(Pace::Silent), DiscoveryFault::Timeout { url: url() }),
        (Answer::of("text/html", keys.to_string()), kind()),
        (Answer::of("application/jwt", keys.to_string()), kind()),
        (Answer::json(&keys).with("content-type", "text/html"), kind()),
        (Answer::json(&keys).with("content-encoding", "gzip"), kind()),
        (Answer { headers: Vec::new(), ..Answer::json(&keys) }, kind()),
        (Answer { status: 203, ..Answer::json(&keys) }, DiscoveryFault::Status { url: url(), status: 203 }),
        (Answer::status(304), DiscoveryFault::Status { url: url(), status: 304 }),
        (Answer::status(503), DiscoveryFault::Status { url: url(), status: 503 }),
        (
            Answer::json(&json!({ "keys": [] })),
            DiscoveryFault::Keys { url: url(), reject: KeyReject::NoUsableKey },
        ),
    ];
    for (answer, expected) in cases {
        issuer.answer(KEYS, answer);
        assert_eq!(fault(discovery(&issuer)).await, expected);
    }
    // The same as ever otherwise: chunks are no crime.
    issuer.answer(KEYS, Answer::json(&keys).at(Pace::Chunked));
    discovery(&issuer).ready().await.unwrap();
}

/// JW-14, by wire: what a set may not have, it may not have here.
#[tokio::test]
async fn a_set_with_a_private_key_or_a_secret_or_a_name_twice_is_refused() {
    let (issuer, forge) = issuer_with("ES256");
    let good = common::jwks(&[&forge]);
    let (mut private, mut twice) = (good.clone(), good.clone());
    private["keys"][0]["d"] = json!("AAAA");
    let first = good["keys"][0].clone();
    twice["keys"].as_array_mut().unwrap().push(first);
    let secret = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U", "kid": "s", "alg": "HS256" }] });
    let cases = [
        (private, KeyReject::PrivateMaterial),
        (twice, KeyReject::KeyIdDuplicate),
        (secret, KeyReject::Symmetric),
    ];
    for (set, reject) in cases {
        issuer.answer(KEYS, Answer::json(&set));
        assert_eq!(fault(discovery(&issuer)).await, DiscoveryFault::Keys { url: issuer.at(KEYS), reject });
    }
}

/// RFC 7517 section 5, by wire: one odd key costs nobody the others, and the verifier says which it is.
#[tokio::test]
async fn one_odd_key_of_a_set_is_left_out_and_named() {
    let (issuer, forge) = issuer_with("ES256");
    let mut set = common::jwks(&[&forge]);
    let odd = json!({"kty": "RSA", "alg": "RS256", "kid": "odd", "n": "AQAB", "e": "AQAB"});
    set["keys"].as_array_mut().unwrap().push(odd);
    issuer.answer(KEYS, Answer::json(&set));
    let verifier = discovery(&issuer).ready().await.unwrap();
    verifier.verify(&forge.control()).unwrap();
    let keys = verifier.keys();
    let named: Vec<_> = keys.left_out().iter().map(|it| (it.key_id.as_deref(), it.reject)).collect();
    assert_eq!(named, [(Some("odd"), KeyReject::RsaTooSmall)]);
}

#[test]
fn without_a_runtime_there_is_nobody_to_keep_the_keys() {
    let discovery = Discovery::new("https://app.example.com", AUDIENCE).unwrap();
    assert_eq!(discovery.start().err(), Some(DiscoveryFault::NoRuntime));
}
