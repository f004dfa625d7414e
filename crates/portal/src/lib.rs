//! The rooms that people see: signing in, signing out, their account, the same as a JSON API, and the published keys.
//! In: requests below the prefix (`/auth` unless configured) and for three documents of `/.well-known/`. Out: pages, problems
//! (RFC 9457) and our cookies.
//! Nothing is decided here: credentials, passwords and CSRF tokens are judged by core.
#![warn(missing_docs)]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use vestibule_core::client_auth::ClientAuthenticator;
use vestibule_core::decide::Decider;
use vestibule_core::exchange::Exchange;
use vestibule_core::grant::Granter;
use vestibule_core::identifier_change::IdentifierChange;
use vestibule_core::introspect::Introspector;
use vestibule_core::login::Login;
use vestibule_core::logout::Logout;
use vestibule_core::mint::Minter;
use vestibule_core::password_change::PasswordChange;
use vestibule_core::port::{Accounts, Clock, Directory, Entropy};
use vestibule_core::registration::Registration;
use vestibule_core::wire::forwarded::TrustedProxies;
use vestibule_core::wire::guard::Hsts;
use vestibule_core::wire::{CookieName, Paths};

use crate::texts::Texts;
use crate::theme::Theme;

mod address;
mod answer;
mod api;
mod body;
mod cookie;
mod device;
mod document;
mod ending;
mod event;
mod form;
mod key_set;
mod metadata;
mod moment;
mod notice;
mod oauth;
mod openapi;
mod pages;
mod pre_session;
mod problem;
mod register;
mod return_to;
mod router;
mod sign_in;
mod sign_out;
mod static_file;
pub mod texts;
pub mod theme;
mod token_cookies;
mod visitor;

pub use event::{FaultLines, METRICS};
pub use oauth::introspect::Introspection;
pub use router::{WELL_KNOWN, router};
pub use token_cookies::TokenCookies;

/// All that the rooms stand on. The session cookie's name, the origins and the CSRF tokens are the [`Decider`]'s, so that the
/// pages and the doors can never disagree about them.
pub struct Portal {
    /// Signs in.
    pub login: Arc<Login>,
    /// Signs out.
    pub logout: Arc<Logout>,
    /// Makes accounts for those who ask, where an operator opened that.
    pub registration: Option<Registration>,
    /// Changes identifiers for their owners, where an operator allows that.
    pub identifier_change: Option<IdentifierChange>,
    /// Changes passwords.
    pub password_change: PasswordChange,
    /// Issues access tokens with the refresh tokens that go with them.
    pub granter: Granter,
    /// Knows clients by what they show.
    pub client_auth: Arc<ClientAuthenticator>,
    /// Trades what clients were shown for what they show.
    pub exchanger: Exchange,
    /// Tells resource servers of the tokens that are presented to them.
    pub introspector: Introspector,
    /// Judges sessions, origins and CSRF tokens.
    pub decider: Arc<Decider>,
    /// Has the key ring whose public half is published.
    pub minter: Arc<Minter>,
    /// How long a key is published before it signs; says how long the published set may be kept.
    pub publish_ahead: Duration,
    /// Says what an account is called.
    pub accounts: Arc<dyn Accounts>,
    /// Lists a person's sessions.
    pub directory: Arc<dyn Directory>,
    /// The name of the cookie that binds a login form to its browser.
    pub pre_session_cookie: CookieName,
    /// The names of the cookies that tokens go in, and whether browsers may have them.
    pub token_cookies: TokenCookies,
    /// The name of the cookie that marks a device which an account was signed in on.
    pub device_cookie: CookieName,
    /// Whether signing out has the browser empty the storage of the origin, which is the application's, too.
    pub clears_storage: bool,
    /// Where all this is, and how requests for it arrive.
    pub paths: Paths,
    /// The `Strict-Transport-Security` header of all answers.
    pub hsts: Hsts,
    /// Whose `X-Forwarded-For` counts.
    pub proxies: TrustedProxies,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What the pages look like, and what they call this place.
    pub theme: Theme,
    /// What the pages say, in every language that is there.
    pub texts: Arc<Texts>,
}

/// The address at the other end of the connection; whoever owns the socket puts it into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);
