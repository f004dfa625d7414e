//! Signing in: the one use case that turns a password into a session. In: what was typed, from where, on what device. Out: a
//! fresh session token, a wait, or a plain no that does not tell an unknown account from a wrong password, in words or in time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;

use crate::account::password::stand_in_for;
use crate::account::{Account, Identifier, PasswordHash, Status};
use crate::fault::Fault;
use crate::id::{SessionId, Subject};
use crate::logout::Logout;
use crate::port::{Accounts, Clock, Entropy, FaultLog, Hasher, Opened, Sessions, Throttle, Verdict};
use crate::principal::{Amr, Assurance};
use crate::refresh_token;
use crate::secret::{Password, Pepper, Purpose};
use crate::session::{Cap, Device, Session, SessionKind, SessionLimits, SessionToken};
use crate::throttle::{Allowance, HashRequester, Receipt, Reservation};

pub(crate) mod attempts;
pub mod known_device;
pub mod login_target;
mod reauthentication;

pub use attempts::tallies_of;
pub use known_device::DeviceMark;
pub use login_target::{LoginTarget, NameDigest};
pub use reauthentication::{Confirmation, NewToken, Reauthentication};

#[cfg(test)]
mod tests;

/// Signs in.
pub struct Login {
    /// Accounts.
    pub accounts: Arc<dyn Accounts>,
    /// Sessions.
    pub sessions: Arc<dyn Sessions>,
    /// Attempts so far.
    pub throttle: Arc<dyn Throttle>,
    /// What all strangers may guess together.
    pub guesses: Allowance,
    /// The bounded hasher.
    pub hasher: Arc<dyn Hasher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What session tokens are digested under.
    pub pepper: Pepper,
    /// How long sessions live.
    pub limits: SessionLimits,
    /// How long remembered sessions live; `None` remembers nobody: whoever asks for it gets a session like any other.
    pub remember: Option<SessionLimits>,
    /// How long sessions live whose holders have refresh tokens.
    pub refresh: SessionLimits,
    /// How many sessions an account may have.
    pub cap: Cap,
    /// For how long a proof is fresh enough to change an account with.
    pub step_up: Duration,
    /// LoginTarget to tell of sessions that end because another one opens.
    pub logout: Arc<Logout>,
    /// LoginTarget to tell of what failed beside a login that did not.
    pub fault_log: Arc<dyn FaultLog>,
}

/// What was typed, from where, on what device.
pub struct LoginRequest<'a> {
    /// As typed.
    pub identifier: &'a str,
    /// As typed.
    pub password: &'a str,
    /// The client's address, if it is known.
    pub source: Option<IpAddr>,
    /// The User-Agent header.
    pub user_agent: &'a str,
    /// The mark of a device that an account was signed in on, if the browser sent one: whose it is is judged here.
    pub mark: Option<DeviceMark>,
    /// How the session token will be kept. [`SessionKind::Remembered`] is a wish: where nobody is remembered, it opens a session
    /// like any other.
    pub kind: SessionKind,
    /// The session that the same browser had: it ends in the same step (no fixation, no leftovers).
    pub replaces: Option<SessionId>,
}

/// How an attempt to sign in went.
pub enum LoginOutcome {
    /// Signed in. The token goes to its holder, once.
    Opened {
        /// The secret; of a session of [`SessionKind::Tokens`], it is good for nothing.
        token: SessionToken,
        /// What the store knows.
        session: Box<Session>,
        /// The sessions that ended by it: the one replaced, and those beyond the cap. Verifiers are told already.
        ended: Vec<SessionId>,
        /// What marks the device as known from now on.
        mark: DeviceMark,
    },
    /// Wrong, unknown, disabled or malformed: one answer.
    Refused,
    /// Too many attempts; the password was not looked at.
    Wait(Duration),
}

impl Login {
    /// Tries to sign in. A fault counts no attempt at the account where nothing was evaluated.
    pub async fn attempt(&self, request: LoginRequest<'_>) -> Result<LoginOutcome, Fault> {
        let identifier = Identifier::known(request.identifier).ok();
        let Some(password) = Password::parse(request.password) else {
            // Longer than any password we ever took: no work is owed to it, and its length tells nothing of the account.
            return Ok(LoginOutcome::Refused);
        };
        let known = self.known_device(request.mark.as_ref(), identifier.as_ref()).await?;
        let attempt = match known {
            Some((mark, subject)) => attempts::on_device(&self.pepper, mark, subject, request.source),
            None => {
                let name = identifier.as_ref().map_or(request.identifier, Identifier::as_str);
                attempts::of_stranger(&self.pepper, name, request.source, self.guesses)
            }
        };
        let mark = known.map(|(mark, _)| mark.clone());
        let receipt = match self.throttle.reserve(attempt, self.clock.now()).await? {
            Reservation::Reserved(receipt) => receipt,
            Reservation::Wait(wait) => return Ok(LoginOutcome::Wait(wait)),
        };
        match self.evaluate(identifier, request.identifier, password, attempt.asker()).await {
            // Both at once: the store then takes them in one step.
            Ok(Some(account)) => join(self.note_success(&receipt), self.open(account, request, mark)).await.1,
            Ok(None) => Ok(LoginOutcome::Refused),
            Err(fault) => {
                // Best effort: when this fails too, the account counts an attempt too many.
                self.throttle.give_back(&receipt).await.ok();
                Err(fault)
            }
        }
    }

