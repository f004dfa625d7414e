use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::account::Traits;
use crate::key::KeyPurpose;
use crate::mint::tests::{Fixture, fixture, ring};
use crate::mint::{AudienceTable, NotAnAudience, STANDARD_CLAIMS};
use crate::testing::{START, account};

const LIFETIME: std::time::Duration = std::time::Duration::from_secs(100);

#[derive(Default)]
struct Told(Mutex<Vec<(String, String, Vec<DroppedClaim>)>>, Mutex<Vec<String>>);

impl DropLog for Told {
    fn dropped(&self, subject: &str, audience: &str, claims: &[DroppedClaim]) {
        self.0.lock().push((subject.into(), audience.into(), claims.to_vec()));
    }

    fn not_copied(&self, audience: &str, claims: &[&str]) {
        self.1.lock().extend(claims.iter().map(|claim| format!("{audience}/{claim}")));
    }
}

/// Ada's account, and an audience "orders" with a claim for each of these traits.
fn with(traits: &Value, largest: usize) -> (Fixture, Arc<Told>) {
    let names: Vec<(String, String)> = traits
        .as_object()
        .unwrap()
        .keys()
        .map(|name| (name.clone(), format!("account.traits.{name}")))
        .collect();
    let claims = names.iter().map(|(name, source)| (name.as_str(), source.as_str()));
    let orders = Audience::new("orders", LIFETIME, claims).unwrap();
    let (mut fixture, told) = (fixture(), Arc::new(Told::default()));
    fixture.minter.replace_audiences(AudienceTable::new(vec![orders]));
    fixture.minter = fixture.minter.with_budget(largest, told.clone());
    fixture.set_traits(&traits.to_string());
    (fixture, told)
}

fn names_of<'a>(dropped: impl IntoIterator<Item = (&'a str, Because)>) -> Vec<&'a str> {
    dropped.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_does_not_fit_is_dropped_from_the_largest_down_and_told() {
    let traits = json!({
        "address": "a".repeat(900), "department": "R&D", "notes": "n".repeat(1500), "roles": ["buyer", "clerk"],
    });
    let (fixture, told) = with(&traits, 4096);
    let token = fixture.jwt();
    assert_eq!(token.dropped().count(), 0);
    assert!(told.0.lock().is_empty());

    let (fixture, told) = with(&traits, 2048);
    let token = fixture.jwt();
    assert!(token.jwt().len() <= 2048, "{}", token.jwt().len());
    assert_eq!(token.dropped().collect::<Vec<_>>(), [("notes", Because::Size)]);
    let claims = fixture.verified("orders", &token);
    assert_eq!(claims.get("notes"), None);
    for stays in ["address", "department", "roles"] {
        assert_eq!(claims.get(stays), traits.get(stays), "{stays}");
    }
    // A header says no more than the JWT.
    assert!(token.copy_of("notes", HeaderEncoding::Drop).is_none());
    assert_eq!(token.copy_of("department", HeaderEncoding::Drop).unwrap(), "R&D");

    let [(subject, audience, dropped)] = &told.0.lock()[..] else { panic!() };
    assert_eq!((subject.as_str(), audience.as_str()), (claims.sub(), "orders"));
    let bytes = r#","notes":"""#.len() + 1500;
    assert_eq!(dropped[..], [DroppedClaim { claim: "notes".into(), bytes, because: Because::Size }]);
    assert_eq!(fixture.minter.counters().dropped.load(Ordering::SeqCst), 1);
}

/// Every node, and every minute, the same: the one that is named last.
#[test]
fn of_equally_large_claims_the_last_goes_first() {
    let large = "x".repeat(700);
    let (fixture, _) = with(&json!({ "b": large, "a": large, "c": large }), 2048);
    assert_eq!(names_of(fixture.jwt().dropped()), ["b", "c"]);
}

/// JW-15: verifiers read claims by limits of their own. Traits may be deeper and wider; a JWT that says so would be refused everywhere.
#[test]
fn a_claim_that_no_verifier_would_take_is_dropped_however_small() {
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let wide = |members| (0..members).map(|at| (format!("m{at}"), json!(1))).collect::<Map<_, _>>();
    let traits = json!({
        "deep": nested(8), "deepest": nested(7), "fine": 1, "wide": wide(65), "widest": wide(64), "hidden": [[wide(65)]],
    });
    let (fixture, _) = with(&traits, 8192);
    let token = fixture.jwt();
    let shape = |name| (name, Because::Shape);
    assert_eq!(token.dropped().collect::<Vec<_>>(), [shape("deep"), shape("hidden"), shape("wide")]);
    let claims = fixture.verified("orders", &token);
    for stays in ["deepest", "fine", "widest"] {
        assert_eq!(claims.get(stays), traits.get(stays), "{stays}");
    }
}

