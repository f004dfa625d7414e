use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn minted(jwt: &str, copies: Vec<(&str, ClaimCopy)>) -> Result<AccessToken, Fault> {
    AccessToken::new(Minted {
        jwt,
        subject: Subject::from_bytes([3; 16]),
        session: SessionId::from_bytes([2; 16]),
        claims: copies
            .iter()
            .map(|(claim, _)| CopyName { claim: (*claim).to_owned(), encoding: HeaderEncoding::Drop })
            .collect(),
        copies: copies.into_iter().map(|(_, copy)| copy).collect(),
        minted_at: NOW,
        expires_at: NOW,
        renew_at: NOW,
        stamp: JwtCacheKey { audience: 1, ring: 1 },
    })
}

fn text(text: &str) -> ClaimCopy {
    ClaimCopy::Text(text.to_owned())
}

#[test]
fn each_header_is_its_own_part_of_the_one_text() {
    let copies = vec![("department", text("R&D")), ("none", ClaimCopy::Absent), ("level", text("3"))];
    let token = minted("a.b.c", copies).ok().unwrap();
    assert_eq!(token.authorization(), "Bearer a.b.c");
    assert!(token.authorization().is_sensitive());
    assert_eq!(token.jwt(), "a.b.c");
    assert_eq!(token.subject(), Subject::from_bytes([3; 16]).to_string().as_str());
    assert_eq!(token.session(), SessionId::from_bytes([2; 16]).to_string().as_str());
    assert_eq!(token.copy_of("department", HeaderEncoding::Drop).unwrap(), "R&D");
    assert!(token.copy_of("none", HeaderEncoding::Drop).is_none());
    assert_eq!(token.copy_of("level", HeaderEncoding::Drop).unwrap(), "3");
    assert!(token.copy_of("Level", HeaderEncoding::Drop).is_none());
    assert_eq!(token.text_length(), "Bearer a.b.c".len() + 2 * ID_LENGTH + "R&D3".len() + 3 * END_LENGTH);
    let beside = token.beside(Some(Arc::new(minted("d.e.f", vec![]).ok().unwrap())));
    assert_eq!(
        (beside.jwt(), beside.copy_of("level", HeaderEncoding::Drop).unwrap()),
        ("a.b.c", HeaderValue::from_static("3"))
    );
    assert_eq!(beside.others.unwrap().jwt(), "d.e.f");
}

/// What could split a header is a fault when it is minted, never an empty or a second header later.
#[test]
fn nothing_that_breaks_a_header_is_kept() {
    assert!(matches!(minted("a\r\nb", vec![]), Err(Fault::Bug(_))));
    assert!(matches!(minted("a.b.c", vec![("x", text("1\r\nx-auth-subject: 2"))]), Err(Fault::Bug(_))));
}

/// A part is within the text, from its start to its end; an empty one is a part.
#[test]
fn a_part_that_is_not_in_the_text_is_a_bug() {
    let text = Bytes::from_static(b"abcd");
    for (start, end, part) in [(0, 4, "abcd"), (1, 3, "bc"), (2, 2, ""), (4, 4, "")] {
        assert_eq!(judge(&text, Range { start, end }).ok().unwrap(), part, "{start}..{end}");
    }
    for (start, end) in [(0, 5), (5, 5), (3, 2), (5, 4), (usize::MAX, 0)] {
        assert!(matches!(judge(&text, Range { start, end }), Err(Fault::Bug(_))), "{start}..{end}");
    }
}

#[test]
fn what_was_dropped_is_kept_beside_the_copies() {
    let copies = vec![
        ("address", ClaimCopy::Dropped(Because::Size)),
        ("department", text("R&D")),
        ("tree", ClaimCopy::Dropped(Because::Shape)),
        ("level", text("3")),
    ];
    let token = minted("a.b.c", copies).ok().unwrap();
    assert_eq!(token.dropped().collect::<Vec<_>>(), [("address", Because::Size), ("tree", Because::Shape)]);
    assert!(
        token.copy_of("address", HeaderEncoding::Drop).is_none()
            && token.copy_of("tree", HeaderEncoding::Drop).is_none()
    );
    assert_eq!(
        (
            token.copy_of("department", HeaderEncoding::Drop).unwrap(),
            token.copy_of("level", HeaderEncoding::Drop).unwrap()
        ),
        ("R&D".parse().unwrap(), "3".parse().unwrap())
    );
    assert_eq!(token.jwt(), "a.b.c");
}
