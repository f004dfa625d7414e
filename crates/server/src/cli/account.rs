//! `vestibule account …`: who may sign in. Passwords come on stdin, are judged and hashed here; only hashes go further.

use clap::{Args, Subcommand};
use vestibule_core::account::password;
use vestibule_core::port::Entropy;

use super::output::{self, Column, counted, facts, say};
use super::{Context, Failure, ask_one, input};
use crate::assemble::password_policy;
use crate::config::Settings;
use crate::control::view::AccountView;
use crate::control::{Answer, Ask, PAGE};
use crate::host::entropy::SystemEntropy;

mod import;

#[derive(Subcommand)]
pub(super) enum AccountCommand {
    /// Add an account
    Add(Add),
    /// Add accounts of another program, with their password hashes, from JSON lines
    Import(import::Import),
    /// List all accounts
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one account
    Show {
        /// Identifier or subject
        account: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Set traits or a new password; a new password ends all sessions
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
#[group(required = true, multiple = true, id = "what")]
pub(super) struct SetWhat {
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
            Self::List { json } => list(context, json),
            Self::Remove { account } => {
                let ended = done(context, Ask::AccountRemove { who: account.clone() })?;
                say(&format!("{account} is removed; {} ended", counted(ended, "session")))
            }
            Self::Set(set) => set.run(context),
            Self::Show { account, json } => show(context, account, json),
            Self::Unthrottle { account } => {
                done(context, Ask::AccountUnthrottle { who: account.clone() })?;
                say(&format!(
                    "Failed attempts at {account} are forgotten; who goes on guessing makes new ones"
                ))
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
            return output::json(&account);
        }
        say(&format!("{} is added, with the subject {}", account.identifier, account.subject))?;
        if !account.has_password {
            let identifier = &account.identifier;
            say(&format!(
                "Nobody can sign in with it yet: vestibule account set {identifier} --password-stdin"
            ))?;
        }
        Ok(())
    }
}

impl Set {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let Self { account: who, what: SetWhat { traits, password_stdin } } = self;
        let typed = if password_stdin { Some(input::new_password()?) } else { None };
        let settings = context.settings()?;
        let answer = context.ask(async |desk| {
            let password_hash = match &typed {
                // It is judged by the identifier, which `who` need not be.
                Some(typed) => match ask_one(desk, Ask::AccountShow { who: who.clone() }).await? {
                    Answer::Account { account } => Some(hashed(&settings, typed, &account.identifier)?),
                    _ => return Err(Failure::mismatch()),
                },
                None => None,
            };
            let ask = Ask::AccountSet { who: who.clone(), traits: traits.clone(), password_hash };
            ask_one(desk, ask).await
        })?;
        let Answer::Done { ended } = answer else { return Err(Failure::mismatch()) };
        say(&format!("{who} is changed; {} ended", counted(ended, "session")))
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
    say(&format!("{account} is {status}; {} ended", counted(ended, "session")))
}

/// Does something and says how many sessions ended with it.
fn done(context: &Context, ask: Ask) -> Result<usize, Failure> {
    match context.ask(async |desk| ask_one(desk, ask).await)? {
        Answer::Done { ended } => Ok(ended),
        _ => Err(Failure::mismatch()),
    }
}

fn list(context: &Context, json: bool) -> Result<(), Failure> {
    let accounts = context.ask(async |desk| {
        let mut all: Vec<AccountView> = Vec::new();
        loop {
            let skip = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let Answer::Accounts { accounts } = ask_one(desk, Ask::AccountList { skip }).await? else {
                return Err(Failure::mismatch());
            };
            let is_last = accounts.len() < PAGE as usize;
            all.extend(accounts);
            if is_last {
                return Ok(all);
            }
        }
    })?;
    if json {
        return output::json(&accounts);
    }
    if accounts.is_empty() {
        return say("No accounts yet: vestibule account add ada@example.com --password-stdin");
    }
    let row = |it: &AccountView| {
        let password = if it.has_password { "yes" } else { "no" };
        vec![
            it.identifier.clone(),
            it.subject.clone(),
            it.status.clone(),
            password.into(),
            it.created_at.clone(),
        ]
    };
    let columns = [
        Column::Id("IDENTIFIER"),
        Column::Id("SUBJECT"),
        Column::Text("STATUS"),
        Column::Text("PASSWORD"),
        Column::Text("CREATED"),
    ];
    output::table(&columns, accounts.iter().map(row))
}

fn show(context: &Context, who: String, json: bool) -> Result<(), Failure> {
    let answer = context.ask(async |desk| ask_one(desk, Ask::AccountShow { who }).await)?;
    let Answer::Account { account } = answer else { return Err(Failure::mismatch()) };
    if json {
        return output::json(&account);
    }
    facts(&[
        ("identifier", account.identifier),
        ("subject", account.subject),
        ("status", account.status),
        ("password", if account.has_password { "yes" } else { "no" }.to_owned()),
        ("traits", serde_json::Value::Object(account.traits).to_string()),
        ("epoch", account.epoch.to_string()),
        ("created", account.created_at),
    ])
}
