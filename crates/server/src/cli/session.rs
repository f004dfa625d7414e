//! `vestibule session …`: who is signed in, and ending it.

use clap::{Args, Subcommand};

use super::output::{self, Column, counted, facts, say, say_done};
use super::{Context, Failure, ask_one};
use crate::control::view::SessionView;
use crate::control::{Answer, Ask, PAGE, Which};

#[derive(Subcommand)]
pub(super) enum SessionCommand {
    /// List live sessions, the newest first
    List {
        /// Of this account alone: identifier or subject
        #[arg(long, value_name = "ACCOUNT")]
        subject: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one session
    Show {
        /// As `session list` names it
        session: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End sessions, at once
    End(End),
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct End {
    /// As `session list` names it
    session: Option<String>,
    /// All of one account: identifier or subject
    #[arg(long, value_name = "ACCOUNT")]
    subject: Option<String>,
    /// All of them
    #[arg(long)]
    everyone: bool,
}

impl SessionCommand {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::End(end) => end.run(context),
            Self::List { subject, json } => list(context, subject, json),
            Self::Show { session, json } => show(context, session, json),
        }
    }
}

impl End {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let which = match (self.session, self.subject) {
            (Some(session), _) => Which::One(session),
            (None, Some(account)) => Which::Subject(account),
            (None, None) => Which::Everyone,
        };
        let answer = context.ask(async |desk| ask_one(desk, Ask::SessionEnd { which }).await)?;
        let Answer::Done { ended } = answer else { return Err(Failure::mismatch()) };
        say_done(&format!("{} ended", counted(ended, "session")))
    }
}

fn list(context: &Context, of: Option<String>, json: bool) -> Result<(), Failure> {
    let sessions = context.ask(async |desk| {
        let mut all: Vec<SessionView> = Vec::new();
        loop {
            let skip = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let ask = Ask::SessionList { of: of.clone(), skip };
            let Answer::Sessions { sessions } = ask_one(desk, ask).await? else {
                return Err(Failure::mismatch());
            };
            let is_last = sessions.len() < PAGE as usize;
            all.extend(sessions);
            if is_last {
                return Ok(all);
            }
        }
    })?;
    if json {
        return output::json(&sessions);
    }
    if sessions.is_empty() {
        return say("Nobody is signed in.");
    }
    let row = |it: &SessionView| {
        let address = it.address.clone().unwrap_or_default();
        vec![
            it.session.clone(),
            it.identifier.clone().unwrap_or_default(),
            it.subject.clone(),
            it.kind.clone(),
            address,
            it.seen_at.clone(),
            it.ends_at.clone(),
        ]
    };
    let columns = [
        Column::Id("SESSION"),
        Column::Id("IDENTIFIER"),
        Column::Id("SUBJECT"),
        Column::Text("KIND"),
        Column::Text("ADDRESS"),
        Column::Text("SEEN"),
        Column::Text("ENDS"),
    ];
    output::table(&columns, sessions.iter().map(row))
}

fn show(context: &Context, session: String, json: bool) -> Result<(), Failure> {
    let answer = context.ask(async |desk| ask_one(desk, Ask::SessionShow { session }).await)?;
    let Answer::Session { session } = answer else { return Err(Failure::mismatch()) };
    if json {
        return output::json(&session);
    }
    facts(&[
        ("session", session.session),
        ("identifier", session.identifier.unwrap_or_default()),
        ("subject", session.subject),
        ("kind", session.kind),
        ("opened", session.opened_at),
        ("proven", session.proven_at),
        ("token issued", session.issued_at),
        ("seen", session.seen_at),
        ("ends", session.ends_at),
        ("idle limit", format!("{}s", session.idle_seconds)),
        ("version", session.version.to_string()),
        ("epoch", session.epoch.to_string()),
        ("acr, amr", format!("{}, {}", session.acr, session.amr.join(" "))),
        ("address", session.address.unwrap_or_default()),
        ("user agent", session.user_agent),
    ])
}
