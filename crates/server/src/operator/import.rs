//! Accounts of other programs. In: accounts as they were written down. Out: for each, whether it was added; each is added whole or not at
//! all, and none waits for another, so that the store writes many in one commit.

use std::sync::Arc;

use tokio::task::JoinSet;
use vestibule_core::Fault;
use vestibule_core::account::{Account, Identifier, Status, Traits, password};
use vestibule_core::id::Subject;
use vestibule_core::port::Added;

use crate::assemble::App;
use crate::control::{Import, ImportHow, Imported};

/// Adds accounts, or says what would come of it; the answers are in the order of the questions.
pub(super) async fn import(
    app: &Arc<App>,
    accounts: Vec<Import>,
    how: ImportHow,
) -> Result<Vec<Imported>, Fault> {
    let mut answers = Vec::with_capacity(accounts.len());
    let mut under_way = JoinSet::new();
    for (place, import) in accounts.into_iter().enumerate() {
        let app = Arc::clone(app);
        under_way.spawn(async move { (place, one(&app, import, how).await) });
    }
    while let Some(done) = under_way.join_next().await {
        answers.push(done.map_err(|_| Fault::Bug("an import ended without an answer"))?);
    }
    answers.sort_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

async fn one(app: &App, import: Import, how: ImportHow) -> Imported {
    let account = match account(app, import) {
        Ok(account) => account,
        Err(answer) => return answer,
    };
    let could_not_tell = |fault: Fault| Imported::Fault { what: fault.report() };
    if how == ImportHow::Judge {
        return match app.stores.accounts.find_by_identifier(&account.identifier).await {
            Ok(Some(_)) => Imported::Exists,
            Ok(None) => Imported::Added,
            Err(fault) => could_not_tell(fault),
        };
    }
    let subject = account.subject;
    match app.stores.accounts.add(account).await {
        Ok(Added::Added) => {
            tracing::info!(target: "vestibule::event", event = "account.imported", subject = %subject);
            Imported::Added
        }
        Ok(Added::IdentifierTaken) => Imported::Exists,
        Err(fault) => could_not_tell(fault),
    }
}

/// The account that was written down, with a subject of its own, if every field of it is right.
fn account(app: &App, import: Import) -> Result<Account, Imported> {
    let refused = |field: &str, what: String| Imported::Refused { field: field.to_owned(), what };
    let identifier =
        Identifier::parse(&import.identifier).map_err(|it| refused("identifier", it.to_string()))?;
    let password = match import.password_hash {
        Some(text) => Some(password::import(&text).map_err(|it| refused("password_hash", it.to_string()))?),
        None => None,
    };
    let status = match import.status.as_deref() {
        Some(name) => Status::parse(name)
            .ok_or_else(|| refused("status", format!("{name:?} is no status; write enabled or disabled")))?,
        None => Status::Enabled,
    };
    let traits = match import.traits {
        Some(traits) => Traits::parse(&serde_json::Value::Object(traits).to_string())
            .map_err(|it| refused("traits", it.to_string()))?,
        None => Traits::default(),
    };
    if let Some(schema) = &app.settings.traits_schema {
        schema.check(&traits).map_err(|what| refused("traits", what))?;
    }
    let mut subject = [0; 16];
    app.entropy.fill(&mut subject).map_err(|fault| Imported::Fault { what: fault.report() })?;
    Ok(Account {
        subject: Subject::from_bytes(subject),
        identifier,
        password,
        traits,
        status,
        epoch: 1,
        created_at: app.clock.now(),
    })
}
