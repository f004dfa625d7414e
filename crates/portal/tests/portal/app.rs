//! The portal, furnished: what the server does at start, on the world in memory.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use vestibule_core::account::Status;
use vestibule_core::account::policy::Policy;
use vestibule_core::client_auth::ClientAuthenticator;
use vestibule_core::csrf::CsrfTokens;
use vestibule_core::csrf::origin::{Origin, Origins};
use vestibule_core::decide::Decider;
use vestibule_core::exchange::Exchange;
use vestibule_core::grant::Granter;
use vestibule_core::identifier_change::IdentifierChange;
use vestibule_core::introspect::{Introspector, MOST_A_SECOND, Pace};
use vestibule_core::key::{KeyPurpose, KeyRecord, KeyRing, SealKey};
use vestibule_core::login::Login;
use vestibule_core::logout::Logout;
use vestibule_core::mint::{Audience, AudienceTable, Minter};
use vestibule_core::password_change::PasswordChange;
use vestibule_core::registration::Registration;
use vestibule_core::route::RouteTable;
use vestibule_core::secret::Pepper;
use vestibule_core::session::{Cap, SessionLimits};
use vestibule_core::throttle::STRANGERS;
use vestibule_core::verify::{Algorithm, KeySet, RevocationView, Verifier};
use vestibule_core::wire::cookie::Https;
use vestibule_core::wire::forwarded::TrustedProxies;
use vestibule_core::wire::guard::{Hosts, Hsts};
use vestibule_core::wire::{CookieName, Paths};
use vestibule_portal::texts::Texts;
use vestibule_portal::theme::{Logo, Theme};
use vestibule_portal::{Portal, TokenCookies, router};

use crate::shelf::Shelf;
use crate::world::{START, World};

pub(crate) const ORIGIN: &str = "https://app.test";
pub(crate) const ADA: &str = "ada@example.com";
/// How long access tokens live.
pub(crate) const ACCESS: Duration = Duration::from_secs(600);
pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) struct App {
    pub(crate) world: Arc<World>,
    pub(crate) router: Router,
    pub(crate) csrf: Arc<CsrfTokens>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) minter: Arc<Minter>,
}

/// Whether strangers may make accounts, and owners change their identifiers.
enum Registering {
    Closed,
    Open,
}

/// Where signing in for tokens may put them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TokensIn {
    Bodies,
    CookiesToo,
}

impl App {
    pub(crate) fn new() -> Self {
        Self::at(ORIGIN, Https::Yes)
    }

    pub(crate) fn at(origin: &str, https: Https) -> Self {
        Self::furnished(origin, https, Registering::Open, TokensIn::Bodies, plain(), ours())
    }

    pub(crate) fn where_registration_is_closed() -> Self {
        Self::furnished(ORIGIN, Https::Yes, Registering::Closed, TokensIn::Bodies, plain(), ours())
    }

    pub(crate) fn looking_like(theme: Theme) -> Self {
        Self::furnished(ORIGIN, Https::Yes, Registering::Open, TokensIn::Bodies, theme, ours())
    }

    pub(crate) fn saying(texts: Arc<Texts>) -> Self {
        Self::furnished(ORIGIN, Https::Yes, Registering::Open, TokensIn::Bodies, plain(), texts)
    }

    pub(crate) fn that_clears_storage() -> Self {
        let (open, bodies) = (Registering::Open, TokensIn::Bodies);
        Self::altered(ORIGIN, Https::Yes, open, bodies, plain(), ours(), |portal| {
            portal.clears_storage = true
        })
    }

    pub(crate) fn whose_browsers_may_hold_tokens() -> Self {
        Self::furnished(ORIGIN, Https::Yes, Registering::Open, TokensIn::CookiesToo, plain(), ours())
    }

