//! OAuth clients: all in memory, beside the sessions, changed by the writer alone; and the assertions that they have shown, which are
//! on disk alone, since each is looked at once.
//! In: clients and shown assertions. Out: clients, and whether an assertion counted.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::client::{Client, ClientId, ClientProof, ShownAssertion};
use vestibule_core::port::{Clients, Consumed, OneTime, Page};
use vestibule_core::{Fault, Timestamp};

use super::SqliteStore;
use super::error::SqliteError;
use super::rows::{ClientRow, integer};
use super::writer::{Change, Written};
use crate::table::{Table, TableChange};

/// Assertions that one change forgets.
const SLICE: i64 = 256;

/// Reads every client into the table.
pub(super) async fn load(table: &Table, connection: &mut SqliteConnection) -> Result<(), SqliteError> {
    let rows: Vec<ClientRow> = sqlx::query_as("SELECT * FROM clients").fetch_all(connection).await?;
    for row in rows {
        table.apply(TableChange::AddClient(Arc::new(row.read()?)));
    }
    Ok(())
}

#[async_trait]
impl Clients for SqliteStore {
    async fn add(&self, client: Client) -> Result<(), Fault> {
        self.writer.write(Add(Arc::new(client))).await
    }

    async fn find(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        Ok(self.table.client(id))
    }

    async fn all(&self, page: Page) -> Result<Vec<Client>, Fault> {
        let question = async {
            let rows: Vec<ClientRow> =
                sqlx::query_as("SELECT * FROM clients ORDER BY number LIMIT ?1 OFFSET ?2")
                    .bind(i64::from(page.take))
                    .bind(i64::from(page.skip))
                    .fetch_all(&self.readers)
                    .await?;
            rows.into_iter().map(ClientRow::read).collect()
        };
        self.read(question).await
    }

    async fn remove(&self, id: &ClientId) -> Result<bool, Fault> {
        self.writer.write(Remove(*id)).await
    }
}

#[async_trait]
impl OneTime for SqliteStore {
    async fn consume(&self, shown: ShownAssertion, now: Timestamp) -> Result<Consumed, Fault> {
        self.writer.write(Consume { shown, now }).await
    }
}

struct Add(Arc<Client>);

impl Change for Add {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, SqliteError> {
        let client = &self.0;
        let (secret, keys) = match &client.proof {
            ClientProof::Keys(keys) => (None, Some(keys.to_jwks().to_string())),
            ClientProof::Secret(digest) => (Some(digest.bytes().to_vec()), None),
        };
        let list = |texts: &[String]| serde_json::Value::from(texts.to_vec()).to_string();
        sqlx::query(
            "INSERT INTO clients (id, name, secret, keys, audiences, scopes, exchanges, serves, added_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .bind(&client.id.bytes()[..])
        .bind(&client.name)
        .bind(secret)
        .bind(keys)
        .bind(list(&client.audiences))
        .bind(list(&client.scopes))
        .bind(client.exchanges)
        .bind(&client.serves)
        .bind(integer(client.added_at.millis()))
        .execute(transaction)
        .await
        .map_err(|error| {
            SqliteError::or_bug_if_taken(error, "a client was added under a client id that is in use")
        })?;
        Ok(Written { answer: (), table: vec![TableChange::AddClient(Arc::clone(client))] })
    }
}

struct Remove(ClientId);

impl Change for Remove {
    type Answer = bool;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<bool>, SqliteError> {
        let removed = sqlx::query("DELETE FROM clients WHERE id = ?1")
            .bind(&self.0.bytes()[..])
            .execute(transaction)
            .await?;
        Ok(Written { answer: removed.rows_affected() > 0, table: vec![TableChange::RemoveClient(self.0)] })
    }
}

struct Consume {
    shown: ShownAssertion,
    now: Timestamp,
}

impl Change for Consume {
    type Answer = Consumed;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Consumed>, SqliteError> {
        let ShownAssertion { client, digest, forget_after } = &self.shown;
        let known: Option<i64> =
            sqlx::query_scalar("SELECT forget_after FROM shown_assertions WHERE client = ?1 AND digest = ?2")
                .bind(&client.bytes()[..])
                .bind(&digest[..])
                .fetch_optional(&mut *transaction)
                .await?;
        if known.is_some() {
            return Ok(Written::without_table(Consumed::Again));
        }
        // What has had its time is not counted, so it makes room by itself; but it is forgotten by a sweep alone, whose clock has gone
        // steadily: this one may be ahead for a moment, and what is forgotten by it would be good once more when it is set right.
        let held: i64 = sqlx::query_scalar(
            // By age, so that what waits for the sweep is not counted through.
            "SELECT count(*) FROM shown_assertions INDEXED BY shown_assertions_by_age
             WHERE client = ?1 AND forget_after > ?2",
        )
        .bind(&client.bytes()[..])
        .bind(integer(self.now.millis()))
        .fetch_one(&mut *transaction)
        .await?;
        if usize::try_from(held).is_ok_and(|held| held >= ShownAssertion::MOST) {
            return Ok(Written::without_table(Consumed::Full));
        }
        sqlx::query("INSERT INTO shown_assertions (client, digest, forget_after) VALUES (?1, ?2, ?3)")
            .bind(&client.bytes()[..])
            .bind(&digest[..])
            .bind(integer(forget_after.millis()))
            .execute(transaction)
            .await?;
        Ok(Written::without_table(Consumed::First))
    }
}

/// Forgets assertions that nobody would take any more at `now`; answers how many, which is 0 when none are left.
pub(super) struct ForgetAssertions {
    pub(super) now: Timestamp,
}

impl Change for ForgetAssertions {
    type Answer = u64;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<u64>, SqliteError> {
        let forgotten = sqlx::query(
            "DELETE FROM shown_assertions WHERE (client, digest) IN
                 (SELECT client, digest FROM shown_assertions WHERE forget_after <= ?1 LIMIT ?2)",
        )
        .bind(integer(self.now.millis()))
        .bind(SLICE)
        .execute(transaction)
        .await?;
        Ok(Written::without_table(forgotten.rows_affected()))
    }
}
