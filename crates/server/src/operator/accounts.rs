//! What operators are shown of accounts, and what they change of one. In: which account, or a part of the listing. Out: views, with how the
//! account is used and what is guessed at it; or what was changed, all of it or a word on how far it went.

use std::collections::HashMap;

use vestibule_core::account::{Account, Identifier, PasswordHash};
use vestibule_core::id::Subject;
use vestibule_core::login::tallies_of;
use vestibule_core::port::{AccountsPage, Page, PasswordAuthority, Renamed};
use vestibule_core::session::Session;
use vestibule_core::throttle::AccountCounter;
use vestibule_core::{Fault, Timestamp};

use super::{Not, Operator};
use crate::assemble::App;
use crate::control::view::{AccountView, SessionView, StandingView, TallyView, ThrottleView};
use crate::control::{Answer, Listed, PAGE};

/// How many accounts one question looks at: of those that are throttled there may be none.
const MOST_LOOKED_AT: usize = 10_000;

/// What is to be changed of an account.
pub(super) struct Changes {
    pub(super) identifier: Option<String>,
    pub(super) traits: Option<String>,
    pub(super) password_hash: Option<String>,
}

/// A part of the listing.
pub(super) async fn list(
    app: &App,
    after: Option<String>,
    containing: Option<String>,
    which: Listed,
    take: u32,
) -> Result<Answer, Not> {
    // One that an earlier version took is refused today, and yet is where a part of the listing ended.
    let mut after = after.as_deref().map(known_identifier).transpose()?;
    // As identifiers are kept.
    let containing = containing
        .map(|text| Identifier::parse(&text).map_or(text.to_lowercase(), |it| it.as_str().to_owned()));
    let take = usize::try_from(take.min(PAGE)).unwrap_or_default();
    let mut listed = Vec::new();
    for _ in 0..MOST_LOOKED_AT / PAGE as usize {
        let wanted = match which {
            Listed::All => u32::try_from(take - listed.len()).unwrap_or(PAGE),
            Listed::Throttled => PAGE,
        };
        let page = AccountsPage { after: after.as_ref(), containing: containing.as_deref(), take: wanted };
        let accounts = app.stores.directory.accounts(page).await?;
        let is_last = accounts.len() < wanted as usize;
        for (account, view) in accounts.iter().zip(views(app, &accounts, which).await?) {
            if listed.len() == take {
                break;
            }
            after = Some(account.identifier.clone());
            listed.extend(view);
        }
        let is_end = is_last && after.as_ref() >= accounts.last().map(|account| &account.identifier);
        if is_end || listed.len() == take {
            let more_after = after.filter(|_| !is_end).map(|it| it.as_str().to_owned());
            return Ok(Answer::Accounts { accounts: listed, more_after });
        }
    }
    Ok(Answer::Accounts { accounts: listed, more_after: after.map(|it| it.as_str().to_owned()) })
}

/// The accounts as they are listed; `None` for one that is not.
async fn views(app: &App, accounts: &[Account], which: Listed) -> Result<Vec<Option<AccountView>>, Fault> {
    if which == Listed::All {
        return Ok(accounts.iter().map(|account| Some(account.into())).collect());
    }
    let keys: Vec<[u8; 32]> = accounts.iter().flat_map(|it| tallies_of(&app.pepper, it)).collect();
    let tallies = app.stores.throttle.tallies(&keys).await?;
    let now = app.clock.now();
    let mut views = Vec::with_capacity(accounts.len());
    for (account, tallies) in accounts.iter().zip(tallies.chunks(2)) {
        let throttle = throttle(tallies, now);
        views.push(match throttle.makes_wait() {
            true => Some(AccountView {
                standing: Some(standing(app, account, throttle).await?),
                ..account.into()
            }),
            false => None,
        });
    }
    Ok(views)
}

/// One account, with how it is used.
pub(super) async fn show(app: &App, account: &Account) -> Result<AccountView, Fault> {
    let tallies = app.stores.throttle.tallies(&tallies_of(&app.pepper, account)).await?;
    let throttle = throttle(&tallies, app.clock.now());
    Ok(AccountView { standing: Some(standing(app, account, throttle).await?), ..account.into() })
}

