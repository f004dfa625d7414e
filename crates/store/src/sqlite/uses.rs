//! Uses of sessions that wait to be written: the hot path notes them here, in memory, and a slow rhythm writes them in batches.
//! In: a digest and a time. Out: the last use in the database, never earlier than it was and never of a session that has ended.

use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use vestibule_core::session::SessionDigest;
use vestibule_core::{Fault, Timestamp};

use super::error::SqliteError;
use super::rows::{self, integer, timestamp};
use super::writer::{Change, Writer, Written};
use crate::table::Table;

/// Uses written by one change; logins do not wait behind more.
const SLICE: usize = 256;
/// Rows held at once while all are read.
const LOADED_AT_ONCE: i64 = 4096;

/// Uses held in one piece of memory: growing by pieces, a million of them are never copied while a request waits to add its own.
const PIECE: usize = 1024;

/// Uses that are not yet written, as they came. A session comes once a minute, and once again for each minute in which nothing could be
/// written until the next attempt, which makes one of them.
#[derive(Default)]
pub(super) struct UsesWaiting(Mutex<Vec<Vec<Noted>>>);

type Noted = (SessionDigest, Timestamp);

impl UsesWaiting {
    pub(super) fn note(&self, digest: SessionDigest, seen_at: Timestamp) {
        let mut pieces = self.0.lock();
        match pieces.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push((digest, seen_at)),
            None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push((digest, seen_at));
                pieces.push(piece);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().iter().map(Vec::len).sum()
    }

    /// Writes all that was noted until now. What cannot be written is kept for the next time.
    pub(super) async fn flush(&self, writer: &Writer) -> Result<(), Fault> {
        let noted = latest_of_each(std::mem::take(&mut *self.0.lock()).concat());
        for (number, slice) in noted.chunks(SLICE).enumerate() {
            if let Err(fault) = writer.write(NoteUses(slice.to_vec())).await {
                self.0.lock().insert(0, noted.into_iter().skip(number * SLICE).collect());
                return Err(fault);
            }
        }
        Ok(())
    }
}

/// The last use of each session, in the order of the database's pages: each of them is then written once, not once a use.
fn latest_of_each(mut noted: Vec<Noted>) -> Vec<Noted> {
    noted.sort_unstable();
    noted.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            kept.1 = later.1;
        }
        same
    });
    noted
}

/// Tells a freshly loaded table what its sessions' last uses were.
pub(super) async fn load(table: &Table, connection: &mut SqliteConnection) -> Result<(), SqliteError> {
    let mut after: Vec<u8> = Vec::new();
    loop {
        let page: Vec<(Vec<u8>, i64)> =
            sqlx::query_as("SELECT digest, seen_at FROM uses WHERE digest > ?1 ORDER BY digest LIMIT ?2")
                .bind(after)
                .bind(LOADED_AT_ONCE)
                .fetch_all(&mut *connection)
                .await?;
        for (digest, seen_at) in &page {
            let seen_at =
                timestamp(*seen_at).ok_or_else(|| SqliteError::corrupt("a stored use", "seen_at"))?;
            if let Some(live) = table.find(&rows::digest(digest)?) {
                live.used(seen_at);
            }
        }
        let Some((last, _)) = page.into_iter().next_back() else { return Ok(()) };
        after = last;
    }
}

struct NoteUses(Vec<(SessionDigest, Timestamp)>);

impl Change for NoteUses {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, SqliteError> {
        let uses = self.0.iter().map(|(digest, seen_at)| {
            (HEXLOWER.encode(digest.bytes()), Value::from(integer(seen_at.millis())))
        });
        // One statement for the whole slice. A session that ended meanwhile matches nothing.
        sqlx::query(
            "INSERT INTO uses (digest, seen_at)
             SELECT unhex(noted.key), noted.value FROM json_each(?1) AS noted
             WHERE EXISTS (SELECT 1 FROM sessions WHERE digest = unhex(noted.key))
             ON CONFLICT (digest) DO UPDATE SET seen_at = excluded.seen_at WHERE excluded.seen_at > seen_at",
        )
        .bind(json!(uses.collect::<serde_json::Map<_, _>>()).to_string())
        .execute(transaction)
        .await?;
        Ok(Written::without_table(()))
    }
}

/// Forgets what hangs on sessions that ended: their uses and their token families.
pub(super) async fn forget(
    digests: impl Iterator<Item = SessionDigest>,
    transaction: &mut SqliteConnection,
) -> Result<(), SqliteError> {
    sqlx::query(
        "DELETE FROM uses WHERE digest IN (SELECT unhex(gone.value) FROM json_each(?1) AS gone);
         DELETE FROM token_families WHERE session IN (SELECT unhex(gone.value) FROM json_each(?1) AS gone)",
    )
    .bind(hex_list(digests))
    .execute(transaction)
    .await?;
    Ok(())
}

/// A JSON array of digests in hexadecimal: how a statement takes any number of them.
pub(super) fn hex_list(digests: impl Iterator<Item = SessionDigest>) -> String {
    Value::from(digests.map(|digest| HEXLOWER.encode(digest.bytes())).collect::<Vec<_>>()).to_string()
}
