//! `vestibule client …`: OAuth clients. A client's secret is printed once, when it is added; nothing that is kept tells it.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vestibule_verify::MAX_JWKS_BYTES;

use super::output::{self, Column, facts_text, say, say_done, say_once};
use super::{Context, Failure, ask_one};
use crate::control::client::Desk;
use crate::control::view::ClientView;
use crate::control::{Answer, Ask, PAGE, Registration};
use crate::host::text_file;

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
                    Answer::Done { .. } => say_done(&format!("{client} is removed")),
                    _ => Err(Failure::mismatch()),
                }
            }
        }
    }
}

impl Add {
    fn run(self, context: &Context) -> Result<(), Failure> {
        if self.jwks_file.is_none() {
            output::refuse_lost_output("the client's secret")?;
        }
        let registration = Registration {
            keys: self.jwks_file.as_deref().map(keys).transpose()?,
            name: self.name,
            audiences: self.audiences,
            scopes: self.scopes,
            exchanges: self.exchange,
            serves: self.serves,
        };
        let is_json = self.json;
        context.ask(async |desk| {
            let answer = ask_one(desk, Ask::ClientAdd { registration }).await?;
            let Answer::ClientAdded { client, secret } = answer else { return Err(Failure::mismatch()) };
            let text = shown(&client, secret.as_deref(), is_json)?;
            if secret.is_none() {
                return say_done(&text);
            }
            match say_once(&text) {
                Ok(()) => Ok(()),
                Err(unshown) => Err(undo(desk, client.client_id, unshown).await),
            }
        })
    }
}

/// What is printed of a new client.
fn shown(client: &ClientView, secret: Option<&str>, is_json: bool) -> Result<String, Failure> {
    if is_json {
        let mut view = serde_json::to_value(client).unwrap_or_default();
        if let (Value::Object(members), Some(secret)) = (&mut view, secret) {
            members.insert("client_secret".to_owned(), json!(secret));
        }
        return output::json_text(&view);
    }
    let mut facts = vec![("client_id", client.client_id.clone())];
    facts.extend(secret.map(|secret| ("client_secret", secret.to_owned())));
    let mut text = facts_text(&facts);
    if secret.is_some() {
        text.push_str("\nThe secret is not shown again and cannot be recovered; only a digest is stored.");
    }
    Ok(text)
}

/// Removes a client whose secret could not be shown: it would stay behind and be of no use.
async fn undo(desk: &Desk, client: String, unshown: Failure) -> Failure {
    let then = match ask_one(desk, Ask::ClientRemove { client: client.clone() }).await {
        Ok(_) => "its secret was not shown, and the client is removed again".to_owned(),
        Err(undone) => format!(
            "its secret was not shown, and the client could not be removed ({}): vestibule client remove {client}",
            undone.what()
        ),
    };
    unshown.and(&then)
}

fn keys(file: &Path) -> Result<String, Failure> {
    // The whole question, of which this is a part, has the same bound.
    match text_file::read(file, MAX_JWKS_BYTES / 2) {
        Ok(text) => Ok((*text).clone()),
        Err(what) => Err(Failure::Usage(format!("the client's keys: {} {what}", file.display()))),
    }
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
        return say("No clients yet: vestibule client add NAME --audience AUDIENCE");
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
    let columns = [
        Column::Id("CLIENT"),
        Column::Text("NAME"),
        Column::Text("PROVES BY"),
        Column::Text("MAY ASK FOR"),
        Column::Text("SCOPES"),
        Column::Text("SERVES"),
        Column::Text("ADDED"),
    ];
    output::table(&columns, clients.iter().map(row))
}
