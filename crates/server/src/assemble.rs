//! Puts the app together: settings become stores, stores become rules, rules become doors and pages. In: [`Settings`]. Out: a
//! [`App`] with which commands work, and its [`Endpoints`] when it serves.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use anyhow::Result;
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use tokio::sync::Mutex;
use vestibule_core::Fault;
use vestibule_core::account::policy::Policy;
use vestibule_core::client_auth::ClientAuthenticator;
use vestibule_core::csrf::CsrfTokens;
use vestibule_core::csrf::origin::Origins;
use vestibule_core::decide::Decider;
use vestibule_core::exchange::Exchange;
use vestibule_core::grant::Granter;
use vestibule_core::identifier_change::IdentifierChange;
use vestibule_core::introspect::{Introspector, MOST_A_SECOND, Pace};
use vestibule_core::login::Login;
use vestibule_core::logout::Logout;
use vestibule_core::mint::{Audience, AudienceTable, LONGEST_LIFETIME, Minter};
use vestibule_core::password_change::PasswordChange;
use vestibule_core::port::{Clock, Entropy};
use vestibule_core::registration::Registration;
use vestibule_core::rotation::{Rotation, RotationLock};
use vestibule_core::route::RouteTable;
use vestibule_core::secret::Pepper;
use vestibule_core::wire::forwarded::TrustedProxies;
use vestibule_core::wire::guard::Hsts;
use vestibule_gateway::door::csrf::CsrfDoor;
use vestibule_gateway::door::forward_auth::ForwardAuth;
use vestibule_gateway::door::proxy::{ProxyDoor, RefusalPages};
use vestibule_gateway::{Swap, Timeouts};
use vestibule_portal::theme::Theme;
use vestibule_portal::{FaultLines, Introspection, Portal, TokenCookies};
use vestibule_store::{SharedFiles, Stores};
use vestibule_verify::{RevocationView, Verifier};

use crate::config::raw::Registration as RegistrationSetting;
use crate::config::{Look, Settings};
use crate::host::clock::SystemClock;
use crate::host::entropy::SystemEntropy;
use crate::host::hasher::{Bounds, HashingPool};
use crate::host::secret_file::{self, Sharing};
use crate::key_manager::{KeyManager, ingredients};
use crate::secrets::{Secrets, Stored, Unchecked};
use crate::telemetry::DroppedClaims;
use crate::untrusted::UntrustedProxies;

/// Everything but listeners: enough for commands.
pub(crate) struct App {
    pub(crate) settings: Settings,
    pub(crate) stores: Stores,
    pub(crate) decider: Arc<Decider>,
    pub(crate) minter: Arc<Minter>,
    pub(crate) logout: Arc<Logout>,
    pub(crate) client_auth: Arc<ClientAuthenticator>,
    pub(crate) key_manager: KeyManager,
    pub(crate) revocations: Arc<RevocationView>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) pepper: Pepper,
    /// The longest life that a JWT of ours can have.
    pub(crate) longest_jwt: Duration,
    /// LoginTarget access tokens are for: this gateway.
    edge_audience: Audience,
}

/// What answers requests.
pub(crate) struct Endpoints {
    pub(crate) csrf: CsrfDoor,
    pub(crate) forward_auth: ForwardAuth,
    pub(crate) proxy: ProxyDoor,
    pub(crate) pages: axum::Router,
    pub(crate) introspection: Introspection,
    /// Renders what visitors see where nothing else answers.
    pub(crate) portal: Arc<Portal>,
    /// The `Strict-Transport-Security` header of all answers.
    pub(crate) hsts: Hsts,
    /// Who forwards without being trusted to.
    pub(crate) untrusted: UntrustedProxies,
    decider: Arc<Decider>,
}

impl Endpoints {
    /// Whether the built-in gateway has anything behind it.
    pub(crate) fn carries(&self) -> bool {
        self.decider.routes.load().iter().any(|route| route.upstream.is_some())
    }
}

impl App {
    /// Opens the store, reads the secrets, and builds the rules on them.
    pub(crate) async fn open(settings: Settings, unchecked: Unchecked) -> Result<Arc<Self>> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let sharing = if settings.shared_files { Sharing::Taken } else { Sharing::Refused };
        secret_file::private_dir(&settings.data_dir, sharing)?;
        let shared = if settings.shared_files { SharedFiles::Accepted } else { SharedFiles::Refused };
        let stores = vestibule_store::open(&settings.store, shared).await?;
        // Under the store's lock: of two first starts at once, one alone makes the secrets.
        let stored = if stores.upkeep.is_new().await? { Stored::NotYet } else { Stored::Already };
        let secrets = Secrets::read(&settings.secrets, stored, sharing, entropy.as_ref())?;

