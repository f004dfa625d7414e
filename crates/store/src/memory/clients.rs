//! OAuth clients in memory, and the assertions that they have shown.
//! In: clients and shown assertions. Out: clients, and whether an assertion counted.

use std::sync::Arc;

use async_trait::async_trait;
use vestibule_core::client::{Client, ClientId, ShownAssertion};
use vestibule_core::port::{Clients, Consumed, OneTime, Page};
use vestibule_core::{Fault, Timestamp};

use super::MemoryStore;

#[async_trait]
impl Clients for MemoryStore {
    async fn add(&self, client: Client) -> Result<(), Fault> {
        let clients = &mut self.0.lock().clients;
        if clients.iter().any(|other| other.id == client.id) {
            return Err(Fault::Bug("a client was added under a client id that is in use"));
        }
        clients.push(Arc::new(client));
        Ok(())
    }

    async fn find(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        Ok(self.0.lock().clients.iter().find(|client| client.id == *id).map(Arc::clone))
    }

    async fn all(&self, page: Page) -> Result<Vec<Client>, Fault> {
        let state = self.0.lock();
        let listed = state.clients.iter().skip(page.skip as usize).take(page.take as usize);
        Ok(listed.map(|client| Client::clone(client)).collect())
    }

    async fn remove(&self, id: &ClientId) -> Result<bool, Fault> {
        let clients = &mut self.0.lock().clients;
        let before = clients.len();
        clients.retain(|client| client.id != *id);
        Ok(clients.len() < before)
    }
}

#[async_trait]
impl OneTime for MemoryStore {
    async fn consume(&self, shown: ShownAssertion, now: Timestamp) -> Result<Consumed, Fault> {
        let assertions = &mut self.0.lock().assertions;
        let ShownAssertion { client, digest, forget_after } = shown;
        if assertions.contains_key(&(client, digest)) {
            return Ok(Consumed::Again);
        }
        let holds = |(other, _): &(ClientId, [u8; 32]), until: &Timestamp| *other == client && *until > now;
        if assertions.iter().filter(|(of, until)| holds(of, until)).count() >= ShownAssertion::MOST {
            return Ok(Consumed::Full);
        }
        assertions.insert((client, digest), forget_after);
        Ok(Consumed::First)
    }
}
