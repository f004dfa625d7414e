//! A store with many sessions: what is loaded is what was stored, and sweeping it away holds nobody up.

use std::time::{Duration, Instant};

use vestibule_core::port::{Ending, Opened, Sessions};
use vestibule_core::session::Cap;
use vestibule_store::{SqliteOptions, Upkeep};

use crate::world::*;

const MANY: u64 = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_session_is_loaded_and_swept_in_slices() {
    let home = Home::new();
    home.with_account(SqliteOptions::default()).await.close().await.unwrap();
    fill(&home, MANY).await;
    let store = home.open().await;
    assert_eq!(store.statistics().sessions, MANY);
    assert!((0..MANY).all(|number| is_live(&store, number)));

    // Half of them are used; the others reach their idle limit.
    let idle = Duration::from_secs(30 * 60);
    for number in (0..MANY).step_by(2) {
        let live = Sessions::find(&*store, &digest(number)).await.unwrap().unwrap();
        live.used(START.after(idle).before(Duration::from_secs(1)));
    }
    let before = store.statistics();
    let sweeping = tokio::spawn({
        let store = store.clone();
        async move { store.forget_expired(START.after(idle)).await.unwrap() }
    });
    // A login that comes meanwhile waits behind a slice, not behind the whole.
    let mut slowest = Duration::ZERO;
    let mut number = 2 * MANY;
    while !sweeping.is_finished() {
        let mut login = session(number);
        login.seen_at = START.after(idle);
        let asked = Instant::now();
        assert_eq!(store.open(login, None, Cap::NONE).await.unwrap(), Opened::Open { ended: vec![] });
        slowest = slowest.max(asked.elapsed());
        number += 1;
    }
    assert_eq!(sweeping.await.unwrap(), MANY / 2);
    let commits = store.statistics().commits - before.commits;
    assert!(commits > MANY / 2 / 256, "in slices: {commits}");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    assert!((0..MANY).all(|number| is_live(&store, number) == (number % 2 == 0)));
    let opened = number - 2 * MANY;
    assert_eq!(home.count("SELECT count(*) FROM sessions").await as u64, MANY / 2 + opened);

    assert_eq!(store.end(Ending::Everyone).await.unwrap().len() as u64, MANY / 2 + opened);
    assert_eq!(store.statistics().sessions, 0);
}

/// Sessions 0 to `sessions`, written the short way.
pub(crate) async fn fill(home: &Home, sessions: u64) {
    let mut connection = home.intruder().await;
    sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
    for number in 0..sessions {
        let one = session(number);
        sqlx::query(
            "INSERT INTO sessions VALUES (NULL, ?1, ?2, ?3, 1, 1, 'browser', ?4, ?4, ?4, ?4, ?5, ?6, 1, 1, '192.0.2.7', ?7)",
        )
        .bind(one.digest.bytes().to_vec())
        .bind(one.id.bytes().to_vec())
        .bind(one.subject.bytes().to_vec())
        .bind(one.seen_at.millis() as i64)
        .bind(one.idle.as_millis() as i64)
        .bind(one.ends_at.millis() as i64)
        .bind(one.device.user_agent)
        .execute(&mut connection)
        .await
        .unwrap();
    }
    sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
}
