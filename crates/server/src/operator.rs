//! What operators can do, the same through the control socket of a running server and on the store itself. In: an [`Ask`].
//! Out: an [`Answer`]; a fault is an answer too, never a yes.

use std::str::FromStr;
use std::sync::Arc;

use vestibule_core::Fault;
use vestibule_core::account::{Account, Identifier, PasswordHash, Status, Traits};
use vestibule_core::id::{SessionId, Subject};
use vestibule_core::key::{KeyPurpose, KeyRecord};
use vestibule_core::login::tallies_of;
use vestibule_core::port::{Added, Changed, Ending, Page};
use vestibule_core::rotation::{Begin, Retirement};
use vestibule_verify::{KeyId, Verifier};

use accounts::Changes;

use crate::assemble::App;
use crate::control::view::{AccountView, KeyView, VerifiedView};
use crate::control::{Answer, Ask, PAGE, Purpose, Which};

mod accounts;
mod clients;
mod explain;
mod import;

/// Does what operators ask.
pub(crate) struct Operator {
    app: Arc<App>,
}

/// Why something was not done.
enum Not {
    Fault(Fault),
    Refused(String),
    /// A fault after a part of it was done.
    Unfinished(String),
}

impl From<Fault> for Not {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Operator {
    pub(crate) fn new(app: Arc<App>) -> Self {
        Self { app }
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Does one thing.
    pub(crate) async fn answer(&self, ask: Ask) -> Answer {
        match self.attempt(ask).await {
            Ok(answer) => answer,
            Err(Not::Fault(fault)) => Answer::Fault { what: fault.report() },
            Err(Not::Refused(what)) => Answer::Refused { what },
            Err(Not::Unfinished(what)) => Answer::Fault { what },
        }
    }

    async fn attempt(&self, ask: Ask) -> Result<Answer, Not> {
        let stores = &self.app.stores;
        match ask {
            Ask::AccountAdd { identifier, traits, password_hash } => {
                self.add_account(&identifier, traits.as_deref(), password_hash).await
            }
            Ask::AccountImport { accounts, how } => {
                Ok(Answer::Imported { accounts: import::import(&self.app, accounts, how).await? })
            }
            Ask::AccountList { after, containing, which, take } => {
                accounts::list(&self.app, after, containing, which, take).await
            }
            Ask::AccountRemove { who } => {
                let account = self.account(&who).await?;
                self.changed(
                    &who,
                    "account.removed",
                    account.subject,
                    stores.accounts.remove(account.subject).await?,
                )
            }
            Ask::AccountSet { who, identifier, traits, password_hash } => {
                self.set_account(&who, Changes { identifier, traits, password_hash }).await
            }
            Ask::AccountShow { who } => {
                let account = self.account(&who).await?;
                Ok(Answer::Account { account: accounts::show(&self.app, &account).await? })
            }
            Ask::AccountStatus { who, status } => {
                let account = self.account(&who).await?;
                let status =
                    Status::parse(&status).ok_or_else(|| Not::Refused(format!("{status:?} is no status")))?;
                let event = match status {
                    Status::Disabled => "account.disabled",
                    Status::Enabled => "account.enabled",
                };
                let changed = stores.accounts.set_status(account.subject, status).await?;
                self.changed(&who, event, account.subject, changed)
            }
            Ask::AccountUnthrottle { who } => {
                let account = self.account(&who).await?;
                stores.throttle.forgive(&tallies_of(&self.app.pepper, &account)).await?;
                tracing::info!(target: "vestibule::event", event = "account.unthrottled", subject = %account.subject);
                Ok(Answer::Done { ended: 0 })
            }
            Ask::ClientAdd { registration } => clients::add(&self.app, registration).await,
            Ask::ClientList { skip } => clients::list(&self.app, skip).await,
            Ask::ClientRemove { client } => clients::remove(&self.app, &client).await,
            Ask::Explain { credential, url, method, headers } => {
                explain::explain(&self.app, credential, &url, &method, &headers).await
            }
            Ask::KeyList => {
                let mut records = stores.keys.all().await?;
                // Those that others see come first.
                records.sort_by_key(|record| std::cmp::Reverse(record.purpose));
                Ok(Answer::Keys { keys: records.iter().map(|it| self.key_view(it, &records)).collect() })
            }
            Ask::KeyRetire { key_id, begin } => self.retire_key(&key_id, begin.into()).await,
            Ask::KeyRotate { begin, of } => self.rotate_keys(begin.into(), of).await,
            Ask::SessionEnd { which } => self.end_sessions(which).await,
            Ask::SessionList { of, skip } => {
                let of = match of {
                    Some(who) => Some(self.account(&who).await?.subject),
                    None => None,
                };
                let page = Page { skip, take: PAGE };
                let sessions = stores.directory.sessions(of, page, self.app.clock.now()).await?;
                Ok(Answer::Sessions { sessions: accounts::sessions(&self.app, &sessions).await? })
            }
            Ask::SessionShow { session } => {
                let found = stores.directory.session(session_id(&session)?, self.app.clock.now()).await?;
                match found {
                    Some(session) => {
                        let views = accounts::sessions(&self.app, &[session]).await?;
                        let session = views.into_iter().next().ok_or(Fault::Bug("a session has no view"))?;
                        Ok(Answer::Session { session })
                    }
                    None => Err(Not::Refused(no_session(&session))),
                }
            }
            Ask::TokenVerify { jwt, audience } => self.verify(&jwt, audience),
        }
    }

    async fn add_account(
        &self,
        identifier: &str,
        traits: Option<&str>,
        password_hash: Option<String>,
    ) -> Result<Answer, Not> {
        let identifier = Identifier::parse(identifier).map_err(|cause| Not::Refused(cause.to_string()))?;
        let mut subject = [0; 16];
        self.app.entropy.fill(&mut subject)?;
        let account = Account {
            subject: Subject::from_bytes(subject),
            identifier,
            password: password_hash.map(PasswordHash::from_phc),
            traits: self.traits(traits)?,
            status: Status::Enabled,
            epoch: 1,
            created_at: self.app.clock.now(),
        };
        let view = AccountView::from(&account);
        match self.app.stores.accounts.add(account).await? {
            Added::Added => {
                tracing::info!(target: "vestibule::event", event = "account.added", subject = view.subject);
                Ok(Answer::Account { account: view })
            }
            Added::IdentifierTaken => {
                let what =
                    format!("{} has an account already; see `vestibule account show`", view.identifier);
                Err(Not::Refused(what))
            }
        }
    }

    async fn retire_key(&self, key_id: &str, begin: Begin) -> Result<Answer, Not> {
        let unknown = || Not::Refused(format!("there is no key {key_id}; see `vestibule key list`"));
        let key_id = KeyId::parse(key_id).map_err(|_| unknown())?;
        let name = key_id.as_str();
        let successor = match self.app.key_manager.retire(&key_id, begin).await? {
            Retirement::AlreadyRetired => {
                return Err(Not::Refused(format!("the key {name} is retired already; nothing was changed")));
            }
            Retirement::Signs => {
                let what = format!(
                    "the key {name} signs now; nothing was changed. `vestibule key retire --now {name}` withdraws it and lets another key sign at once"
                );
                return Err(Not::Refused(what));
            }
            Retirement::Unknown => return Err(unknown()),
            Retirement::Replaced(successor) => Some(successor),
            Retirement::Retired => None,
        };
        tracing::warn!(target: "vestibule::event", event = "key.retired", key.id = name);
        let records = self.app.stores.keys.all().await?;
        let successor = records.iter().find(|record| successor.as_ref() == Some(&record.key_id));
        if let Some(record) = successor {
            note_rotation(record);
        }
        Ok(Answer::KeyRetired { successor: successor.map(|record| self.key_view(record, &records)) })
    }

    async fn rotate_keys(&self, begin: Begin, of: Purpose) -> Result<Answer, Not> {
        let purpose = match of {
            Purpose::Edge => KeyPurpose::Edge,
            Purpose::Services => KeyPurpose::Services,
        };
        let record = self.app.key_manager.rotate(purpose, begin).await?;
        note_rotation(&record);
        let records = self.app.stores.keys.all().await?;
        Ok(Answer::Key { key: self.key_view(&record, &records) })
    }

    async fn end_sessions(&self, which: Which) -> Result<Answer, Not> {
        let ending = match &which {
            Which::Everyone => Ending::Everyone,
            Which::One(session) => Ending::One(session_id(session)?),
            Which::Subject(who) => Ending::Subject(self.account(who).await?.subject),
        };
        let ended = self.app.logout.end(ending).await?;
        if let (Which::One(session), true) = (&which, ended.is_empty()) {
            return Err(Not::Refused(no_session(session)));
        }
        if let Which::Everyone = which {
            // One line, not a million.
            tracing::info!(target: "vestibule::event", event = "session.ended", by = "operator", count = ended.len());
        } else {
            for id in &ended {
                tracing::info!(target: "vestibule::event", event = "session.ended", by = "operator", session.id = %id);
            }
        }
        Ok(Answer::Done { ended: ended.len() })
    }

    fn verify(&self, jwt: &str, audience: String) -> Result<Answer, Not> {
        let now = self.app.clock.now();
        let (ring, issuer) = (self.app.minter.ring(), self.app.minter.issuer());
        // Access tokens are for this gateway itself, and by keys of their own.
        let keys = if audience == issuer { ring.edge(now)? } else { ring.published(now)? };
        let verifier =
            Verifier::new(issuer, audience, keys).with_revocation(Arc::clone(&self.app.revocations));
        let claims = verifier
            .verify_at(jwt, now.unix_seconds())
            .map_err(|reject| Not::Refused(format!("refused ({}): {reject}", reject.code())))?;
        let header = vestibule_verify::inspect(jwt, now.unix_seconds())
            .map_err(|_| Fault::Bug("a JWT that verified cannot be read"))?
            .header;
        Ok(Answer::Verified { verified: VerifiedView { header, claims: claims.members().clone() } })
    }

    /// By subject or identifier.
    async fn account(&self, who: &str) -> Result<Account, Not> {
        let stores = &self.app.stores;
        if let Ok(subject) = Subject::from_str(who)
            && let Some(account) = stores.accounts.find(subject).await?
        {
            return Ok(account);
        }
        let found = match Identifier::known(who) {
            Ok(identifier) => stores.accounts.find_by_identifier(&identifier).await?,
            Err(_) => None,
        };
        found.ok_or_else(|| Not::Refused(no_account(who)))
    }

    /// Sessions that ended with a change are revoked for this process's verifiers, too.
    fn changed(&self, who: &str, event: &str, subject: Subject, changed: Changed) -> Result<Answer, Not> {
        match changed {
            Changed::Changed { ended, .. } => {
                self.app.logout.revoke(&ended);
                tracing::info!(target: "vestibule::event", event, subject = %subject, sessions.ended = ended.len());
                Ok(Answer::Done { ended: ended.len() })
            }
            Changed::Unknown => Err(Not::Refused(no_account(who))),
        }
    }

    /// Traits as they were typed, or none; either way as the operator's schema has them.
    fn traits(&self, text: Option<&str>) -> Result<Traits, Not> {
        let traits = text.map_or(Ok(Traits::default()), Traits::parse);
        let traits = traits.map_err(|cause| Not::Refused(cause.to_string()))?;
        if let Some(schema) = &self.app.settings.traits_schema {
            schema.check(&traits).map_err(Not::Refused)?;
        }
        Ok(traits)
    }

    fn key_view(&self, record: &KeyRecord, all: &[KeyRecord]) -> KeyView {
        KeyView::of(record, all, self.app.clock.now())
    }
}

fn note_rotation(record: &KeyRecord) {
    let (key_id, purpose) = (record.key_id.as_str(), record.purpose.name());
    tracing::info!(target: "vestibule::event", event = "key.rotated", key.id = key_id, key.purpose = purpose);
}

fn session_id(text: &str) -> Result<SessionId, Not> {
    text.parse().map_err(|_| Not::Refused(no_session(text)))
}

fn no_account(who: &str) -> String {
    format!("there is no account {who:?}; see `vestibule account list`")
}

fn no_session(id: &str) -> String {
    format!("there is no live session {id:?}; see `vestibule session list`")
}
