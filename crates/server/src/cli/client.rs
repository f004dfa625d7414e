//! `vestibule client …`: OAuth clients. A client's secret is printed once, when it is added; nothing that is kept tells it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vestibule_verify::MAX_JWKS_BYTES;

use super::output::{self, facts, say};
use super::{Context, Failure, ask_one};
use crate::control::view::ClientView;
use crate::control::{Answer, Ask, PAGE, Registration};

#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// Add a client; prints its id, and once its secret
    Add(Add),
    /// List all clients
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a client: it gets nothing more, and nothing that it holds is taken by this server; services that verify by themselves take it
    /// until it expires
    Remove {
        /// As `client list` names it
        #[arg(value_name = "ID")]
        client: String,
    },
}

#[derive(Args)]
pub(super) struct Add {
    /// What you call it, for listings and logs
    name: String,
    /// An audience that it may ask for; may be given more than once
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// A scope that it may ask for; may be given more than once
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// Let it act on behalf of others: trade a token that it was called with for a JWT for one of its audiences (RFC 8693)
    #[arg(long)]
    exchange: bool,
    /// The audience that it is: it may ask whether a token that it was shown is good (RFC 7662)
    #[arg(long, value_name = "AUDIENCE")]
    serves: Option<String>,
    /// Its public keys, a JWK set; it then proves itself by them and has no secret
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ClientCommand {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(context),
            Self::List { json } => list(context, json),
            Self::Remove { client } => {
                let ask = Ask::ClientRemove { client: client.clone() };
                match context.ask(async |desk| ask_one(desk, ask).await)? {
                    Answer::Done { .. } => say(&format!("{client} is removed")),
                    _ => return Err(Failure::mismatch()),
                }
                Ok(())
            }
        }
    }
}

impl Add {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let registration = Registration {
            keys: self.jwks_file.as_deref().map(keys).transpose()?,
            name: self.name,
            audiences: self.audiences,
            scopes: self.scopes,
            exchanges: self.exchange,
            serves: self.serves,
        };
        let answer = context.ask(async |desk| ask_one(desk, Ask::ClientAdd { registration }).await)?;
        let Answer::ClientAdded { client, secret } = answer else { return Err(Failure::mismatch()) };
        let secret = secret.as_deref();
        if self.json {
            let mut shown = serde_json::to_value(&client).unwrap_or_default();
            if let (Value::Object(members), Some(secret)) = (&mut shown, secret) {
                members.insert("client_secret".to_owned(), json!(secret));
            }
            return output::json(&shown);
        }
        let mut told = vec![("client_id", client.client_id)];
        told.extend(secret.map(|secret| ("client_secret", secret.to_owned())));
        facts(&told);
        if secret.is_some() {
            say("The secret is not shown again, and cannot be told from what is kept.");
        }
        Ok(())
    }
}

fn keys(file: &Path) -> Result<String, Failure> {
    let unread = |cause: &dyn std::fmt::Display| {
        Failure::Usage(format!("the client's keys {} cannot be read: {cause}", file.display()))
    };
    let size = fs::metadata(file).map_err(|error| unread(&error))?.len();
    // The whole question, of which this is a part, has the same bound.
    if size > (MAX_JWKS_BYTES / 2) as u64 {
        return Err(unread(&"it is too large for a set of keys"));
    }
    fs::read_to_string(file).map_err(|error| unread(&error))
}

fn list(context: &Context, json: bool) -> Result<(), Failure> {
    let clients = context.ask(async |desk| {
        let mut all: Vec<ClientView> = Vec::new();
        loop {
            let skip = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let Answer::Clients { clients } = ask_one(desk, Ask::ClientList { skip }).await? else {
                return Err(Failure::mismatch());
            };
            let is_last = clients.len() < PAGE as usize;
            all.extend(clients);
            if is_last {
                return Ok(all);
            }
        }
    })?;
    if json {
        return output::json(&clients);
    }
    if clients.is_empty() {
        say("No clients yet: vestibule client add NAME --audience AUDIENCE");
        return Ok(());
    }
    let row = |it: &ClientView| {
        let mut may = it.audiences.clone();
        may.extend(it.exchanges.then(|| "(exchanges)".to_owned()));
        vec![
            it.client_id.clone(),
            it.name.clone(),
            it.auth_method.clone(),
            may.join(" "),
            it.scopes.join(" "),
            it.serves.clone().unwrap_or_default(),
            it.added_at.clone(),
        ]
    };
    let headings = ["CLIENT", "NAME", "PROVES BY", "MAY ASK FOR", "SCOPES", "SERVES", "ADDED"];
    output::table(&headings, clients.iter().map(row));
    Ok(())
}
