//! OAuth clients in memory, with the secrets that a test needs and no store has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use parking_lot::Mutex;
use vestibule_core::client::{Client, ClientId, ClientProof, ClientSecret, ShownAssertion};
use vestibule_core::port::{Clients, Consumed, OneTime, Page};
use vestibule_core::secret::Pepper;
use vestibule_core::{Fault, Timestamp};

use crate::world::START;

pub(crate) struct Shelf {
    pepper: Pepper,
    clients: Mutex<Vec<Arc<Client>>>,
    shown: Mutex<Vec<ShownAssertion>>,
    pub(crate) is_down: AtomicBool,
}

impl Shelf {
    pub(crate) fn new(pepper: Pepper) -> Arc<Self> {
        let (clients, shown) = (Mutex::default(), Mutex::default());
        Arc::new(Self { pepper, clients, shown, is_down: AtomicBool::new(false) })
    }

    /// A client with a secret, and what it shows as RFC 6749 section 2.3.1 has it.
    pub(crate) fn add_client(&self, number: u8, change: impl FnOnce(&mut Client)) -> (ClientId, String) {
        let secret = ClientSecret::from_random([number; 32]);
        let mut client = Client {
            id: ClientId::from_bytes([number; 16]),
            name: format!("client {number}"),
            proof: ClientProof::Secret(secret.digest(&self.pepper)),
            audiences: vec!["orders".to_owned()],
            scopes: vec!["orders:read".to_owned(), "orders:write".to_owned()],
            exchanges: false,
            serves: None,
            added_at: START,
        };
        change(&mut client);
        client.check().unwrap();
        let id = client.id;
        self.clients.lock().push(Arc::new(client));
        (id, basic(&id.to_string(), &secret.reveal()))
    }

    fn answer(&self) -> Result<(), Fault> {
        match self.is_down.load(SeqCst) {
            true => Err(Fault::unavailable("the store", "disk /var/lib/x is full")),
            false => Ok(()),
        }
    }
}

/// An `Authorization` header.
pub(crate) fn basic(name: &str, secret: &str) -> String {
    let both = format!("{name}:{secret}");
    format!("Basic {}", data_encoding::BASE64.encode(both.as_bytes()))
}

#[async_trait]
impl Clients for Shelf {
    async fn add(&self, _: Client) -> Result<(), Fault> {
        unimplemented!("not asked by the portal")
    }

    async fn find(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        self.answer()?;
        Ok(self.clients.lock().iter().find(|client| client.id == *id).map(Arc::clone))
    }

    async fn all(&self, _: Page) -> Result<Vec<Client>, Fault> {
        unimplemented!("not asked by the portal")
    }

    async fn remove(&self, id: &ClientId) -> Result<bool, Fault> {
        self.clients.lock().retain(|client| client.id != *id);
        Ok(true)
    }
}

#[async_trait]
impl OneTime for Shelf {
    async fn consume(&self, shown: ShownAssertion, _: Timestamp) -> Result<Consumed, Fault> {
        self.answer()?;
        let mut known = self.shown.lock();
        if known.contains(&shown) {
            return Ok(Consumed::Again);
        }
        known.push(shown);
        Ok(Consumed::First)
    }
}
