//! What operators are shown of accounts, clients, sessions, keys and decisions: the JSON of `--json`, and what tables are made of. No
//! secrets are in it: password hashes, session tokens and private keys have no way here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vestibule_core::Timestamp;
use vestibule_core::account::Account;
use vestibule_core::client::{Client, ClientProof};
use vestibule_core::key::KeyRecord;
use vestibule_core::session::Session;
use vestibule_core::throttle::AccountCounter;

/// An account.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct AccountView {
    pub(crate) subject: String,
    pub(crate) identifier: String,
    pub(crate) status: String,
    pub(crate) has_password: bool,
    pub(crate) traits: Map<String, Value>,
    pub(crate) epoch: u64,
    pub(crate) created_at: String,
    /// Where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) standing: Option<StandingView>,
}

/// How an account is used, and what is guessed at it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct StandingView {
    pub(crate) last_sign_in_at: Option<String>,
    /// Live ones.
    pub(crate) sessions: usize,
    pub(crate) throttle: ThrottleView,
}

/// Failed attempts in a row.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ThrottleView {
    /// On devices that it was signed in on before, all together.
    pub(crate) known_devices: TallyView,
    /// By everybody else.
    pub(crate) strangers: TallyView,
}

/// What is remembered of attempts.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct TallyView {
    pub(crate) failures: u32,
    pub(crate) last_at: Option<String>,
    /// When the next one is looked at; none where that is now.
    pub(crate) next_at: Option<String>,
}

impl TallyView {
    pub(crate) fn of(tally: AccountCounter, now: Timestamp) -> Self {
        Self {
            failures: tally.failures,
            last_at: (tally.failures > 0).then(|| moment(tally.counted_at)),
            next_at: (tally.not_before > now).then(|| moment(tally.not_before)),
        }
    }
}

impl ThrottleView {
    pub(crate) const fn makes_wait(&self) -> bool {
        self.known_devices.next_at.is_some() || self.strangers.next_at.is_some()
    }
}

/// An OAuth client.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ClientView {
    pub(crate) client_id: String,
    pub(crate) name: String,
    /// How it proves who it is, as the server's metadata calls it.
    pub(crate) auth_method: String,
    /// The names of its keys; none where it has a secret.
    pub(crate) key_ids: Vec<String>,
    pub(crate) audiences: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) exchanges: bool,
    pub(crate) serves: Option<String>,
    pub(crate) added_at: String,
}

/// A live session.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SessionView {
    pub(crate) session: String,
    pub(crate) subject: String,
    /// Its account's; none where that has just been removed.
    #[serde(default)]
    pub(crate) identifier: Option<String>,
    pub(crate) kind: String,
    pub(crate) version: u32,
    pub(crate) epoch: u64,
    pub(crate) opened_at: String,
    /// When its holder last showed a password.
    pub(crate) proven_at: String,
    /// When its session token was issued.
    pub(crate) issued_at: String,
    pub(crate) seen_at: String,
    pub(crate) ends_at: String,
    pub(crate) idle_seconds: u64,
    pub(crate) acr: String,
    pub(crate) amr: Vec<String>,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: String,
}

/// A signing key's public side.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct KeyView {
    pub(crate) key_id: String,
    /// `edge` or `services`.
    pub(crate) purpose: String,
    pub(crate) algorithm: String,
    pub(crate) state: StateWord,
    pub(crate) created_at: String,
    pub(crate) active_from: String,
    pub(crate) gone_at: Option<String>,
}

/// `active`, `waiting`, `retiring` or `retired`.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct StateWord(pub(crate) String);

/// A JWT that verified.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct VerifiedView {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
}

/// How one request was decided.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Explanation {
    /// `permit`, `challenge` or `deny`.
    pub(crate) outcome: String,
    /// The reject's code; none for a permit.
    pub(crate) code: Option<String>,
    pub(crate) steps: Vec<StepView>,
    pub(crate) jwt: Option<JwtView>,
}

/// One step, with what was found.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct StepView {
    pub(crate) step: String,
    pub(crate) found: Map<String, Value>,
}

/// The JWT that the service behind would get; its claims, not itself.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct JwtView {
    pub(crate) audience: String,
    pub(crate) key_id: String,
    pub(crate) algorithm: String,
    /// Whether it was kept from an earlier request.
    pub(crate) reused: bool,
    pub(crate) expires_in_seconds: u64,
    pub(crate) bytes: usize,
    /// How it is encrypted to its audience, if it is: then what it says cannot be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption: Option<String>,
    pub(crate) claims: Map<String, Value>,
    /// What it does not say, though its audience asks for it and the account has it.
    #[serde(default)]
    pub(crate) dropped: Vec<DroppedView>,
}

/// A claim that a JWT does not say.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct DroppedView {
    pub(crate) claim: String,
    /// `size`: the JWT would have been larger than `tokens.largest_jwt`, or it and its plain copies by more than 2 KiB; `shape`: verifiers
    /// read nothing that is so deep or wide.
    pub(crate) because: String,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        Self {
            subject: account.subject.to_string(),
            identifier: account.identifier.as_str().to_owned(),
            status: account.status.name().to_owned(),
            has_password: account.password.is_some(),
            traits: account.traits.as_map().clone(),
            epoch: account.epoch,
            created_at: moment(account.created_at),
            standing: None,
        }
    }
}

impl From<&Client> for ClientView {
    fn from(client: &Client) -> Self {
        let mut key_ids: Vec<String> = match &client.proof {
            ClientProof::Keys(keys) => keys.iter().map(|key| key.key_id().to_string()).collect(),
            ClientProof::Secret(_) => Vec::new(),
        };
        key_ids.sort();
        Self {
            client_id: client.id.to_string(),
            name: client.name.clone(),
            auth_method: client.proof.method().to_owned(),
            key_ids,
            audiences: client.audiences.clone(),
            scopes: client.scopes.clone(),
            exchanges: client.exchanges,
            serves: client.serves.clone(),
            added_at: moment(client.added_at),
        }
    }
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        Self {
            session: session.id.to_string(),
            subject: session.subject.to_string(),
            identifier: None,
            kind: session.kind.name().to_owned(),
            version: session.version,
            epoch: session.epoch,
            opened_at: moment(session.opened_at),
            proven_at: moment(session.proven_at),
            issued_at: moment(session.issued_at),
            seen_at: moment(session.seen_at),
            ends_at: moment(session.ends_at),
            idle_seconds: session.idle.as_secs(),
            acr: session.assurance.acr().to_owned(),
            amr: session.amr.names().map(str::to_owned).collect(),
            address: session.device.address.map(|it| it.to_string()),
            user_agent: session.device.user_agent.clone(),
        }
    }
}

impl KeyView {
    pub(crate) fn of(record: &KeyRecord, all: &[KeyRecord], now: Timestamp) -> Self {
        Self {
            key_id: record.key_id.as_str().to_owned(),
            purpose: record.purpose.name().to_owned(),
            algorithm: record.algorithm.name().to_owned(),
            state: record.state(all, now).into(),
            created_at: moment(record.created_at),
            active_from: moment(record.active_from),
            gone_at: record.gone_at.map(moment),
        }
    }
}

/// RFC 3339, UTC, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    let seconds = i64::try_from(at.unix_seconds()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "never".to_owned(), |at| at.to_string())
}
