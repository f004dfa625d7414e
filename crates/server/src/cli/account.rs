//! `vestibule account …`: who may sign in. Passwords come on stdin, are judged and hashed here; only hashes go further.

use clap::{Args, Subcommand};
use vestibule_core::account::password;
use vestibule_core::port::Entropy;

use super::output::{self, Column, counted, facts, say, say_done};
use super::{Context, Failure, ask_one, input};
use crate::assemble::password_policy;
use crate::config::Settings;
use crate::control::client::Desk;
use crate::control::view::{AccountView, StandingView, TallyView, ThrottleView};
use crate::control::{Answer, Ask, Listed, PAGE};
use crate::host::entropy::SystemEntropy;

mod import;

#[derive(Subcommand)]
pub(super) enum AccountCommand {
    /// Add an account
    Add(Add),
    /// Add accounts of another program, with their password hashes, from JSON lines
    Import(import::Import),
    /// List accounts in the order of their identifiers
    List(List),
    /// Show one account, when it was last signed in to, and what was guessed at it
    Show {
        /// Identifier or subject
        account: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set the identifier, traits or a new password; a new password ends all sessions
    Set(Set),
    /// Refuse sign-in and end all sessions
    Disable {
        /// Identifier or subject
        account: String,
    },
    /// Allow sign-in again
    Enable {
        /// Identifier or subject
        account: String,
    },
    /// Remove an account and end all its sessions
    Remove {
        /// Identifier or subject
        account: String,
    },
    /// Forget failed attempts, so that its owner need not wait for what somebody guessed
    Unthrottle {
        /// Identifier or subject
        account: String,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// What its owner will type, usually a mail address
    identifier: String,
    /// Facts that services may be told: a JSON object
    #[arg(long, value_name = "JSON")]
    traits: Option<String>,
    /// Read the password from stdin; without it nobody can sign in until one is set
    #[arg(long)]
    password_stdin: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct List {
    /// Only those whose owners must wait for what somebody guessed
    #[arg(long)]
    throttled: bool,
    /// Only those whose identifiers have this within them
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Only those that come after this identifier
    #[arg(long, value_name = "IDENTIFIER")]
    after: Option<String>,
    /// At most so many; what follows them is listed with --after
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = true, id = "what")]
pub(super) struct SetWhat {
    /// What its owner will type from now on; sessions stay, and services are told at the next JWT
    #[arg(long, value_name = "IDENTIFIER")]
    identifier: Option<String>,
    /// Facts that services may be told: a JSON object, in place of the old one
    #[arg(long, value_name = "JSON")]
    traits: Option<String>,
    /// Read a new password from stdin
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Args)]
pub(super) struct Set {
    /// Identifier or subject
    account: String,
    #[command(flatten)]
    what: SetWhat,
}

impl AccountCommand {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(context),
            Self::Disable { account } => set_status(context, account, "disabled"),
            Self::Enable { account } => set_status(context, account, "enabled"),
            Self::Import(import) => import.run(context),
            Self::List(list) => list.run(context),
            Self::Remove { account } => {
                let ended = done(context, Ask::AccountRemove { who: account.clone() })?;
                say_done(&format!("{account} is removed; {} ended", counted(ended, "session")))
            }
            Self::Set(set) => set.run(context),
            Self::Show { account, json } => show(context, account, json),
            Self::Unthrottle { account } => {
                done(context, Ask::AccountUnthrottle { who: account.clone() })?;
                say_done(&format!("Failed attempts at {account} are forgotten; new ones count from zero"))
            }
        }
    }
}

impl Add {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let password_hash = if self.password_stdin {
            Some(hashed(&context.settings()?, &input::new_password()?, &self.identifier)?)
        } else {
            None
        };
        let ask = Ask::AccountAdd { identifier: self.identifier, traits: self.traits, password_hash };
        let answer = context.ask(async |desk| ask_one(desk, ask).await)?;
        let Answer::Account { account } = answer else { return Err(Failure::mismatch()) };
        if self.json {
            return output::json_done(&account);
        }
        let identifier = &account.identifier;
        let mut done = format!("{identifier} is added, with the subject {}", account.subject);
        if !account.has_password {
            done.push_str(&format!(
                "\nNobody can sign in with it yet: vestibule account set {identifier} --password-stdin"
            ));
        }
        say_done(&done)
    }
}

impl Set {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { account: who, what: SetWhat { identifier, traits, password_stdin } } = self;
        let typed = if password_stdin { Some(input::new_password()?) } else { None };
        let settings = context.settings()?;
        let answer = context.ask(async |desk| {
            let password_hash = match &typed {
                // It is judged by the identifier, which `who` need not be.
                Some(typed) => match ask_one(desk, Ask::AccountShow { who: who.clone() }).await? {
                    Answer::Account { account } => {
                        let called = identifier.as_ref().unwrap_or(&account.identifier);
                        Some(hashed(&settings, typed, called)?)
                    }
                    _ => return Err(Failure::mismatch()),
                },
                None => None,
            };
            let (identifier, traits) = (identifier.clone(), traits.clone());
            let ask = Ask::AccountSet { who: who.clone(), identifier, traits, password_hash };
            ask_one(desk, ask).await
        })?;
        let Answer::Done { ended } = answer else { return Err(Failure::mismatch()) };
        say_done(&format!("{who} is changed; {} ended", counted(ended, "session")))
    }
}

