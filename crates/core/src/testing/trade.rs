//! What exchange and introspection are tested with: Ada's session, a ring, audiences, and clients that can be removed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use vestibule_verify::RevocationView;

use super::{SetClock, World, pepper, run};
use crate::account::{Account, Identifier};
use crate::client::{Client, ClientId, ClientProof, ClientSecret};
use crate::decide::Decider;
use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::id::{SessionId, Subject};
use crate::introspect::{Introspector, MOST_A_SECOND, Pace};
use crate::live::LiveSession;
use crate::mint::{Audience, AudienceTable, Minter};
use crate::port::{AccountsPage, Clients, Directory, Page};
use crate::refresh_token;
use crate::session::{Session, SessionToken};
use crate::time::Timestamp;

pub(crate) const ISSUER: &str = "https://app.test";

/// Clients in memory.
#[derive(Default)]
pub(crate) struct Registry(Mutex<HashMap<ClientId, Arc<Client>>>);

#[async_trait]
impl Clients for Registry {
    async fn add(&self, client: Client) -> Result<(), Fault> {
        self.0.lock().insert(client.id, Arc::new(client));
        Ok(())
    }

    async fn find(&self, id: &ClientId) -> Result<Option<Arc<Client>>, Fault> {
        Ok(self.0.lock().get(id).cloned())
    }

    async fn all(&self, _: Page) -> Result<Vec<Client>, Fault> {
        Ok(self.0.lock().values().map(|client| Client::clone(client)).collect())
    }

    async fn remove(&self, id: &ClientId) -> Result<bool, Fault> {
        Ok(self.0.lock().remove(id).is_some())
    }
}

/// The sessions of a world, by their public names.
struct Names {
    world: Arc<World>,
    session: Session,
}

#[async_trait]
impl Directory for Names {
    async fn sessions(&self, _: Option<Subject>, _: Page, _: Timestamp) -> Result<Vec<Session>, Fault> {
        Ok(vec![self.session.clone()])
    }

    async fn session(&self, id: SessionId, now: Timestamp) -> Result<Option<Session>, Fault> {
        if self.world.is_down.load(Ordering::SeqCst) {
            return Err(Fault::unavailable("the store", "it is down"));
        }
        let live = self.world.live.lock().values().any(|live| live.id() == id && live.judge(now).is_ok());
        Ok((live && self.session.id == id).then(|| self.session.clone()))
    }

    async fn accounts(&self, _: AccountsPage<'_>) -> Result<Vec<Account>, Fault> {
        Ok(Vec::new())
    }

    async fn identifiers(&self, _: &[Subject]) -> Result<Vec<(Subject, Identifier)>, Fault> {
        Ok(Vec::new())
    }

    async fn last_sign_in(&self, _: Subject) -> Result<Option<Timestamp>, Fault> {
        Ok(None)
    }
}

/// All that trades and asks.
pub(crate) struct Trade {
    pub(crate) world: Arc<World>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) clients: Arc<Registry>,
    pub(crate) minter: Arc<Minter>,
    pub(crate) exchange: Exchange,
    pub(crate) introspector: Introspector,
    /// The session token, in the form that programs send.
    pub(crate) session_token: String,
    session: Session,
}

impl Trade {
    /// `session` is in `world`, under a token of 32 times 9.
    pub(crate) fn new(
        world: Arc<World>,
        clock: Arc<SetClock>,
        decider: Decider,
        minter: Minter,
        session: Session,
    ) -> Self {
        let hundred = Duration::from_secs(100);
        minter.replace_audiences(AudienceTable::new(vec![
            Audience::new("orders", hundred, [("department", "account.traits.department")]).unwrap(),
            Audience::new("bills", hundred, []).unwrap(),
            Audience::edge(ISSUER, hundred).unwrap(),
        ]));
        let (decider, minter, clients) = (Arc::new(decider), Arc::new(minter), Arc::new(Registry::default()));
        let directory = Arc::new(Names { world: world.clone(), session: session.clone() });
        let exchange = Exchange {
            decider: decider.clone(),
            minter: minter.clone(),
            revocations: Arc::new(RevocationView::new()),
            directory: directory.clone(),
            clients: clients.clone(),
        };
        let introspector = Introspector {
            decider,
            minter: minter.clone(),
            revocations: exchange.revocations.clone(),
            directory,
            clients: clients.clone(),
            pace: Pace::per_second(MOST_A_SECOND),
        };
        let session_token = SessionToken::from_random([9; 32]).reveal_bearer();
        Self { world, clock, clients, minter, exchange, introspector, session_token, session }
    }

    /// A client that may exchange for `orders` and `bills`, and serves `orders`.
    pub(crate) fn client(&self, number: u8) -> Client {
        let client = Client {
            id: ClientId::from_bytes([number; 16]),
            name: format!("client {number}"),
            proof: ClientProof::Secret(ClientSecret::from_random([number; 32]).digest(&pepper())),
            audiences: vec!["orders".to_owned(), "bills".to_owned()],
            scopes: vec!["read".to_owned(), "write".to_owned()],
            exchanges: true,
            serves: Some("orders".to_owned()),
            added_at: super::START,
        };
        run(self.clients.add(client.clone())).unwrap();
        client
    }

    /// The session as the store has it.
    pub(crate) fn live(&self) -> Arc<LiveSession> {
        let live = self.world.live.lock();
        Arc::clone(live.values().find(|live| live.id() == self.session.id).unwrap())
    }

    /// An access token of the session. Its session then has a token family, and is found by that.
    pub(crate) fn access_token(&self) -> String {
        let live = self.live();
        let token = run(self.minter.access(&live)).unwrap();
        let digest = refresh_token::session_digest(live.id(), &pepper());
        self.world.live.lock().insert(digest, live);
        token.jwt().to_owned()
    }

    /// Ends the session, whatever it is found by.
    pub(crate) fn end_session(&self) {
        self.world.live.lock().clear();
    }

    /// The claims of a JWT that the keys for services have signed for an audience.
    pub(crate) fn claims(&self, audience: &str, jwt: &str) -> serde_json::Map<String, serde_json::Value> {
        let now = crate::port::Clock::now(&*self.clock);
        let keys = self.minter.ring().published(now).unwrap();
        let verifier = vestibule_verify::Verifier::new(ISSUER, audience, keys);
        verifier.verify_at(jwt, now.unix_seconds()).unwrap().members().clone()
    }
}
