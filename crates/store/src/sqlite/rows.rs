//! Rows as they lie in the database, and the records they stand for. A row that we cannot have written is corrupt: told as a
//! fault, never guessed at.
//! In: columns. Out: records of core.

use std::net::IpAddr;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sqlx::FromRow;
use vestibule_core::Timestamp;
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::client::{Client, ClientId, ClientProof, ClientSecretDigest};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::key::{KeyPurpose, KeyRecord, SealedKey};
use vestibule_core::port::PasswordLookup;
use vestibule_core::principal::{Amr, Assurance};
use vestibule_core::session::{Device, Session, SessionDigest, SessionKind};
use vestibule_core::verify::{Algorithm, KeyId, KeySet};

use super::error::SqliteError;

#[derive(FromRow)]
pub(super) struct SessionRow {
    digest: Vec<u8>,
    id: Vec<u8>,
    subject: Vec<u8>,
    version: i64,
    epoch: i64,
    kind: String,
    opened_at: i64,
    proven_at: i64,
    seen_at: i64,
    issued_at: i64,
    idle: i64,
    ends_at: i64,
    assurance: i64,
    amr: i64,
    address: Option<String>,
    user_agent: String,
}

impl SessionRow {
    pub(super) fn read(self) -> Result<Session, SqliteError> {
        let corrupt = |column: &str| SqliteError::corrupt("a stored session", column);
        Ok(Session {
            digest: digest(&self.digest)?,
            id: session_id(&self.id)?,
            subject: subject(&self.subject)?,
            version: u32::try_from(self.version).map_err(|_| corrupt("version"))?,
            epoch: unsigned(self.epoch).ok_or_else(|| corrupt("epoch"))?,
            kind: SessionKind::parse(&self.kind).ok_or_else(|| corrupt("kind"))?,
            opened_at: timestamp(self.opened_at).ok_or_else(|| corrupt("opened_at"))?,
            proven_at: timestamp(self.proven_at).ok_or_else(|| corrupt("proven_at"))?,
            seen_at: timestamp(self.seen_at).ok_or_else(|| corrupt("seen_at"))?,
            issued_at: timestamp(self.issued_at).ok_or_else(|| corrupt("issued_at"))?,
            idle: unsigned(self.idle).map(Duration::from_millis).ok_or_else(|| corrupt("idle"))?,
            ends_at: timestamp(self.ends_at).ok_or_else(|| corrupt("ends_at"))?,
            assurance: u8::try_from(self.assurance)
                .ok()
                .and_then(Assurance::from_level)
                .ok_or_else(|| corrupt("assurance"))?,
            amr: u8::try_from(self.amr).ok().and_then(Amr::from_bits).ok_or_else(|| corrupt("amr"))?,
            device: Device {
                address: match self.address {
                    Some(text) => Some(text.parse::<IpAddr>().map_err(|_| corrupt("address"))?),
                    None => None,
                },
                user_agent: self.user_agent,
            },
        })
    }
}

/// A session with its place in the order of opening.
#[derive(FromRow)]
pub(super) struct NumberedSession {
    pub(super) number: i64,
    #[sqlx(flatten)]
    pub(super) session: SessionRow,
}

#[derive(FromRow)]
pub(super) struct AccountRow {
    subject: Vec<u8>,
    identifier: String,
    password: Option<String>,
    traits: String,
    status: String,
    epoch: i64,
    created_at: i64,
}

impl AccountRow {
    pub(super) fn read(self) -> Result<Account, SqliteError> {
        let corrupt = |column: &str| SqliteError::corrupt("a stored account", column);
        let identifier = Identifier::known(&self.identifier).map_err(|_| corrupt("identifier"))?;
        if identifier.as_str() != self.identifier {
            return Err(corrupt("identifier"));
        }
        Ok(Account {
            subject: subject(&self.subject)?,
            identifier,
            password: self.password.map(PasswordHash::from_phc),
            traits: Traits::parse(&self.traits).map_err(|_| corrupt("traits"))?,
            status: Status::parse(&self.status).ok_or_else(|| corrupt("status"))?,
            epoch: unsigned(self.epoch).ok_or_else(|| corrupt("epoch"))?,
            created_at: timestamp(self.created_at).ok_or_else(|| corrupt("created_at"))?,
        })
    }
}

/// An account, if there is one, and a hash that another one lends.
#[derive(FromRow)]
pub(super) struct PasswordLookupRow {
    subject: Option<Vec<u8>>,
    identifier: Option<String>,
    password: Option<String>,
    traits: Option<String>,
    status: Option<String>,
    epoch: Option<i64>,
    created_at: Option<i64>,
    lent: Option<String>,
}

impl PasswordLookupRow {
    pub(super) fn read(self) -> Result<PasswordLookup, SqliteError> {
        let account =
            match (self.subject, self.identifier, self.traits, self.status, self.epoch, self.created_at) {
                (
                    Some(subject),
                    Some(identifier),
                    Some(traits),
                    Some(status),
                    Some(epoch),
                    Some(created_at),
                ) => {
                    let password = self.password;
                    let row = AccountRow { subject, identifier, password, traits, status, epoch, created_at };
                    Some(row.read()?)
                }
                _ => None,
            };
        Ok(PasswordLookup { account, lent: self.lent.map(PasswordHash::from_phc) })
    }
}

