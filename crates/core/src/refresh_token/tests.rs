use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const WINDOW: Duration = Duration::from_secs(10);

fn pepper() -> Pepper {
    Pepper::new(&[7; 32])
}

fn session() -> SessionId {
    SessionId::from_bytes([3; 16])
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn first() -> RefreshToken {
    RefreshToken::first(session(), [9; 32])
}

/// What a client and the store do together when `token` is presented.
fn ask(family: &TokenFamily, token: &RefreshToken, salt: u8, now: Timestamp) -> RefreshVerdict {
    let next = next(token, salt);
    family.judge(&token.presented(&pepper()), next, now, WINDOW)
}

fn next(token: &RefreshToken, salt: u8) -> Next {
    let digest = token.successor(&[salt; 16], &pepper()).unwrap().digest(&pepper());
    Next { digest, salt: [salt; 16] }
}

#[test]
fn what_is_delivered_is_what_is_read() {
    let text = first().reveal(&pepper());
    assert_eq!(text.len(), TEXT_LENGTH);
    assert!(RefreshToken::looks_like(&text) && !RefreshToken::looks_like("vst_x"));
    let read = RefreshToken::parse(&text, &pepper()).unwrap();
    assert_eq!(read.presented(&pepper()), first().presented(&pepper()));
    assert_eq!(read.session(), session());
}

/// RT-01: whoever knows a session's public name cannot make up a token of its family, and so cannot end it either.
#[test]
fn only_what_we_made_is_a_refresh_token() {
    let text = first().reveal(&pepper()).to_string();
    let mut bad = vec![
        String::new(),
        PREFIX.to_owned(),
        text[4..].to_owned(),
        format!("{text}A"),
        format!("{text}="),
        format!(" {text}"),
        text.to_uppercase(),
        text[..text.len() - 1].to_owned(),
        RefreshToken::first(session(), [9; 32]).reveal(&Pepper::new(&[8; 32])).to_string(),
    ];
    // Each character counts.
    bad.extend((PREFIX.len()..text.len()).map(|place| {
        let other = if &text[place..=place] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &text[..place], &text[place + 1..])
    }));
    for text in bad {
        assert_eq!(RefreshToken::parse(&text, &pepper()).err(), Some(Reject::MalformedCredential), "{text}");
    }
}

#[test]
fn a_successor_is_the_same_for_the_same_salt_and_another_for_any_other() {
    let digest = |salt| first().successor(&[salt; 16], &pepper()).unwrap().digest(&pepper());
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
    let last = RefreshToken { session: session(), generation: [255; 4], secret: [9; 32] };
    assert!(last.successor(&[0; 16], &pepper()).is_none());
}

/// RT-02: a lost answer is forgiven while the window is open and nobody went on from it.
#[test]
fn the_same_token_again_gets_the_same_successor_while_that_is_unused_and_the_window_is_open() {
    let family = TokenFamily::new(first().digest(&pepper()));
    let RefreshVerdict::Rotate(rotated) = ask(&family, &first(), 1, at(100)) else { panic!("its turn") };
    for (now, expected) in [
        (at(100), RefreshVerdict::Repeat([1; 16])),
        (Timestamp::from_millis(109_999), RefreshVerdict::Repeat([1; 16])),
        (at(110), RefreshVerdict::Replay),
        // A clock that was set back.
        (Timestamp::from_millis(90_001), RefreshVerdict::Repeat([1; 16])),
        (at(90), RefreshVerdict::Replay),
    ] {
        assert_eq!(ask(&rotated, &first(), 2, now), expected, "{now:?}");
    }
    let second = first().successor(&[1; 16], &pepper()).unwrap();
    let RefreshVerdict::Rotate(again) = ask(&rotated, &second, 3, at(103)) else { panic!("its turn") };
    assert_eq!(ask(&again, &first(), 4, at(104)), RefreshVerdict::Late);
    assert_eq!(ask(&again, &first(), 4, at(110)), RefreshVerdict::Replay);
    assert_eq!(ask(&again, &second, 4, at(104)), RefreshVerdict::Repeat([3; 16]));
}

/// RT-06: the strict profile.
#[test]
fn a_window_of_zero_forgives_nothing() {
    let family = TokenFamily::new(first().digest(&pepper()));
    let judge = |family: &TokenFamily, token: &RefreshToken| {
        family.judge(&token.presented(&pepper()), next(token, 1), at(100), Duration::ZERO)
    };
    let RefreshVerdict::Rotate(rotated) = judge(&family, &first()) else { panic!("its turn") };
    assert_eq!(judge(&rotated, &first()), RefreshVerdict::Replay);
    let second = first().successor(&[1; 16], &pepper()).unwrap();
    let RefreshVerdict::Rotate(again) = judge(&rotated, &second) else { panic!("its turn") };
    assert_eq!(judge(&again, &first()), RefreshVerdict::Replay);
}

#[test]
fn a_token_that_the_store_has_not_seen_yet_is_unknown_and_one_that_it_saw_otherwise_is_a_replay() {
    let family = TokenFamily::new(first().digest(&pepper()));
    let second = first().successor(&[1; 16], &pepper()).unwrap();
    assert_eq!(ask(&family, &second, 2, at(100)), RefreshVerdict::Unknown);
    let other = RefreshToken::first(session(), [8; 32]);
    assert_eq!(ask(&family, &other, 2, at(100)), RefreshVerdict::Replay);
}

proptest! {
    /// RT-01 against a model that remembers every token ever issued: which is current, when each was replaced, and by what.
    #[test]
    fn a_family_judges_as_one_that_remembers_everything_would(
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0_u64..15), 1..40)
    ) {
        let pepper = pepper();
        let mut issued = vec![first()];
        let mut replaced: BTreeMap<usize, (Timestamp, u8)> = BTreeMap::new();
        let mut family = TokenFamily::new(first().digest(&pepper));
        let mut now = at(1000);
        for (salt, (which, pause)) in steps.into_iter().enumerate() {
            now = now.after(Duration::from_secs(pause));
            let which = which.index(issued.len());
            let salt = salt as u8;
            let turn = ask(&family, &issued[which], salt, now);
            let behind = issued.len() - 1 - which;
            let forgiven = replaced.get(&which).filter(|(at, _)| now.since(*at) < WINDOW);
            match (behind, forgiven) {
                (0, _) => {
                    let RefreshVerdict::Rotate(rotated) = turn else { return Err(TestCaseError::fail(format!("{turn:?}"))) };
                    replaced.insert(which, (now, salt));
                    issued.push(issued[which].successor(&[salt; 16], &pepper).unwrap());
                    prop_assert_eq!(rotated.current, issued[which + 1].digest(&pepper));
                    family = rotated;
                }
                (1, Some((_, salt))) => prop_assert_eq!(turn, RefreshVerdict::Repeat([*salt; 16])),
                (2, Some(_)) => prop_assert_eq!(turn, RefreshVerdict::Late),
                _ => prop_assert_eq!(turn, RefreshVerdict::Replay),
            }
        }
    }
}
