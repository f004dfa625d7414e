use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn minted(jwt: &str, copies: Vec<(&str, &str)>) -> Result<AccessToken, Fault> {
    AccessToken::new(Minted {
        jwt,
        subject: Subject::from_bytes([3; 16]),
        session: SessionId::from_bytes([2; 16]),
        claims: copies.iter().map(|(claim, _)| (*claim).to_owned()).collect(),
        copies: copies.into_iter().map(|(_, copy)| copy.to_owned()).collect(),
        minted_at: NOW,
        expires_at: NOW,
        renew_at: NOW,
        stamp: Stamp { audience: 1, ring: 1 },
    })
}

#[test]
fn each_header_is_its_own_part_of_the_one_text() {
    let token = minted("a.b.c", vec![("department", "R&D"), ("empty", ""), ("level", "3")]).ok().unwrap();
    assert_eq!(token.authorization(), "Bearer a.b.c");
    assert!(token.authorization().is_sensitive());
    assert_eq!(token.jwt(), "a.b.c");
    assert_eq!(token.subject(), Subject::from_bytes([3; 16]).to_string().as_str());
    assert_eq!(token.session(), SessionId::from_bytes([2; 16]).to_string().as_str());
    assert_eq!(token.copy_of("department").unwrap(), "R&D");
    assert!(token.copy_of("empty").is_none());
    assert_eq!(token.copy_of("level").unwrap(), "3");
    assert!(token.copy_of("Level").is_none());
    assert_eq!(token.text_length(), "Bearer a.b.c".len() + 2 * ID_LENGTH + "R&D3".len() + 3 * END_LENGTH);
    let beside = token.beside(Some(Arc::new(minted("d.e.f", vec![]).ok().unwrap())));
    assert_eq!((beside.jwt(), beside.copy_of("level").unwrap()), ("a.b.c", HeaderValue::from_static("3")));
    assert_eq!(beside.others.unwrap().jwt(), "d.e.f");
}

/// What could split a header is a fault when it is minted, never an empty or a second header later.
#[test]
fn nothing_that_breaks_a_header_is_kept() {
    assert!(matches!(minted("a\r\nb", vec![]), Err(Fault::Bug(_))));
    assert!(matches!(minted("a.b.c", vec![("x", "1\r\nx-auth-subject: 2")]), Err(Fault::Bug(_))));
}
