//! What operators do with clients. In: a registration, or which client. Out: the client as it is shown, with its secret once and never
//! again; every client that is added can be used at once, and one that is removed cannot.

use vestibule_core::client::{Client, ClientId, ClientProof, ClientSecret, NotAClient};
use vestibule_core::port::Page;
use vestibule_core::text::is_unseen;
use vestibule_verify::KeySet;
use zeroize::Zeroizing;

use super::Not;
use crate::assemble::App;
use crate::control::view::ClientView;
use crate::control::{Answer, PAGE, Registration};

/// Adds a client, and makes its secret where it has no keys.
pub(super) async fn add(app: &App, registration: Registration) -> Result<Answer, Not> {
    let mut id = [0; 16];
    app.entropy.fill(&mut id)?;
    let (proof, secret) = proof(app, registration.keys.as_deref())?;
    let client = Client {
        id: ClientId::from_bytes(id),
        name: registration.name,
        proof,
        audiences: registration.audiences,
        scopes: registration.scopes,
        exchanges: registration.exchanges,
        serves: registration.serves,
        added_at: app.clock.now(),
    };
    judge(app, &client)?;
    let view = ClientView::from(&client);
    app.stores.clients.add(client).await?;
    tracing::info!(
        target: "vestibule::event",
        event = "client.added",
        client.id = view.client_id,
        client.name = view.name,
    );
    Ok(Answer::ClientAdded { client: view, secret: secret.map(|secret| secret.reveal().to_string()) })
}

/// A part of the listing.
pub(super) async fn list(app: &App, skip: u32) -> Result<Answer, Not> {
    let clients = app.stores.clients.all(Page { skip, take: PAGE }).await?;
    Ok(Answer::Clients { clients: clients.iter().map(ClientView::from).collect() })
}

/// Removes a client, and revokes what it holds.
pub(super) async fn remove(app: &App, client: &str) -> Result<Answer, Not> {
    let unknown = || Not::Refused(format!("there is no client {client:?}; see `vestibule client list`"));
    let id: ClientId = client.parse().map_err(|_| unknown())?;
    if !app.client_auth.remove(&id, app.longest_jwt).await? {
        return Err(unknown());
    }
    tracing::info!(target: "vestibule::event", event = "client.removed", client.id = %id);
    Ok(Answer::Done { ended: 0 })
}

const KEYS_WANTED: &str = "a JWK set of its public keys is wanted, {\"keys\": [{\"kty\": …}]}";

fn proof(app: &App, keys: Option<&str>) -> Result<(ClientProof, Option<ClientSecret>), Not> {
    if let Some(keys) = keys {
        let keys = KeySet::from_jwks(keys).map_err(|cause| {
            Not::Refused(format!("the client's keys cannot be taken: {cause}; {KEYS_WANTED}"))
        })?;
        // What an issuer publishes is taken without its odd keys; what an operator hands in is meant to be taken whole.
        if let Some(odd) = keys.left_out().first() {
            let (place, cause) = (odd.place + 1, odd.reject);
            return Err(Not::Refused(format!(
                "the client's keys cannot be taken: key {place} of the set: {cause}; {KEYS_WANTED}"
            )));
        }
        return Ok((ClientProof::Keys(keys), None));
    }
    let mut random = Zeroizing::new([0; 32]);
    app.entropy.fill(&mut *random)?;
    let secret = ClientSecret::from_random(*random);
    Ok((ClientProof::Secret(secret.digest(&app.pepper)), Some(secret)))
}

/// What a client can be by itself, and in this app: of audiences that there are, and none of them the gateway, whose doors let nobody
/// in without a session. A slip in a name would show only when the client is refused, far away from whoever made it.
fn judge(app: &App, client: &Client) -> Result<(), Not> {
    client.check().map_err(|cause| Not::Refused(cause.to_string()))?;
    // Stricter than what is read back: a record of an earlier version stays readable.
    if client.name.chars().any(is_unseen) {
        return Err(Not::Refused(NotAClient::Name.to_string()));
    }
    let audiences = app.minter.audiences();
    for name in client.audiences.iter().chain(&client.serves) {
        if name == app.minter.issuer() {
            let what = format!("{name} is this gateway itself, and no audience for a client");
            return Err(Not::Refused(what));
        }
        if audiences.get(name).is_none() {
            let what = format!("there is no audience {name:?}; add an [[audience]] of that name first");
            return Err(Not::Refused(what));
        }
    }
    Ok(())
}
