//! Accounts, and what a change of one means for its sessions, in one step.
//! In: identifiers, hashes, traits. Out: accounts, and which sessions ended.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use vestibule_core::Fault;
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::port::{Accounts, Added, Changed, Ending, PasswordAuthority, PasswordLookup, Renamed};
use vestibule_core::session::{Reissue, Session, SessionDigest};

use super::SqliteStore;
use super::error::SqliteError;
use super::opening::renewed;
use super::rows::{self, AccountRow, PasswordLookupRow, SessionRow, integer};
use super::sessions::end;
use super::writer::{Change, Written};
use crate::table::TableChange;

#[async_trait]
impl Accounts for SqliteStore {
    async fn add(&self, account: Account) -> Result<Added, Fault> {
        self.writer.write(Add(account)).await
    }

    async fn find_by_identifier(&self, identifier: &Identifier) -> Result<Option<Account>, Fault> {
        let question = async {
            let row: Option<AccountRow> = sqlx::query_as("SELECT * FROM accounts WHERE identifier = ?1")
                .bind(identifier.as_str())
                .fetch_optional(&self.readers)
                .await?;
            row.map(AccountRow::read).transpose()
        };
        self.read(question).await
    }

    async fn find(&self, subject: Subject) -> Result<Option<Account>, Fault> {
        let question = async {
            let row: Option<AccountRow> = sqlx::query_as("SELECT * FROM accounts WHERE subject = ?1")
                .bind(&subject.bytes()[..])
                .fetch_optional(&self.readers)
                .await?;
            row.map(AccountRow::read).transpose()
        };
        self.read(question).await
    }

    async fn find_to_sign_in(
        &self,
        identifier: Option<&Identifier>,
        near: Subject,
    ) -> Result<PasswordLookup, Fault> {
        let question = async {
            let row: PasswordLookupRow = sqlx::query_as(
                "WITH next AS (SELECT password FROM accounts WHERE subject >= ?2 ORDER BY subject LIMIT 1)
                 SELECT account.*, CASE WHEN EXISTS (SELECT 1 FROM next) THEN (SELECT password FROM next)
                                   ELSE (SELECT password FROM accounts ORDER BY subject LIMIT 1) END AS lent
                 FROM (SELECT 1) LEFT JOIN accounts AS account ON account.identifier = ?1",
            )
            .bind(identifier.map(Identifier::as_str))
            .bind(&near.bytes()[..])
            .fetch_one(&self.readers)
            .await?;
            row.read()
        };
        self.read(question).await
    }

    async fn upgrade_password(
        &self,
        subject: Subject,
        old: &PasswordHash,
        new: PasswordHash,
    ) -> Result<(), Fault> {
        self.writer.write(UpgradePassword { subject, old: old.clone(), new }).await
    }

    async fn set_password(
        &self,
        subject: Subject,
        new: PasswordHash,
        warrant: PasswordAuthority,
    ) -> Result<Changed, Fault> {
        self.writer.write(SetPassword { subject, new, warrant }).await
    }

    async fn set_identifier(
        &self,
        subject: Subject,
        new: Identifier,
        epoch: Option<u64>,
    ) -> Result<Renamed, Fault> {
        self.writer.write(SetIdentifier { subject, new, epoch }).await
    }

    async fn set_traits(&self, subject: Subject, traits: Traits) -> Result<Changed, Fault> {
        self.writer.write(SetTraits { subject, traits }).await
    }

    async fn set_status(&self, subject: Subject, status: Status) -> Result<Changed, Fault> {
        self.writer.write(SetStatus { subject, status }).await
    }

    async fn remove(&self, subject: Subject) -> Result<Changed, Fault> {
        self.writer.write(Remove(subject)).await
    }
}

struct Add(Account);