/// The hash of a new password, if it may be one for the account with this identifier.
fn hashed(settings: &Settings, typed: &str, identifier: &str) -> Result<String, Failure> {
    let password = password_policy(settings)?
        .read(typed, &[identifier])
        .map_err(|refused| Failure::Refused(refused.to_string()))?;
    let mut salt = [0; 16];
    SystemEntropy.fill(&mut salt)?;
    Ok(password::hash(&password, &salt, settings.passwords.cost)?.reveal().to_owned())
}

fn set_status(context: &Context, account: String, status: &str) -> Result<(), Failure> {
    let ask = Ask::AccountStatus { who: account.clone(), status: status.to_owned() };
    let ended = done(context, ask)?;
    say_done(&format!("{account} is {status}; {} ended", counted(ended, "session")))
}

/// Does something and says how many sessions ended with it.
fn done(context: &Context, ask: Ask) -> Result<usize, Failure> {
    match context.ask(async |desk| ask_one(desk, ask).await)? {
        Answer::Done { ended } => Ok(ended),
        _ => Err(Failure::mismatch()),
    }
}

impl List {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let (accounts, more_after) = context.ask(async |desk| self.all(desk).await)?;
        if self.json {
            output::json(&accounts)?;
        } else if accounts.is_empty() {
            say(self.nothing())?;
        } else {
            self.table(&accounts)?;
        }
        if let Some(after) = more_after {
            output::note(&format!("there are more: --after {after}"));
        }
        Ok(())
    }

    /// The accounts, and after which there are more.
    async fn all(&self, desk: &Desk) -> Result<(Vec<AccountView>, Option<String>), Failure> {
        let mut all: Vec<AccountView> = Vec::new();
        let mut after = self.after.clone();
        let limit = self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        loop {
            let ask = Ask::AccountList {
                after,
                containing: self.filter.clone(),
                which: if self.throttled { Listed::Throttled } else { Listed::All },
                take: u32::try_from(limit - all.len()).unwrap_or(u32::MAX).min(PAGE),
            };
            let Answer::Accounts { accounts, more_after } = ask_one(desk, ask).await? else {
                return Err(Failure::mismatch());
            };
            all.extend(accounts);
            if more_after.is_none() || all.len() >= limit {
                return Ok((all, more_after));
            }
            after = more_after;
        }
    }

    const fn nothing(&self) -> &'static str {
        if self.throttled {
            "No account is throttled."
        } else if self.filter.is_some() || self.after.is_some() {
            "No such accounts."
        } else {
            "No accounts yet: vestibule account add ada@example.com --password-stdin"
        }
    }

    fn table(&self, accounts: &[AccountView]) -> Result<(), Failure> {
        let mut columns = vec![Column::Id("IDENTIFIER"), Column::Id("SUBJECT"), Column::Text("STATUS")];
        if self.throttled {
            columns.extend([Column::Text("STRANGERS WAIT UNTIL"), Column::Text("KNOWN DEVICES WAIT UNTIL")]);
        } else {
            columns.extend([Column::Text("PASSWORD"), Column::Text("CREATED")]);
        }
        let rows = accounts.iter().map(|it| {
            let mut row = vec![it.identifier.clone(), it.subject.clone(), it.status.clone()];
            match it.standing.as_ref().filter(|_| self.throttled).map(|standing| &standing.throttle) {
                Some(ThrottleView { strangers, known_devices }) => {
                    let waits = [strangers, known_devices].map(|it| it.next_at.clone().unwrap_or_default());
                    row.extend(waits);
                }
                None => row.extend([yes_or_no(it.has_password).to_owned(), it.created_at.clone()]),
            }
            row
        });
        output::table(&columns, rows)
    }
}

/// What is said of failed attempts.
fn attempts(tally: &TallyView) -> String {
    let TallyView { failures, last_at, next_at } = tally;
    let Some(last_at) = last_at else { return "no failed attempts".to_owned() };
    let attempts = counted(usize::try_from(*failures).unwrap_or(usize::MAX), "failed attempt");
    match next_at {
        Some(next_at) => {
            format!("{attempts} in a row, the last at {last_at}; the next is looked at from {next_at} on")
        }
        None => format!("{attempts} in a row, the last at {last_at}"),
    }
}

fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn show(context: &Context, who: String, json: bool) -> Result<(), Failure> {
    let answer = context.ask(async |desk| ask_one(desk, Ask::AccountShow { who }).await)?;
    let Answer::Account { account } = answer else { return Err(Failure::mismatch()) };
    if json {
        return output::json(&account);
    }
    let mut lines = vec![
        ("identifier", account.identifier),
        ("subject", account.subject),
        ("status", account.status),
        ("password", yes_or_no(account.has_password).to_owned()),
        ("traits", serde_json::Value::Object(account.traits).to_string()),
        ("epoch", account.epoch.to_string()),
        ("created", account.created_at),
    ];
    if let Some(StandingView { last_sign_in_at, sessions, throttle }) = account.standing {
        lines.extend([
            ("last sign-in", last_sign_in_at.unwrap_or_else(|| "none that is known of".to_owned())),
            ("sessions", sessions.to_string()),
            ("strangers", attempts(&throttle.strangers)),
            ("known devices", attempts(&throttle.known_devices)),
        ]);
    }
    facts(&lines)
}
