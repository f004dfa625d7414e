//! Whether those who hold a JWT may hold it still. In: its claims. Out: yes, or that one of them is no client any more.

use serde_json::Value;
use vestibule_verify::Claims;

use crate::client::ClientId;
use crate::fault::Fault;
use crate::port::Clients;

/// Whether every client that a JWT of ours names is one still: who got it, and each that acts or has acted in it (RFC 8693 section 4.1).
/// What a client that was removed had traded for is about a person, so no revocation of its own JWTs finds it; it is found by who acts.
/// From memory where clients are kept there.
pub(crate) async fn are_clients_still(clients: &dyn Clients, claims: &Claims) -> Result<bool, Fault> {
    // Without `act` nobody acted: it is a session's own, and no client's, or a client's that is its subject.
    let mut acting = claims.get("act");
    let holder = claims.client_id().filter(|_| acting.is_some());
    let mut named: Vec<Option<&str>> = holder.into_iter().map(Some).collect();
    while let Some(actor) = acting {
        named.push(actor.get("sub").and_then(Value::as_str));
        acting = actor.get("act");
    }
    for name in named {
        let Some(id) = name.and_then(|name| name.parse::<ClientId>().ok()) else { return Ok(false) };
        if clients.find(&id).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