#[test]
fn constants_are_told_to_all_never_dropped_and_ask_no_store() {
    let (fixture, _) = with(&json!({ "notes": "n".repeat(900) }), 1024);
    let constants = || {
        let limits = json!({ "orders": 7, "regions": ["eu", "uk"] });
        [("tenant".to_owned(), json!("acme")), ("limits".to_owned(), limits)]
    };
    let claims = [("notes", "account.traits.notes")];
    let orders = Audience::new("orders", LIFETIME, claims).unwrap().with_constants(constants()).unwrap();
    fixture.minter.replace_audiences(AudienceTable::new(vec![orders]));
    let token = fixture.jwt();
    assert_eq!(names_of(token.dropped()), ["notes"]);
    let told = fixture.verified("orders", &token);
    for (name, value) in constants() {
        assert_eq!(told.get(&name), Some(&value));
    }
    assert_eq!(token.copy_of("tenant", HeaderEncoding::Drop).unwrap(), "acme");

    let orders = Audience::new("orders", LIFETIME, []).unwrap().with_constants(constants()).unwrap();
    fixture.minter.replace_audiences(AudienceTable::new(vec![orders]));
    let reads = fixture.world.store_reads.load(Ordering::SeqCst);
    assert_eq!(fixture.verified("orders", &fixture.jwt()).get("tenant"), Some(&json!("acme")));
    assert_eq!(fixture.world.store_reads.load(Ordering::SeqCst), reads);
}

/// What we say of who, for whom and until when is not the template's to say, nor anything that a careless reader takes for it.
#[test]
fn no_claim_stands_in_for_a_standard_one() {
    let text = |name: &str| Audience::new("a", LIFETIME, [(name, "account.identifier")]).unwrap_err();
    let constant = |name: &str| {
        let none = Audience::new("a", LIFETIME, []).unwrap();
        none.with_constants([(name.to_owned(), json!(1))]).unwrap_err()
    };
    for claim in STANDARD_CLAIMS {
        let mut capital = claim.to_owned();
        capital[..1].make_ascii_uppercase();
        for name in [claim, &capital, &claim.to_ascii_uppercase()] {
            let refused = NotAnAudience::StandardClaim(name.into());
            assert_eq!((text(name), constant(name)), (refused.clone(), refused));
        }
    }
    for name in ["", "\u{17F}ub", " sub", "sub ", "a\"b", "a\\b", "a\nb", "__proto__", &"x".repeat(101)] {
        let refused = NotAnAudience::ClaimName(name.into());
        assert_eq!((text(name), constant(name)), (refused.clone(), refused));
    }
    let twins = [("role", "account.traits.role"), ("Role", "account.traits.rank")];
    assert_eq!(Audience::new("a", LIFETIME, twins).unwrap_err(), NotAnAudience::ClaimName("Role".into()));
    let role = Audience::new("a", LIFETIME, [("role", "account.traits.role")]).unwrap();
    let twin = role.with_constants([("role".to_owned(), json!("clerk"))]);
    assert_eq!(twin.unwrap_err(), NotAnAudience::ClaimName("role".into()));
    assert!(Audience::new("a", LIFETIME, [("https://acme.test/roles", "account.traits.roles")]).is_ok());
}

#[test]
fn constants_have_limits_that_let_them_always_fit() {
    let constants = |constants: Vec<(String, Value)>| {
        Audience::new("a", LIFETIME, []).unwrap().with_constants(constants).map(drop)
    };
    let named = |value| vec![("c".to_owned(), value)];
    let deep = (0..8).fold(json!(1), |inner, _| json!([inner]));
    for wrong in [json!(null), deep] {
        assert_eq!(constants(named(wrong)), Err(NotAnAudience::Constant("c".into())));
    }
    assert_eq!(constants(named(json!("x".repeat(1021)))), Ok(()));
    assert_eq!(constants(named(json!("x".repeat(1022)))), Err(NotAnAudience::LargeConstants));
    let many = |count: usize| (0..count).map(|at| (format!("c{at}"), json!(1))).collect();
    assert_eq!(constants(many(40)), Ok(()));
    assert_eq!(constants(many(41)), Err(NotAnAudience::ManyClaims));
}