        let records = stores.keys.all().await?;
        let ring = secrets.fit(&*stores.upkeep, &records, clock.now(), unchecked).await?;
        let Secrets { seal, pepper, .. } = secrets;
        let revocations = Arc::new(RevocationView::new());
        let issuer = settings.public_url.as_str().to_owned();
        // Access tokens for the edge itself are for the origin and by keys of their own; services' JWTs are no good here.
        let edge = Verifier::new(issuer.clone(), issuer.clone(), ring.edge(clock.now())?)
            .with_revocation(Arc::clone(&revocations));
        let edge = Arc::new(edge);
        let edge_audience = Audience::edge(&issuer, settings.tokens.access)?;
        let audiences = settings.audiences.iter().chain([&edge_audience]).cloned().collect();
        // Whoever waits for the last JWT of a session or a key waits for the longest of all.
        let longest_jwt = LONGEST_LIFETIME.max(settings.tokens.access);
        let largest_jwt = settings.tokens.largest_jwt;
        let minter = Minter::new(
            issuer,
            ring,
            AudienceTable::new(audiences),
            Arc::clone(&stores.accounts),
            Arc::clone(&clock),
            Arc::clone(&entropy),
        );
        let minter = Arc::new(minter.with_budget(largest_jwt, Arc::new(DroppedClaims::new(largest_jwt))));
        let mut process = [0; 16];
        entropy.fill(&mut process)?;
        let decider = Arc::new(Decider {
            routes: ArcSwap::from_pointee(RouteTable::new(settings.routes.clone())),
            origins: ArcSwap::from_pointee(Origins::new(vec![settings.public_url.clone()])),
            sessions: Arc::clone(&stores.sessions),
            pepper: pepper.clone(),
            csrf: Arc::new(CsrfTokens::new(pepper.clone(), process)?),
            cookie: settings.session_cookie.clone(),
            access_cookie: settings.token_cookies.are_given.then(|| settings.token_cookies.access.clone()),
            edge: Arc::clone(&edge),
            clock: Arc::clone(&clock),
        });
        let logout = Arc::new(Logout {
            sessions: Arc::clone(&stores.sessions),
            pepper: pepper.clone(),
            revocations: Arc::clone(&revocations),
            clock: Arc::clone(&clock),
            longest_jwt,
        });
        let client_auth = Arc::new(ClientAuthenticator::new(
            Arc::clone(&stores.clients),
            Arc::clone(&stores.one_time),
            Arc::clone(&revocations),
            pepper.clone(),
            minter.issuer().to_owned(),
            Arc::clone(&clock),
        ));
        let key_manager = KeyManager {
            rotation: Rotation {
                keys: Arc::clone(&stores.keys),
                seal: Arc::clone(&seal),
                clock: Arc::clone(&clock),
                entropy: Arc::clone(&entropy),
                algorithm: settings.algorithm,
                publish_ahead: settings.publish_ahead,
                longest_jwt,
                turn: RotationLock::default(),
            },
            keys: Arc::clone(&stores.keys),
            seal,
            rotate_every: settings.rotate_every,
            minter: Arc::clone(&minter),
            edge,
            clock: Arc::clone(&clock),
            stamps: AtomicU32::new(1),
            made_of: Mutex::new(ingredients(&records)),
        };
        Ok(Arc::new(Self {
            settings,
            stores,
            decider,
            minter,
            logout,
            client_auth,
            key_manager,
            revocations,
            clock,
            entropy,
            pepper,
            longest_jwt,
            edge_audience,
        }))
    }

    /// Builds doors and pages. The metrics recorder must be installed before.
    pub(crate) fn front(&self) -> Result<Endpoints> {
        let settings = &self.settings;
        let hasher =
            HashingPool::start(settings.passwords.cost, Bounds::default(), Arc::clone(&self.entropy))?;
        let Stores { accounts, clients, directory, grants, sessions, throttle, .. } = self.stores.clone();
        let login = Arc::new(Login {
            accounts: Arc::clone(&accounts),
            sessions: Arc::clone(&sessions),
            throttle,
            guesses: settings.passwords.guesses,
            fault_log: Arc::new(FaultLines),
            hasher,
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            pepper: self.pepper.clone(),
            limits: settings.session_limits,
            remember: settings.remember,
            refresh: settings.tokens.refresh,
            cap: settings.session_cap,
            step_up: settings.step_up,
            logout: Arc::clone(&self.logout),
        });
        let look = settings.look.clone();
        let policy = Arc::new(password_policy(settings)?);
        let registration = match settings.registration {
            RegistrationSetting::Closed => None,
            RegistrationSetting::Open => {
                Some(Registration { login: Arc::clone(&login), policy: Arc::clone(&policy) })
            }
        };
        let granter = Granter {
            sessions,
            grants,
            logout: Arc::clone(&self.logout),
            minter: Arc::clone(&self.minter),
            pepper: self.pepper.clone(),
            entropy: Arc::clone(&self.entropy),
            clock: Arc::clone(&self.clock),
            window: settings.tokens.replay_window,
        };
        let portal = Portal {
            granter,
            registration,
            identifier_change: settings
                .identifier_change
                .then(|| IdentifierChange { login: Arc::clone(&login) }),
            password_change: PasswordChange { login: Arc::clone(&login), policy },
            login,
            logout: Arc::clone(&self.logout),
            client_auth: Arc::clone(&self.client_auth),
            exchanger: Exchange {
                decider: Arc::clone(&self.decider),
                minter: Arc::clone(&self.minter),
                revocations: Arc::clone(&self.revocations),
                directory: Arc::clone(&directory),
                clients: Arc::clone(&clients),
            },
            introspector: Introspector {
                decider: Arc::clone(&self.decider),
                minter: Arc::clone(&self.minter),
                revocations: Arc::clone(&self.revocations),
                directory: Arc::clone(&directory),
                clients,
                pace: Pace::per_second(MOST_A_SECOND),
            },
            decider: Arc::clone(&self.decider),
            minter: Arc::clone(&self.minter),
            publish_ahead: settings.publish_ahead,
            accounts,
            directory,
            pre_session_cookie: settings.pre_session_cookie.clone(),
            device_cookie: settings.device_cookie.clone(),
            token_cookies: settings.token_cookies.clone(),
            clears_storage: settings.clears_storage,
            paths: settings.paths.clone(),
            hsts: settings.hsts.clone(),
            proxies: TrustedProxies::new(settings.public_proxies.clone()),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            theme: theme_of(look),
            texts: Arc::clone(&settings.texts),
        };
        let portal = Arc::new(portal);
        let swap = Arc::new(Swap::new(
            Arc::clone(&self.decider),
            Arc::clone(&self.minter),
            &settings.public_url,
            &settings.paths,
            settings.hsts.clone(),
            Arc::clone(&self.entropy),
        ));
        let mut cookies = vec![
            settings.session_cookie.clone(),
            settings.pre_session_cookie.clone(),
            settings.device_cookie.clone(),
        ];
        // Also where browsers are given none: they may hold what they were given before.
        let TokenCookies { access, refresh, .. } = settings.token_cookies.clone();
        cookies.extend([access, refresh]);
        Ok(Endpoints {
            csrf: CsrfDoor::new(Arc::clone(&swap), Arc::clone(&self.stores.directory)),
            forward_auth: ForwardAuth::new(
                Arc::clone(&swap),
                TrustedProxies::new(settings.forward_auth_proxies.clone()),
            ),
            proxy: ProxyDoor::new(
                swap,
                cookies,
                &settings.public_url,
                Timeouts { slowest_body: settings.listen.slowest_body, ..Timeouts::default() },
            )
            .with_pages(Arc::new(ThemedPages(Arc::clone(&portal)))),
            portal: Arc::clone(&portal),
            introspection: Introspection::of(Arc::clone(&portal)),
            pages: vestibule_portal::router(portal),
            untrusted: UntrustedProxies::new(TrustedProxies::new(settings.public_proxies.clone())),
            hsts: settings.hsts.clone(),
            decider: Arc::clone(&self.decider),
        })
    }

    /// Takes over the routes and audiences of newer settings; everything else needs a restart.
    pub(crate) fn replace_routes(&self, newer: &Settings) {
        // Old routes name old audiences until they are gone: for a moment both are known.
        let older = &self.settings.audiences;
        let kept = older.iter().filter(|old| newer.audiences.iter().all(|new| new.name != old.name));
        let both = newer.audiences.iter().chain(kept).chain([&self.edge_audience]).cloned().collect();
        self.minter.replace_audiences(AudienceTable::new(both));
        self.decider.routes.store(Arc::new(RouteTable::new(newer.routes.clone())));
    }
}

/// The portal's pages for the gateway's refusals: neither of the two knows the other.
struct ThemedPages(Arc<Portal>);

impl RefusalPages for ThemedPages {
    fn page(&self, asked: &HeaderMap, status: StatusCode, incident: Option<&str>) -> Response<Bytes> {
        self.0.refusal_page(asked, status, incident)
    }
}

fn theme_of(look: Look) -> Theme {
    let theme = Theme::new(look.name, look.accent, look.logo).with_links(look.home, look.links);
    if look.logo_alone { theme.with_logo_alone() } else { theme }
}

/// The rules for new passwords, which know the names that this place goes by.
pub(crate) fn password_policy(settings: &Settings) -> Result<Policy, Fault> {
    Policy::new(settings.passwords.min_length, &[settings.public_url.host(), &settings.look.name])
}
