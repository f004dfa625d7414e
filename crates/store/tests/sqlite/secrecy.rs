//! What is on the disk lets nobody in.

use std::fs;

use data_encoding::{BASE32, BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use vestibule_core::port::{Recall, Sessions};
use vestibule_core::secret::Pepper;
use vestibule_core::session::{Cap, SessionDigest, SessionToken};
use vestibule_store::{SqliteOptions, Upkeep};

use crate::world::*;

/// SS-02: a dump of the database and its log has no session token in it, in any spelling.
#[tokio::test]
async fn no_file_holds_a_session_token() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    let secrets: Vec<[u8; 32]> = (0..8).map(|number| *digest(1000 + number).bytes()).collect();
    for (number, secret) in secrets.iter().enumerate() {
        let mut opened = session(number as u64);
        opened.digest = SessionToken::from_random(*secret).digest(&pepper());
        store.open(opened, None, Cap::NONE).await.unwrap();
    }
    store.flush().await.unwrap();
    let dump = || {
        let files = fs::read_dir(home.database().parent().unwrap()).unwrap();
        files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect::<Vec<u8>>()
    };
    // While it runs (the log holds everything) and after it was closed (the database does).
    let running = dump();
    store.close().await.unwrap();
    for dump in [running, dump()] {
        let stored = SessionToken::from_random(secrets[0]).digest(&pepper());
        assert!(holds(&dump, stored.bytes()), "the search finds what is there");
        for secret in &secrets {
            let token = SessionToken::from_random(*secret);
            let texts = [
                token.reveal_cookie_value(),
                token.reveal_bearer(),
                HEXLOWER.encode(secret),
                HEXUPPER.encode(secret),
                BASE64.encode(secret),
                BASE64URL_NOPAD.encode(secret),
                BASE32.encode(secret),
            ];
            // Half of one is half of a credential: not even that.
            assert!(!holds(&dump, &secret[..16]));
            for text in texts {
                assert!(!holds(&dump, &text.as_bytes()[..20]), "{text}");
            }
        }
    }
}

/// SS-02: who can write to the database, but does not have the pepper, cannot make a session up.
#[tokio::test]
async fn a_row_made_without_the_pepper_lets_nobody_in() {
    let home = Home::new();
    let store = home.with_account(SqliteOptions::default()).await;
    store.open(session(1), None, Cap::NONE).await.unwrap();
    store.close().await.unwrap();
    // The usual guesses at how a store keeps a token: as it is, and hashed without a key.
    let secret = [7; 32];
    let mut intruder = home.intruder().await;
    for (number, made_up) in
        [secret.to_vec(), HEXLOWER.decode(SHA256_OF_SECRET).unwrap()].into_iter().enumerate()
    {
        sqlx::query(
            "INSERT INTO sessions SELECT NULL, ?1, randomblob(16), subject, version, epoch, kind, opened_at, proven_at,
             seen_at, issued_at, idle, ends_at, assurance, amr, address, user_agent FROM sessions WHERE number = 1",
        )
        .bind(made_up.clone())
        .execute(&mut intruder)
        .await
        .unwrap();
        // It is there: a store that looked up what was made up would find it.
        let store = home.open().await;
        let planted = SessionDigest::from_bytes(made_up.try_into().unwrap());
        assert!(matches!(store.recall(&planted), Recall::Known(_)));
        assert_eq!(store.statistics().sessions, 2 + number as u64);
        let presented = SessionToken::from_random(secret).digest(&pepper());
        assert!(matches!(store.recall(&presented), Recall::Unknown));
        store.close().await.unwrap();
    }
}

/// `head -c 32 /dev/zero | tr '\0' '\007' | sha256sum`
const SHA256_OF_SECRET: &[u8] = b"4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0";

fn pepper() -> Pepper {
    Pepper::new(&[42; 32])
}

fn holds(dump: &[u8], needle: &[u8]) -> bool {
    dump.windows(needle.len()).any(|window| window == needle)
}