#[derive(FromRow)]
pub(super) struct KeyRow {
    key_id: String,
    algorithm: String,
    sealed: Vec<u8>,
    created_at: i64,
    active_from: i64,
    gone_at: Option<i64>,
    purpose: String,
}

impl KeyRow {
    pub(super) fn read(self) -> Result<KeyRecord, SqliteError> {
        let corrupt = |column: &str| SqliteError::corrupt("a stored signing key", column);
        Ok(KeyRecord {
            key_id: KeyId::parse(&self.key_id).map_err(|_| corrupt("key_id"))?,
            purpose: KeyPurpose::parse(&self.purpose).ok_or_else(|| corrupt("purpose"))?,
            algorithm: Algorithm::parse(&self.algorithm).ok_or_else(|| corrupt("algorithm"))?,
            sealed: SealedKey::from_bytes(self.sealed),
            created_at: timestamp(self.created_at).ok_or_else(|| corrupt("created_at"))?,
            active_from: timestamp(self.active_from).ok_or_else(|| corrupt("active_from"))?,
            gone_at: match self.gone_at {
                Some(at) => Some(timestamp(at).ok_or_else(|| corrupt("gone_at"))?),
                None => None,
            },
        })
    }
}

#[derive(FromRow)]
pub(super) struct ClientRow {
    id: Vec<u8>,
    name: String,
    secret: Option<Vec<u8>>,
    keys: Option<String>,
    audiences: String,
    scopes: String,
    exchanges: bool,
    serves: Option<String>,
    added_at: i64,
}

impl ClientRow {
    pub(super) fn read(self) -> Result<Client, SqliteError> {
        let corrupt = |column: &str| SqliteError::corrupt("a stored client", column);
        let list = |text: &str, column| serde_json::from_str(text).map_err(|_| corrupt(column));
        let proof = match (self.secret, self.keys) {
            (Some(secret), None) => {
                let digest = secret.try_into().map_err(|_| corrupt("secret"))?;
                ClientProof::Secret(ClientSecretDigest::from_bytes(digest))
            }
            (None, Some(keys)) => ClientProof::Keys(KeySet::from_jwks(&keys).map_err(|_| corrupt("keys"))?),
            _ => return Err(corrupt("secret")),
        };
        let client = Client {
            id: ClientId::from_bytes(self.id.try_into().map_err(|_| corrupt("id"))?),
            name: self.name,
            proof,
            audiences: list(&self.audiences, "audiences")?,
            scopes: list(&self.scopes, "scopes")?,
            exchanges: self.exchanges,
            serves: self.serves,
            added_at: timestamp(self.added_at).ok_or_else(|| corrupt("added_at"))?,
        };
        match client.check() {
            Ok(()) => Ok(client),
            Err(cause) => Err(corrupt(&cause.to_string())),
        }
    }
}

/// What changes of the session table answer with.
#[derive(FromRow)]
pub(super) struct EndedRow {
    digest: Vec<u8>,
    id: Vec<u8>,
}

impl EndedRow {
    pub(super) fn read(&self) -> Result<(SessionDigest, SessionId), SqliteError> {
        Ok((digest(&self.digest)?, session_id(&self.id)?))
    }
}

pub(super) fn digest(blob: &[u8]) -> Result<SessionDigest, SqliteError> {
    let bytes = blob.try_into().map_err(|_| SqliteError::corrupt("a stored session", "digest"))?;
    Ok(SessionDigest::from_bytes(bytes))
}

pub(super) fn session_id(blob: &[u8]) -> Result<SessionId, SqliteError> {
    let bytes = blob.try_into().map_err(|_| SqliteError::corrupt("a stored session", "id"))?;
    Ok(SessionId::from_bytes(bytes))
}

pub(super) fn subject(blob: &[u8]) -> Result<Subject, SqliteError> {
    let bytes = blob.try_into().map_err(|_| SqliteError::corrupt("a stored row", "subject"))?;
    Ok(Subject::from_bytes(bytes))
}

/// Blobs as one JSON array of hexadecimal texts: what a statement takes that asks for any number of them.
pub(super) fn hex_array<'a>(blobs: impl Iterator<Item = &'a [u8]>) -> String {
    serde_json::Value::from(blobs.map(|blob| HEXLOWER.encode(blob)).collect::<Vec<_>>()).to_string()
}

/// SQLite's integers are signed: what is beyond them (the end of time) is kept as the largest.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A span as it is kept, in milliseconds.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn timestamp(stored: i64) -> Option<Timestamp> {
    unsigned(stored).map(Timestamp::from_millis)
}

fn unsigned(stored: i64) -> Option<u64> {
    u64::try_from(stored).ok()
}