    /// Whose pages are below `/sso`.
    pub(crate) fn below_sso() -> Self {
        let (open, cookies) = (Registering::Open, TokensIn::CookiesToo);
        Self::altered(ORIGIN, Https::Yes, open, cookies, with_a_logo(), ours(), |portal| {
            portal.paths = Paths::below("/sso").unwrap();
        })
    }

    /// The same behind a proxy that takes `/sso` off.
    pub(crate) fn below_sso_stripped() -> Self {
        let (open, cookies) = (Registering::Open, TokensIn::CookiesToo);
        Self::altered(ORIGIN, Https::Yes, open, cookies, with_a_logo(), ours(), |portal| {
            portal.paths = Paths::below("/sso").unwrap().stripped();
        })
    }

    fn furnished(
        origin: &str,
        https: Https,
        registration: Registering,
        tokens: TokensIn,
        theme: Theme,
        texts: Arc<Texts>,
    ) -> Self {
        Self::altered(origin, https, registration, tokens, theme, texts, |_| {})
    }

    fn altered(
        origin: &str,
        https: Https,
        registration: Registering,
        tokens: TokensIn,
        theme: Theme,
        texts: Arc<Texts>,
        alter: fn(&mut Portal),
    ) -> Self {
        crate::logging::listen();
        let world = World::new();
        world.add_account(1, ADA, PASSWORD, Status::Enabled);
        world.add_account(2, "bob@example.com", PASSWORD, Status::Enabled);
        world.add_account(3, "eve@example.com", PASSWORD, Status::Disabled);
        let pepper = Pepper::new(&[42; 32]);
        let csrf = Arc::new(CsrfTokens::new(pepper.clone(), [1; 16]).unwrap());
        let revocations = Arc::new(RevocationView::new());
        let ring = ring();
        let edge = Verifier::new(origin, origin, ring.edge(START).unwrap());
        let decider = Arc::new(Decider {
            routes: ArcSwap::from_pointee(RouteTable::default()),
            origins: ArcSwap::from_pointee(Origins::new(vec![Origin::parse(origin).unwrap()])),
            sessions: world.clone(),
            pepper: pepper.clone(),
            csrf: Arc::clone(&csrf),
            cookie: CookieName::session("vestibule", https).unwrap(),
            access_cookie: (tokens == TokensIn::CookiesToo)
                .then(|| CookieName::access("vestibule", https).unwrap()),
            edge: Arc::new(edge.with_revocation(Arc::clone(&revocations))),
            clock: world.clone(),
        });
        let shelf = Shelf::new(pepper.clone());
        let client_auth = ClientAuthenticator::new(
            shelf.clone(),
            shelf.clone(),
            Arc::clone(&revocations),
            pepper.clone(),
            origin.to_owned(),
            world.clone(),
        );
        let logout = Arc::new(Logout {
            sessions: world.clone(),
            pepper: pepper.clone(),
            revocations: Arc::clone(&revocations),
            clock: world.clone(),
            longest_jwt: Duration::from_secs(120),
        });
        let login = Login {
            accounts: world.clone(),
            sessions: world.clone(),
            throttle: world.clone(),
            guesses: STRANGERS,
            fault_log: Arc::new(vestibule_portal::FaultLines),
            hasher: world.clone(),
            clock: world.clone(),
            entropy: world.clone(),
            pepper: pepper.clone(),
            limits: SessionLimits {
                idle: Duration::from_secs(30 * 60),
                absolute: Duration::from_secs(12 * 3600),
            },
            remember: Some(SessionLimits {
                idle: Duration::from_secs(7 * 24 * 3600),
                absolute: Duration::from_secs(30 * 24 * 3600),
            }),
            refresh: SessionLimits {
                idle: Duration::from_secs(14 * 24 * 3600),
                absolute: Duration::from_secs(30 * 24 * 3600),
            },
            cap: Cap::NONE,
            step_up: Duration::from_secs(600),
            logout: Arc::clone(&logout),
        };
        let login = Arc::new(login);
        let policy = Arc::new(Policy::new(15, &["app.test", "Vestibule"]).unwrap());
        let minter = Minter::new(
            origin.to_owned(),
            ring,
            AudienceTable::new(vec![
                Audience::edge(origin, ACCESS).unwrap(),
                Audience::new("orders", Duration::from_secs(120), []).unwrap(),
                Audience::new("parts", Duration::from_secs(60), []).unwrap(),
            ]),
            world.clone(),
            world.clone(),
            world.clone(),
        );
        let minter = Arc::new(minter);
        let granter = Granter {
            sessions: world.clone(),
            grants: world.clone(),
            logout: Arc::clone(&logout),
            minter: Arc::clone(&minter),
            pepper,
            entropy: world.clone(),
            clock: world.clone(),
            window: Duration::from_secs(10),
        };
        let may_rename = matches!(registration, Registering::Open);
        let mut portal = Portal {
            granter,
            registration: match registration {
                Registering::Closed => None,
                Registering::Open => {
                    Some(Registration { login: Arc::clone(&login), policy: Arc::clone(&policy) })
                }
            },
            identifier_change: may_rename.then(|| IdentifierChange { login: Arc::clone(&login) }),
            password_change: PasswordChange { login: Arc::clone(&login), policy },
            login,
            logout,
            client_auth: Arc::new(client_auth),
            exchanger: Exchange {
                decider: Arc::clone(&decider),
                minter: Arc::clone(&minter),
                revocations: Arc::clone(&revocations),
                directory: world.clone(),
                clients: shelf.clone(),
            },
            introspector: Introspector {
                decider: Arc::clone(&decider),
                minter: Arc::clone(&minter),
                revocations,
                directory: world.clone(),
                clients: shelf.clone(),
                pace: Pace::per_second(MOST_A_SECOND),
            },
            decider,
            minter,
            publish_ahead: Duration::from_secs(24 * 60 * 60),
            accounts: world.clone(),
            directory: world.clone(),
            pre_session_cookie: CookieName::pre_session("vestibule", https).unwrap(),
            device_cookie: CookieName::device("vestibule", https).unwrap(),
            token_cookies: TokenCookies {
                access: CookieName::access("vestibule", https).unwrap(),
                refresh: CookieName::refresh("vestibule", https).unwrap(),
                are_given: tokens == TokensIn::CookiesToo,
            },
            clears_storage: false,
            paths: Paths::default(),
            hsts: match https {
                Https::No => Hsts::unsaid(),
                Https::Yes => Hsts::lasting(Duration::from_secs(31_536_000), Hosts::This),
            },
            proxies: TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]),
            clock: world.clone(),
            entropy: world.clone(),
            theme,
            texts,
        };
        alter(&mut portal);
        let minter = Arc::clone(&portal.minter);
        Self { world, router: router(Arc::new(portal)), csrf, shelf, minter }
    }

    /// The published keys.
    pub(crate) fn published(&self) -> KeySet {
        self.minter.ring().published(START).unwrap()
    }

    /// What its doors verify access tokens by.
    pub(crate) fn edge(&self) -> KeySet {
        self.minter.ring().edge(START).unwrap()
    }
}

fn ours() -> Arc<Texts> {
    Arc::new(Texts::ours().unwrap())
}

fn plain() -> Theme {
    Theme::new("Vestibule".to_owned(), None, None)
}

fn with_a_logo() -> Theme {
    let logo = Logo::read(b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>".to_vec()).unwrap();
    Theme::new("Vestibule".to_owned(), None, Some(logo))
}

fn ring() -> KeyRing {
    let seal = SealKey::new(&[5; 32]).unwrap();
    let record = |purpose| KeyRecord::generate(purpose, Algorithm::Es256, &seal, [1; 12], START).unwrap();
    KeyRing::unseal(&KeyPurpose::ALL.map(record), &seal, 1, START).unwrap()
}