/// The length is known before anything is signed, to the byte.
#[test]
fn the_room_for_claims_is_exact() {
    let ring = ring(1);
    let signer = ring.signer(KeyPurpose::Services, START).unwrap();
    for largest in 1000..1010 {
        let room = signer.room_for_claims(largest);
        let of = |bytes: usize| {
            let claims = json!({ "x": "y".repeat(bytes - r#"{"x":""}"#.len()) });
            assert_eq!(text_length(claims.as_object().unwrap()), bytes);
            signer.sign_jwt(&claims).unwrap().len()
        };
        assert!(of(room) <= largest && of(room + 1) > largest, "{largest}");
    }
    assert_eq!(signer.room_for_claims(10), 0);
    assert_eq!(text_length(&Map::new()), 2);
}

/// A route's plain headers go to the proxy beside the JWT: together they have a bound, too, and what exceeds it is dropped from both.
#[test]
fn plain_copies_count_in_what_is_told() {
    let groups: Vec<String> = (0..70).map(|at| format!("group-{at:02}-of-the-company")).collect();
    let traits = json!({ "department": "R&D", "groups": groups, "notes": "n".repeat(700) });
    let header = |name: &str, claim: &str| (http::HeaderName::try_from(name).unwrap(), claim.to_owned());
    let of = |routes: &[Vec<(http::HeaderName, String)>]| {
        let (fixture, _) = with(&traits, 4096);
        let claims = ["department", "groups", "notes"].map(|name| (name, format!("account.traits.{name}")));
        let claims = claims.iter().map(|(name, source)| (*name, source.as_str()));
        let orders = Audience::new("orders", LIFETIME, claims).unwrap();
        let orders = routes
            .iter()
            .fold(orders, |orders, headers| orders.copied_by(headers, HeaderEncoding::Drop).unwrap());
        fixture.minter.replace_audiences(AudienceTable::new(vec![orders]));
        fixture.jwt()
    };
    let groups_once = vec![header("x-groups", "groups")];
    let groups_twice = vec![header("x-groups", "groups"), header("x-roles", "groups")];
    let all =
        vec![header("x-groups", "groups"), header("x-notes", "notes"), header("x-department", "department")];

    let token = of(&[]);
    assert_eq!((token.dropped().count(), token.jwt().len() > 3500), (0, true), "{}", token.jwt().len());
    let (jwt, copy) = (token.jwt().len(), token.copy_of("groups", HeaderEncoding::Drop).unwrap().len());
    assert!(copy > 1700, "{copy}");
    for (routes, dropped) in [
        (vec![groups_once.clone()], vec![]),
        // The worst route decides, for all routes of the audience: they share its JWT.
        (vec![groups_once.clone(), groups_twice], vec!["groups"]),
        (vec![all], vec!["groups"]),
    ] {
        let token = of(&routes);
        assert_eq!(names_of(token.dropped()), dropped, "{routes:?}");
        assert_eq!(token.copy_of("groups", HeaderEncoding::Drop).is_none(), !dropped.is_empty());
        assert_eq!(token.copy_of("department", HeaderEncoding::Drop).unwrap(), "R&D");
        for route in &routes {
            let line = |(name, claim): &(http::HeaderName, String)| {
                name.as_str().len()
                    + 4
                    + token.copy_of(claim, HeaderEncoding::Drop).map_or(0, |copy| copy.len())
            };
            let copies: usize = route.iter().map(line).sum();
            assert!(token.jwt().len() + copies <= 4096 + 2048, "{routes:?}");
        }
    }
    assert!(jwt + copy + "x-groups: \r\n".len() <= 4096 + 2048, "the control: one copy fits");
}

/// Names and constants are never dropped: a route that could never be answered is refused when it is configured.
#[test]
fn plain_headers_that_always_take_too_much_are_refused() {
    let constant = [("tenant".to_owned(), json!("t".repeat(1000)))];
    let orders = Audience::new("orders", LIFETIME, []).unwrap().with_constants(constant).unwrap();
    let headers = |times: usize, name: usize| -> Vec<(http::HeaderName, String)> {
        let name = |at| http::HeaderName::try_from(format!("x-{at}{}", "n".repeat(name))).unwrap();
        (0..times).map(|at| (name(at), "tenant".to_owned())).collect()
    };
    assert!(orders.clone().copied_by(&headers(2, 17), HeaderEncoding::Drop).is_ok());
    let refused = orders.copied_by(&headers(2, 18), HeaderEncoding::Drop).unwrap_err();
    assert_eq!(refused, NotAnAudience::LargeCopies(2 * (1000 + 3 + 18 + 4)));
    assert_eq!(
        refused.to_string(),
        "the names of these headers, and the constants that they copy, take 2050 bytes; 2048 is the most"
    );
}

proptest! {
    /// Whatever an account's traits are: all that is told fits, is what the account has, and nothing was dropped in vain.
    #[test]
    fn what_is_told_fits_and_is_true(
        texts in prop::collection::btree_map("[a-z]{1,12}", "\\PC{0,200}", 0..12),
        room in 200_usize..2000,
    ) {
        let traits: Map<String, Value> = texts.into_iter().map(|(name, text)| (format!("t_{name}"), text.into())).collect();
        let names: Vec<_> = traits.keys().map(|name| (name.clone(), format!("account.traits.{name}"))).collect();
        let claims = names.iter().map(|(name, source)| (name.as_str(), source.as_str()));
        let audience = Audience::new("orders", LIFETIME, claims).unwrap();
        let mut ada = account(1, "ada@example.com", "");
        ada.traits = Traits::parse(&Value::Object(traits.clone()).to_string()).unwrap();
        let standard = json!({ "iss": "https://app.test", "sub": "s", "aud": "orders" });
        let Value::Object(mut members) = standard else { panic!() };

        let super::Told { copies, dropped, .. } = tell(&mut members, &audience, Some(&ada), |_| room);
        let length = Value::Object(members.clone()).to_string().len();
        prop_assert!(length <= room);
        prop_assert_eq!(copies.len(), traits.len());
        for (name, value) in &traits {
            let gone = dropped.iter().find(|it| it.claim == *name);
            prop_assert_eq!(members.get(name), if gone.is_some() { None } else { Some(value) });
            // Whatever stays is no larger than whatever went, and the smallest that went would not have fitted.
            if let Some(gone) = gone {
                prop_assert!(length + gone.bytes > room);
            } else {
                prop_assert!(dropped.iter().all(|gone| gone.bytes >= name.len() + 4 + value.to_string().len()));
            }
        }
    }
}

/// What is beyond ASCII is never lost silently: a route says how its headers carry it, or the log says that they do not.
#[test]
fn plain_headers_say_what_is_beyond_ascii_as_their_route_asks() {
    let traits = json!({
        "city": "Z\u{fc}rich", "plain": "R&D", "sum": "100% + a", "line": "a\nb", "outer": " a ", "list": ["\u{e9}"], "none": null,
    });
    let names = || traits.as_object().unwrap().keys();
    let headers: Vec<(http::HeaderName, String)> = names()
        .map(|claim| (http::HeaderName::try_from(format!("x-{claim}")).unwrap(), claim.clone()))
        .collect();
    let copies = |copied: &[HeaderEncoding], encoding| {
        let (mut fixture, told) = with(&traits, 4096);
        let audiences = fixture.minter.audiences();
        let orders = audiences.get("orders").unwrap().clone();
        let orders = copied.iter().fold(orders, |orders, it| orders.copied_by(&headers, *it).unwrap());
        fixture.minter.replace_audiences(AudienceTable::new(vec![orders]));
        fixture.minter = fixture.minter.with_budget(4096, told.clone());
        let token = fixture.jwt();
        let claims = fixture.verified("orders", &token);
        assert_eq!(claims.get("city"), Some(&json!("Z\u{fc}rich")), "the JWT says it in any case");
        let of = |claim: &str| {
            token.copy_of(claim, encoding).map(|value| String::from_utf8(value.as_bytes().to_vec()).unwrap())
        };
        let texts = ["city", "plain", "sum", "line", "outer", "list", "none"].map(of);
        let mut said = std::mem::take(&mut *told.1.lock());
        said.sort_unstable();
        (texts, said)
    };
    let some = |text: &str| Some(text.to_owned());
    let (texts, said) = copies(&[HeaderEncoding::Drop], HeaderEncoding::Drop);
    assert_eq!(texts, [None, some("R&D"), some("100% + a"), None, None, None, None]);
    assert_eq!(said, ["orders/city", "orders/line", "orders/list", "orders/outer"]);
    let (texts, said) = copies(&[HeaderEncoding::Percent], HeaderEncoding::Percent);
    let expected = ["Z%C3%BCrich", "R&D", "100%25%20%2B%20a", "a%0Ab", "%20a%20", "[\"%C3%A9\"]"].map(some);
    assert_eq!((&texts[..6], &texts[6]), (&expected[..], &None));
    assert_eq!(said, [""; 0]);
    let (texts, said) = copies(&[HeaderEncoding::Utf8], HeaderEncoding::Utf8);
    assert_eq!(
        texts,
        [some("Z\u{fc}rich"), some("R&D"), some("100% + a"), None, None, some("[\"\u{e9}\"]"), None]
    );
    assert_eq!(said, ["orders/line", "orders/outer"]);
    // What no route copies is nobody's loss, and one audience may have routes of both kinds.
    let (texts, said) = copies(&[], HeaderEncoding::Percent);
    assert_eq!((texts.iter().flatten().count(), said.len()), (0, 0));
    let both = [HeaderEncoding::Utf8, HeaderEncoding::Drop];
    assert_eq!(copies(&both, HeaderEncoding::Drop).0[1], some("R&D"));
    assert_eq!(copies(&both, HeaderEncoding::Utf8).0[0], some("Z\u{fc}rich"));
}
