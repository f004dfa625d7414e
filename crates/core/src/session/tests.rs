use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn span() -> Span {
    Span { seen_at: at(1000), idle: Duration::from_secs(60), ends_at: at(1100) }
}

#[test]
fn idle_and_absolute_limits_at_their_edges() {
    assert_eq!(judge(span(), at(1059)), Ok(()));
    assert_eq!(judge(span(), at(1060)), Err(Reject::SessionIdle));
    let busy = Span { seen_at: at(1099), ..span() };
    assert_eq!(judge(busy, at(1099)), Ok(()));
    assert_eq!(judge(busy, at(1100)), Err(Reject::SessionEnded));
}

#[test]
fn a_clock_that_steps_back_ends_nothing_and_prolongs_nothing() {
    assert_eq!(judge(span(), at(10)), Ok(()));
    assert_eq!(judge(Span { seen_at: at(9999), ..span() }, at(1100)), Err(Reject::SessionEnded));
}

#[test]
fn cookie_value_is_exactly_our_grammar() {
    let token = SessionToken::from_random([0xA5; 32]);
    let value = token.reveal_cookie_value();
    assert_eq!(value.len(), COOKIE_VALUE_LENGTH);
    assert!(SessionToken::from_cookie_value(value.as_bytes()).is_ok());

    let mut spare_bits = value.clone().into_bytes();
    spare_bits[42] = if spare_bits[42] == b'_' { b'-' } else { spare_bits[42] + 1 };
    let bad: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        value.as_bytes()[..42].to_vec(),
        format!("{value}A").into_bytes(),
        format!("{value}=").into_bytes(),
        format!("\"{}\"", &value[..41]).into_bytes(),
        value.replace(|_: char| true, "+").into_bytes(),
        format!("{}\r", &value[..42]).into_bytes(),
        format!("{}\0", &value[..42]).into_bytes(),
        format!(" {}", &value[..42]).into_bytes(),
        vec![0xFF; 43],
        spare_bits,
    ];
    for value in bad {
        assert_eq!(
            SessionToken::from_cookie_value(&value).err(),
            Some(Reject::MalformedCredential),
            "{value:?}"
        );
    }
}

#[test]
fn bearer_form_carries_a_prefix_and_a_check() {
    let token = SessionToken::from_random([0x5A; 32]);
    let text = token.reveal_bearer();
    assert!(text.starts_with("vst_") && text.len() == 4 + 43 + 6);
    let pepper = Pepper::new(&[1; 32]);
    assert_eq!(SessionToken::from_bearer(&text).unwrap().digest(&pepper), token.digest(&pepper));
    let mut mistyped = text.clone().into_bytes();
    mistyped[10] = if mistyped[10] == b'A' { b'B' } else { b'A' };
    assert!(SessionToken::from_bearer(str::from_utf8(&mistyped).unwrap()).is_err());
    assert!(SessionToken::from_bearer(&text[..52]).is_err());
    assert!(SessionToken::from_bearer(&format!("{text}x")).is_err());
    assert!(SessionToken::from_bearer(&token.reveal_cookie_value()).is_err());
}

#[test]
fn device_keeps_no_control_or_bidirectional_characters_and_is_bounded() {
    let device = Device::new(None, &format!("Moz\u{202E}illa\r\n\x1b[31m/5.0{}", "é".repeat(400)));
    assert!(device.user_agent.starts_with("Mozilla[31m/5.0"));
    assert!(device.user_agent.len() <= 256);
}

#[test]
fn kinds_have_names_of_their_own() {
    for kind in [SessionKind::Browser, SessionKind::Client, SessionKind::Remembered] {
        assert_eq!(SessionKind::parse(kind.name()), Some(kind));
    }
    assert_eq!(SessionKind::parse("Remembered"), None);
}

/// SS-10: a remembered browser is one factor for ever, whatever is proved in it.
#[test]
fn a_remembered_session_never_rises_above_one_factor() {
    let proof = Proof { epoch: 4, assurance: Assurance::Aal2, amr: Amr::PASSWORD, ends_at: at(9000) };
    let reissue = Reissue { digest: SessionDigest::from_bytes([9; 32]), at: at(5000), proof: Some(proof) };
    for (kind, expected) in [
        (SessionKind::Browser, Assurance::Aal2),
        (SessionKind::Client, Assurance::Aal2),
        (SessionKind::Remembered, Assurance::Aal1),
    ] {
        let session = Session { kind, ..session() }.reissued(reissue).unwrap();
        assert_eq!(session.assurance, expected, "{kind:?}");
        assert_eq!((session.proven_at, session.ends_at, session.version), (at(5000), at(9000), 2));
    }
    assert_eq!(session().reissued(Reissue { proof: Some(Proof { epoch: 3, ..proof }), ..reissue }), None);
}

#[test]
fn a_new_token_alone_is_no_proof() {
    let reissue = Reissue { digest: SessionDigest::from_bytes([9; 32]), at: at(5000), proof: None };
    let expected = Session { digest: reissue.digest, issued_at: at(5000), seen_at: at(5000), ..session() };
    assert_eq!(session().reissued(reissue), Some(expected));
}

fn session() -> Session {
    Session {
        digest: SessionDigest::from_bytes([1; 32]),
        id: SessionId::from_bytes([2; 16]),
        subject: Subject::from_bytes([3; 16]),
        version: 1,
        epoch: 4,
        kind: SessionKind::Browser,
        opened_at: at(1000),
        proven_at: at(1000),
        seen_at: at(1000),
        issued_at: at(1000),
        idle: Duration::from_secs(60),
        ends_at: at(8000),
        assurance: Assurance::Aal1,
        amr: Amr::PASSWORD,
        device: Device::new(None, ""),
    }
}
