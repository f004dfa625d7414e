//! Uses of sessions that wait to be written: the hot path notes them here, in memory, and a slow rhythm writes them in batches.
//! In: a digest and a time. Out: `seen_at` in the database, never earlier than it was and never for a session that has ended.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasherDefault;

use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sqlx::SqliteConnection;
use vestibule_core::session::SessionDigest;
use vestibule_core::{Fault, Timestamp};

use super::rows::integer;
use super::trouble::Trouble;
use super::writer::{Change, Writer, Written};
use crate::table::DigestHasher;

/// Uses written by one change; logins do not wait behind more.
const SLICE: usize = 256;

/// The latest use of each session that is not yet written; one entry a session, so bounded by their number.
#[derive(Default)]
pub(super) struct UsesWaiting(Mutex<HashMap<SessionDigest, Timestamp, BuildHasherDefault<DigestHasher>>>);

impl UsesWaiting {
    pub(super) fn note(&self, digest: SessionDigest, seen_at: Timestamp) {
        match self.0.lock().entry(digest) {
            Entry::Occupied(mut known) => {
                let latest = seen_at.max(*known.get());
                known.insert(latest);
            }
            Entry::Vacant(free) => {
                free.insert(seen_at);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Writes all that was noted until now. What cannot be written is kept for the next time.
    pub(super) async fn flush(&self, writer: &Writer) -> Result<(), Fault> {
        let noted: Vec<_> = std::mem::take(&mut *self.0.lock()).into_iter().collect();
        let mut slices = noted.chunks(SLICE);
        while let Some(slice) = slices.next() {
            if let Err(fault) = writer.write(NoteUses(slice.to_vec())).await {
                slice
                    .iter()
                    .chain(slices.flatten())
                    .for_each(|(digest, seen_at)| self.note(*digest, *seen_at));
                return Err(fault);
            }
        }
        Ok(())
    }
}

struct NoteUses(Vec<(SessionDigest, Timestamp)>);

impl Change for NoteUses {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, Trouble> {
        let uses = self.0.iter().map(|(digest, seen_at)| {
            (HEXLOWER.encode(digest.bytes()), Value::from(integer(seen_at.millis())))
        });
        // One statement for the whole slice. A session that ended meanwhile matches nothing.
        sqlx::query(
            "UPDATE sessions SET seen_at = noted.value FROM json_each(?1) AS noted
             WHERE digest = unhex(noted.key) AND seen_at < noted.value",
        )
        .bind(json!(uses.collect::<serde_json::Map<_, _>>()).to_string())
        .execute(transaction)
        .await?;
        Ok(Written::without_table(()))
    }
}