impl Change for Add {
    type Answer = Added;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Added>, SqliteError> {
        let account = &self.0;
        let added = sqlx::query(
            "INSERT INTO accounts (subject, identifier, password, traits, status, epoch, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (identifier) DO NOTHING",
        )
        .bind(&account.subject.bytes()[..])
        .bind(account.identifier.as_str())
        .bind(account.password.as_ref().map(PasswordHash::reveal))
        .bind(account.traits.to_json())
        .bind(account.status.name())
        .bind(integer(account.epoch))
        .bind(integer(account.created_at.millis()))
        .execute(transaction)
        .await;
        match added {
            Ok(done) if done.rows_affected() == 0 => Ok(Written::without_table(Added::IdentifierTaken)),
            Ok(_) => Ok(Written::without_table(Added::Added)),
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                Err(SqliteError::Bug("an account was added under a subject that is in use"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

struct UpgradePassword {
    subject: Subject,
    old: PasswordHash,
    new: PasswordHash,
}

impl Change for UpgradePassword {
    type Answer = ();

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<()>, SqliteError> {
        sqlx::query("UPDATE accounts SET password = ?3 WHERE subject = ?1 AND password = ?2")
            .bind(&self.subject.bytes()[..])
            .bind(self.old.reveal())
            .bind(self.new.reveal())
            .execute(transaction)
            .await?;
        Ok(Written::without_table(()))
    }
}

struct SetPassword {
    subject: Subject,
    new: PasswordHash,
    warrant: PasswordAuthority,
}

impl Change for SetPassword {
    type Answer = Changed;

    /// Raises the epoch as well: a login that was shown the old password and has not opened its session yet must not open it any
    /// more. The session that stays is lifted into the new epoch.
    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Changed>, SqliteError> {
        let epoch: Option<i64> = sqlx::query_scalar(
            "UPDATE accounts SET password = ?2, epoch = epoch + 1
             WHERE subject = ?1 AND (?3 IS NULL OR epoch = ?3) RETURNING epoch",
        )
        .bind(&self.subject.bytes()[..])
        .bind(self.new.reveal())
        .bind(match self.warrant {
            PasswordAuthority::Operator => None,
            PasswordAuthority::Owner { epoch, .. } => Some(integer(epoch)),
        })
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(epoch) = epoch else { return Ok(Written::without_table(Changed::Unknown)) };
        let which = match self.warrant.keeps() {
            Some(keep) => Ending::Others { subject: self.subject, keep },
            None => Ending::Subject(self.subject),
        };
        let mut ended = end(which, &mut *transaction).await?;
        let kept: Option<SessionRow> = sqlx::query_as(
            "UPDATE sessions SET epoch = ?2, version = version + 1 WHERE subject = ?1 RETURNING *",
        )
        .bind(&self.subject.bytes()[..])
        .bind(epoch)
        .fetch_optional(&mut *transaction)
        .await?;
        let kept = kept.map(SessionRow::read).transpose()?;
        let kept = match (kept, self.warrant) {
            (Some(kept), PasswordAuthority::Owner { reissue, .. }) => {
                reissue_as(kept, reissue, transaction).await?
            }
            _ => None,
        };
        if let Some((old, kept)) = &kept {
            ended.table.extend([TableChange::End(*old), TableChange::Open(kept.clone())]);
        }
        let answer = Changed::Changed { ended: ended.answer, kept: kept.map(|(_, kept)| kept) };
        Ok(Written { answer, table: ended.table })
    }
}

/// A session under its new session token, with the digest that it had.
async fn reissue_as(
    kept: Session,
    reissue: Reissue,
    transaction: &mut SqliteConnection,
) -> Result<Option<(SessionDigest, Box<Session>)>, SqliteError> {
    let old = kept.digest;
    match renewed(&old, kept, reissue, transaction).await? {
        Some(session) => Ok(Some((old, Box::new(session)))),
        None => Ok(None),
    }
}

struct SetIdentifier {
    subject: Subject,
    new: Identifier,
    epoch: Option<u64>,
}

impl Change for SetIdentifier {
    type Answer = Renamed;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Renamed>, SqliteError> {
        let holders: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT subject FROM accounts WHERE (subject = ?1 AND (?3 IS NULL OR epoch = ?3)) OR (identifier = ?2 AND subject <> ?1)",
        )
        .bind(&self.subject.bytes()[..])
        .bind(self.new.as_str())
        .bind(self.epoch.map(integer))
        .fetch_all(&mut *transaction)
        .await?;
        if !holders.iter().any(|holder| holder == self.subject.bytes()) {
            return Ok(Written::without_table(Renamed::Unknown));
        }
        if holders.len() > 1 {
            return Ok(Written::without_table(Renamed::Taken));
        }
        sqlx::query("UPDATE accounts SET identifier = ?2 WHERE subject = ?1")
            .bind(&self.subject.bytes()[..])
            .bind(self.new.as_str())
            .execute(&mut *transaction)
            .await?;
        Ok(Written { answer: Renamed::Renamed, table: renew(self.subject, transaction).await? })
    }
}

/// Gives every session of an account a new version: what was minted for the old one is not handed out again.
async fn renew(
    subject: Subject,
    transaction: &mut SqliteConnection,
) -> Result<Vec<TableChange>, SqliteError> {
    let renewed: Vec<(Vec<u8>, i64)> = sqlx::query_as(
        "UPDATE sessions SET version = version + 1 WHERE subject = ?1 RETURNING digest, version",
    )
    .bind(&subject.bytes()[..])
    .fetch_all(transaction)
    .await?;
    let changes = renewed.into_iter().map(|(digest, version)| {
        let version =
            u32::try_from(version).map_err(|_| SqliteError::corrupt("a stored session", "version"))?;
        Ok(TableChange::Renew(rows::digest(&digest)?, version))
    });
    changes.collect()
}

struct SetTraits {
    subject: Subject,
    traits: Traits,
}

impl Change for SetTraits {
    type Answer = Changed;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Changed>, SqliteError> {
        let known = sqlx::query("UPDATE accounts SET traits = ?2 WHERE subject = ?1")
            .bind(&self.subject.bytes()[..])
            .bind(self.traits.to_json())
            .execute(&mut *transaction)
            .await?;
        if known.rows_affected() == 0 {
            return Ok(Written::without_table(Changed::Unknown));
        }
        let answer = Changed::Changed { ended: Vec::new(), kept: None };
        Ok(Written { answer, table: renew(self.subject, transaction).await? })
    }
}

struct SetStatus {
    subject: Subject,
    status: Status,
}

impl Change for SetStatus {
    type Answer = Changed;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Changed>, SqliteError> {
        let raise = match self.status {
            Status::Disabled => 1,
            Status::Enabled => 0,
        };
        let known = sqlx::query("UPDATE accounts SET status = ?2, epoch = epoch + ?3 WHERE subject = ?1")
            .bind(&self.subject.bytes()[..])
            .bind(self.status.name())
            .bind(raise)
            .execute(&mut *transaction)
            .await?;
        match self.status {
            _ if known.rows_affected() == 0 => Ok(Written::without_table(Changed::Unknown)),
            Status::Disabled => Ok(changed(end(Ending::Subject(self.subject), transaction).await?)),
            Status::Enabled => Ok(Written::without_table(Changed::Changed { ended: Vec::new(), kept: None })),
        }
    }
}

struct Remove(Subject);

impl Change for Remove {
    type Answer = Changed;

    async fn write(&mut self, transaction: &mut SqliteConnection) -> Result<Written<Changed>, SqliteError> {
        let ended = end(Ending::Subject(self.0), &mut *transaction).await?;
        sqlx::query("DELETE FROM sign_ins WHERE subject = ?1")
            .bind(&self.0.bytes()[..])
            .execute(&mut *transaction)
            .await?;
        let known = sqlx::query("DELETE FROM accounts WHERE subject = ?1")
            .bind(&self.0.bytes()[..])
            .execute(transaction)
            .await?;
        if known.rows_affected() == 0 {
            return Ok(Written::without_table(Changed::Unknown));
        }
        Ok(changed(ended))
    }
}

fn changed(ended: Written<Vec<SessionId>>) -> Written<Changed> {
    Written { answer: Changed::Changed { ended: ended.answer, kept: None }, table: ended.table }
}