    /// The mark and whose it is, if it is of the account that is asked for. A name that nobody has costs the same look and the same
    /// digest: who brings a mark learns no more than who brings none.
    async fn known_device<'a>(
        &self,
        mark: Option<&'a DeviceMark>,
        identifier: Option<&Identifier>,
    ) -> Result<Option<(&'a DeviceMark, Subject)>, Fault> {
        let (Some(mark), Some(identifier)) = (mark, identifier) else { return Ok(None) };
        let account = self.accounts.find_by_identifier(identifier).await?;
        let (subject, epoch) =
            account.as_ref().map_or((Subject::from_bytes([0; 16]), 0), |it| (it.subject, it.epoch));
        let is_known = mark.is_of(&self.pepper, subject, epoch) && account.is_some();
        Ok(is_known.then_some((mark, subject)))
    }

    /// Whoever showed the right password gets in, though this fails: a fault in its place would tell a right password from a wrong
    /// one, and the tally only counts an attempt too many.
    async fn note_success(&self, receipt: &Receipt) {
        if let Err(fault) = self.throttle.succeeded(receipt).await {
            self.fault_log.note("a login that succeeded counts as a failed attempt", &fault);
        }
    }

    /// What an unknown name is compared with is a hash of the same scheme and cost as some account has, always the same account for one
    /// name, that no password matches. So a name costs what one account in so many costs, whether it is known or not, when hashes were
    /// imported or the cost was raised. Who watches one name for long may see it change its cost without a sign-in, where accounts come
    /// and go.
    async fn evaluate(
        &self,
        identifier: Option<Identifier>,
        typed: &str,
        password: Password,
        asker: HashRequester,
    ) -> Result<Option<Account>, Fault> {
        let name = identifier.as_ref().map_or(typed, Identifier::as_str);
        let digest = self.pepper.digest(Purpose::StandIn, &[name.as_bytes()]);
        let near = digest.first_chunk().map_or(Subject::from_bytes([0; 16]), |it| Subject::from_bytes(*it));
        let found = self.accounts.find_to_sign_in(identifier.as_ref(), near).await?;
        self.shown(found.account, found.lent.as_ref().and_then(stand_in_for), password, asker).await
    }

    /// The account, if the password is the one that it has now; `stand_in` gets the same work where there is nothing to compare with.
    async fn shown(
        &self,
        account: Option<Account>,
        stand_in: Option<PasswordHash>,
        password: Password,
        asker: HashRequester,
    ) -> Result<Option<Account>, Fault> {
        // A disabled account is refused like an unknown one, decoy and all: its password must not show by being made anew.
        let account = account.filter(|account| account.status == Status::Enabled);
        let stored = account.as_ref().and_then(|account| account.password.clone());
        let verdict = self.hasher.verify(password, stored.clone().or(stand_in), asker).await?;
        let Some(account) = account else { return Ok(None) };
        match (verdict, stored) {
            (Verdict::Match, Some(_)) => Ok(Some(account)),
            (Verdict::MatchOutdated(new), Some(old)) => {
                // The next login does it as well.
                if let Err(fault) = self.accounts.upgrade_password(account.subject, &old, new).await {
                    self.fault_log.note("an outdated password hash was not replaced", &fault);
                }
                Ok(Some(account))
            }
            _ => Ok(None),
        }
    }

    async fn open(
        &self,
        account: Account,
        request: LoginRequest<'_>,
        mark: Option<DeviceMark>,
    ) -> Result<LoginOutcome, Fault> {
        let token = self.fresh_token()?;
        let mark = match mark {
            Some(known) => known,
            None => DeviceMark::draw(&self.pepper, account.subject, account.epoch, &*self.entropy)?,
        };
        let mut id = [0; 16];
        self.entropy.fill(&mut id)?;
        let id = SessionId::from_bytes(id);
        let now = self.clock.now();
        let kind = match request.kind {
            SessionKind::Remembered if self.remember.is_none() => SessionKind::Browser,
            kind => kind,
        };
        let limits = self.limits_of(kind);
        let session = Session {
            digest: match kind {
                SessionKind::Tokens => refresh_token::session_digest(id, &self.pepper),
                SessionKind::Browser | SessionKind::Client | SessionKind::Remembered => {
                    token.digest(&self.pepper)
                }
            },
            id,
            subject: account.subject,
            version: 1,
            epoch: account.epoch,
            kind,
            opened_at: now,
            proven_at: now,
            seen_at: now,
            issued_at: now,
            idle: limits.idle,
            ends_at: now.after(limits.absolute),
            assurance: Assurance::Aal1,
            amr: Amr::PASSWORD,
            device: Device::new(request.source, request.user_agent),
        };
        match self.sessions.open(session.clone(), request.replaces, self.cap).await? {
            Opened::Open { ended } => {
                self.logout.revoke(&ended);
                Ok(LoginOutcome::Opened { token, session: Box::new(session), ended, mark })
            }
            Opened::AccountChanged => Ok(LoginOutcome::Refused),
        }
    }

    /// A mark for the device that holds this session.
    pub(crate) fn mark_for(&self, session: &Session) -> Result<DeviceMark, Fault> {
        DeviceMark::draw(&self.pepper, session.subject, session.epoch, &*self.entropy)
    }

    pub(crate) fn fresh_token(&self) -> Result<SessionToken, Fault> {
        let mut secret = zeroize::Zeroizing::new([0; 32]);
        self.entropy.fill(&mut *secret)?;
        Ok(SessionToken::from_random(*secret))
    }

    fn limits_of(&self, kind: SessionKind) -> SessionLimits {
        match kind {
            SessionKind::Remembered => self.remember.unwrap_or(self.limits),
            SessionKind::Tokens => self.refresh,
            SessionKind::Browser | SessionKind::Client => self.limits,
        }
    }
}