fn throttle(tallies: &[AccountCounter], now: Timestamp) -> ThrottleView {
    let view = |at: usize| TallyView::of(tallies.get(at).copied().unwrap_or(AccountCounter::FRESH), now);
    ThrottleView { strangers: view(0), known_devices: view(1) }
}

async fn standing(app: &App, account: &Account, throttle: ThrottleView) -> Result<StandingView, Fault> {
    let directory = &app.stores.directory;
    let last_sign_in_at = directory.last_sign_in(account.subject).await?.map(crate::control::view::moment);
    let mut sessions = 0;
    loop {
        let page = Page { skip: u32::try_from(sessions).unwrap_or(u32::MAX), take: PAGE };
        let found = directory.sessions(Some(account.subject), page, app.clock.now()).await?;
        sessions += found.len();
        if found.len() < PAGE as usize {
            return Ok(StandingView { last_sign_in_at, sessions, throttle });
        }
    }
}

/// Sessions as they are listed, with what their accounts are called.
pub(super) async fn sessions(app: &App, sessions: &[Session]) -> Result<Vec<SessionView>, Fault> {
    let mut subjects: Vec<Subject> = sessions.iter().map(|session| session.subject).collect();
    subjects.sort();
    subjects.dedup();
    let called: HashMap<Subject, Identifier> =
        app.stores.directory.identifiers(&subjects).await?.into_iter().collect();
    let view = |session: &Session| {
        let identifier = called.get(&session.subject).map(|it| it.as_str().to_owned());
        SessionView { identifier, ..session.into() }
    };
    Ok(sessions.iter().map(view).collect())
}

impl Operator {
    /// Changes an account. What can be found wrong is found before anything is changed; where a later step fails all the same, it is said
    /// what was done.
    pub(super) async fn set_account(&self, who: &str, changes: Changes) -> Result<Answer, Not> {
        let traits = changes.traits.map(|text| self.traits(Some(&text))).transpose()?;
        let new = changes.identifier.as_deref().map(identifier).transpose()?;
        let subject = self.account(who).await?.subject;
        let mut done: Vec<&str> = Vec::new();
        let mut answer = Answer::Done { ended: 0 };
        if let Some(new) = new {
            self.rename(who, subject, new).await?;
            done.push("the identifier");
        }
        if let Some(traits) = traits {
            let changed = match self.app.stores.accounts.set_traits(subject, traits).await {
                Err(fault) => return Err(only(&done, fault)),
                Ok(changed) => changed,
            };
            answer = self.changed(who, "account.traits-set", subject, changed)?;
            done.push("the traits");
        }
        if let Some(hash) = changes.password_hash {
            let hash = PasswordHash::from_phc(hash);
            let changed =
                match self.app.stores.accounts.set_password(subject, hash, PasswordAuthority::Operator).await
                {
                    Err(fault) => return Err(only(&done, fault)),
                    Ok(changed) => changed,
                };
            answer = self.changed(who, "account.password-set", subject, changed)?;
        }
        Ok(answer)
    }

    async fn rename(&self, who: &str, subject: Subject, new: Identifier) -> Result<(), Not> {
        match self.app.stores.accounts.set_identifier(subject, new.clone(), None).await? {
            Renamed::Renamed => {
                tracing::info!(target: "vestibule::event", event = "account.identifier-set", subject = %subject);
                Ok(())
            }
            Renamed::Taken => Err(Not::Refused(format!(
                "another account has the identifier {}; see `vestibule account show`",
                new.as_str()
            ))),
            Renamed::Unknown => Err(Not::Refused(super::no_account(who))),
        }
    }
}

fn identifier(text: &str) -> Result<Identifier, Not> {
    Identifier::parse(text).map_err(|cause| Not::Refused(format!("{text:?}: {cause}")))
}

/// What may be an identifier of an account.
fn known_identifier(text: &str) -> Result<Identifier, Not> {
    Identifier::known(text).map_err(|cause| Not::Refused(format!("{text:?}: {cause}")))
}

/// A fault after some of what was asked was done.
fn only(done: &[&str], fault: Fault) -> Not {
    if done.is_empty() {
        return Not::Fault(fault);
    }
    Not::Unfinished(format!("changed: {}; the rest is not: {}", done.join(" and "), fault.report()))
}
