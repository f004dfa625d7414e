//! How commands reach a running server: a socket in `data_dir` that only its owner may open, one JSON line each way. In: an
//! [`Ask`]. Out: an [`Answer`], given by the same [`crate::operator::Operator`] that a command uses when no server runs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vestibule_core::key::KeyState;
use vestibule_core::rotation::Begin;

mod address;
pub(crate) mod client;
mod peer;
pub(crate) mod server;
pub(crate) mod view;

use view::{AccountView, ClientView, Explanation, KeyView, SessionView, VerifiedView};

/// Rises when either side would misunderstand the other.
const VERSION: u32 = 2;
/// The longest question: some accounts to import, each with its traits.
const MAX_ASK: usize = 256 * 1024;
/// The longest answer: a page of accounts with all their traits.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// How many entries of a listing come at once.
pub(crate) const PAGE: u32 = 200;

/// One line, either way. No Debug: questions carry credentials.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line<T> {
    version: u32,
    body: T,
}

/// What an operator wants. No Debug: some carry a credential or a password hash.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", tag = "ask", deny_unknown_fields)]
pub(crate) enum Ask {
    AccountAdd {
        identifier: String,
        traits: Option<String>,
        password_hash: Option<String>,
    },
    AccountImport {
        accounts: Vec<Import>,
        how: ImportHow,
    },
    AccountList {
        /// Those whose identifiers come after this one.
        after: Option<String>,
        /// Those whose identifiers have this within them.
        containing: Option<String>,
        which: Listed,
        /// How many at most.
        take: u32,
    },
    AccountRemove {
        who: String,
    },
    AccountSet {
        who: String,
        identifier: Option<String>,
        traits: Option<String>,
        password_hash: Option<String>,
    },
    AccountShow {
        who: String,
    },
    AccountStatus {
        who: String,
        status: String,
    },
    AccountUnthrottle {
        who: String,
    },
    ClientAdd {
        registration: Registration,
    },
    ClientList {
        skip: u32,
    },
    ClientRemove {
        client: String,
    },
    Explain {
        credential: Presented,
        url: String,
        method: String,
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    KeyList,
    KeyRetire {
        key_id: String,
        begin: Beginning,
    },
    KeyRotate {
        begin: Beginning,
        #[serde(default)]
        of: Purpose,
    },
    SessionEnd {
        which: Which,
    },
    SessionList {
        of: Option<String>,
        skip: u32,
    },
    SessionShow {
        session: String,
    },
    TokenVerify {
        jwt: String,
        audience: String,
    },
}

/// Which accounts are listed.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Listed {
    All,
    /// Those whose owners must wait before the next attempt, for what was guessed.
    Throttled,
}

/// An account of another program. No Debug: it carries a password hash.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Import {
    pub(crate) identifier: String,
    #[serde(default)]
    pub(crate) password_hash: Option<String>,
    /// `enabled` (default) or `disabled`.
    #[serde(default)]
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) traits: Option<Map<String, Value>>,
}

/// Whether accounts are added, or only judged.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ImportHow {
    Add,
    Judge,
}

/// What came of one account to import.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Imported {
    /// Added, or it would be.
    Added,
    /// Nothing was changed: its identifier has an account.
    Exists,
    /// Could not tell; nothing is known to have been added.
    Fault { what: String },
    /// Nothing was changed: this field is wrong.
    Refused { field: String, what: String },
}

/// A client to be added; one without keys gets a secret.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    pub(crate) name: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) exchanges: bool,
    pub(crate) serves: Option<String>,
    /// A JWK set.
    pub(crate) keys: Option<String>,
}

/// The credential to explain.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Presented {
    Bearer(String),
    Cookie(String),
}

/// When a new key begins to sign.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Beginning {
    Ahead,
    Now,
}

impl From<Beginning> for Begin {
    fn from(beginning: Beginning) -> Self {
        match beginning {
            Beginning::Ahead => Self::Ahead,
            Beginning::Now => Self::Now,
        }
    }
}

/// Which keys.
#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Purpose {
    Edge,
    #[default]
    Services,
}

/// Which sessions to end.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Which {
    Everyone,
    One(String),
    Subject(String),
}

/// What came of it. No Debug: one carries a secret.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub(crate) enum Answer {
    Account {
        account: AccountView,
    },
    Accounts {
        accounts: Vec<AccountView>,
        /// After which identifier the listing goes on; none where this is its end.
        more_after: Option<String>,
    },
    /// With its secret, which nobody is told again.
    ClientAdded {
        client: ClientView,
        secret: Option<String>,
    },
    Clients {
        clients: Vec<ClientView>,
    },
    /// Done; so many sessions ended with it.
    Done {
        ended: usize,
    },
    Explanation {
        explanation: Box<Explanation>,
    },
    /// Could not tell: exit 3.
    Fault {
        what: String,
    },
    Key {
        key: KeyView,
    },
    /// One key is withdrawn; `successor` signs from now on, where it was the one that signed.
    KeyRetired {
        successor: Option<KeyView>,
    },
    Keys {
        keys: Vec<KeyView>,
    },
    /// One for each account, in their order.
    Imported {
        accounts: Vec<Imported>,
    },
    /// No, or not found: exit 1.
    Refused {
        what: String,
    },
    Session {
        session: SessionView,
    },
    Sessions {
        sessions: Vec<SessionView>,
    },
    Verified {
        verified: VerifiedView,
    },
}

impl From<KeyState> for view::StateWord {
    fn from(state: KeyState) -> Self {
        Self(state.name().to_owned())
    }
}
