use super::*;

fn client() -> Client {
    Client {
        id: ClientId::from_bytes([1; 16]),
        name: "Billing at night".to_owned(),
        proof: ClientProof::Secret(ClientSecretDigest::from_bytes([2; 32])),
        audiences: vec!["orders".to_owned()],
        scopes: vec!["orders:read".to_owned()],
        exchanges: false,
        serves: None,
        added_at: Timestamp::EPOCH,
    }
}

#[test]
fn a_secret_is_shown_in_one_spelling_and_known_by_its_digest_alone() {
    let pepper = Pepper::new(&[7; 32]);
    let secret = ClientSecret::from_random([5; 32]);
    let text = secret.reveal();
    assert!(text.starts_with("vcs_") && text.len() == 47, "{}", *text);
    let digest = secret.digest(&pepper);
    assert!(ClientSecret::parse(&text).unwrap().is_behind(&digest, &pepper));
    assert!(!ClientSecret::from_random([6; 32]).is_behind(&digest, &pepper));
    assert!(!secret.is_behind(&digest, &Pepper::new(&[8; 32])), "another installation's");
    let odd = text.replace("vcs_", "vst_");
    for other in ["", "vcs_", &text[..46], &format!("{}=", *text), &format!(" {}", *text), &odd] {
        assert!(ClientSecret::parse(other).is_none(), "{other}");
    }
    // The last character carries two spare bits, which must be zero.
    let last = text.chars().next_back().unwrap();
    let spare = char::from_u32(u32::from(last) + 1).unwrap();
    assert!(ClientSecret::parse(&format!("{}{spare}", &text[..46])).is_none());
}

#[test]
fn what_is_registered_can_be_written_in_claims_and_seen_in_listings() {
    client().check().unwrap();
    let most = (0..MOST).map(|number| format!("s{number}")).collect::<Vec<_>>();
    Client { scopes: most.clone(), ..client() }.check().unwrap();
    Client { audiences: vec![], serves: Some("orders".to_owned()), ..client() }.check().unwrap();
    for name in ["", " ", " x", "a\u{202E}b", "a\nb", &"x".repeat(101)] {
        assert_eq!(Client { name: name.to_owned(), ..client() }.check(), Err(NotAClient::Name), "{name:?}");
    }
    for scope in ["", "a b", "a\"b", "a\\b", "é", &"x".repeat(129)] {
        let refused = Client { scopes: vec!["a".to_owned(), scope.to_owned()], ..client() }.check();
        assert_eq!(refused, Err(NotAClient::Scope(scope.to_owned())));
    }
    let twice = Client { scopes: vec!["a".to_owned(), "b".to_owned(), "a".to_owned()], ..client() };
    assert_eq!(twice.check(), Err(NotAClient::Twice("a".to_owned())));
    let many = Client { scopes: [most, vec!["more".to_owned()]].concat(), ..client() };
    assert_eq!(many.check(), Err(NotAClient::Many));
    for audience in ["", "a b", "é", &"x".repeat(201)] {
        let odd = NotAClient::Audience(audience.to_owned());
        assert_eq!(Client { audiences: vec![audience.to_owned()], ..client() }.check(), Err(odd.clone()));
        assert_eq!(Client { serves: Some(audience.to_owned()), ..client() }.check(), Err(odd));
    }
    assert_eq!(Client { audiences: vec![], ..client() }.check(), Err(NotAClient::Nothing));
}

#[test]
fn an_assertion_is_remembered_by_client_and_name_and_longer_than_it_holds() {
    let pepper = Pepper::new(&[7; 32]);
    let shown = |client, jti| ShownAssertion::new(ClientId::from_bytes([client; 16]), jti, END, &pepper);
    const END: Timestamp = Timestamp::from_unix_seconds(1_800_000_300);
    assert_eq!(shown(1, "a"), shown(1, "a"));
    assert_ne!(shown(1, "a").digest, shown(1, "b").digest);
    assert_ne!(shown(1, "a").digest, shown(2, "a").digest);
    assert_eq!(shown(1, "a").forget_after, END.after(Duration::from_secs(60)));
}
