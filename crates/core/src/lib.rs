//! The rules of Vestibule: what a session is, who may pass, what a service is told, and the ports through which
//! the world is reached. No sockets, no clock, no runtime, no database: those come in through [`port`].
//!
//! Modules are ranked; a file imports only files of lower rank, so the rules can be read bottom-up:
//! `fault id reject secret text time` → `principal` → `account client csrf key session throttle token` → `refresh_token wire` → `live route` →
//! `port` → `client_auth decide encrypt problem` → `logout mint rotation` → `grant introspect login` →
//! `identifier_change password_change registration` → `exchange`.
#![warn(missing_docs)]

pub mod fault;
pub mod id;
pub mod identifier_change;
pub mod reject;
pub mod secret;
pub mod text;
pub mod time;

pub mod principal;

pub mod account;
pub mod client;
pub mod csrf;
pub mod key;
pub mod session;
pub mod throttle;
pub mod token;

pub mod refresh_token;
pub mod wire;

pub mod live;
pub mod route;

pub mod port;

pub mod client_auth;
pub mod decide;
pub mod encrypt;
pub mod problem;

pub mod logout;
pub mod mint;
pub mod rotation;

pub mod grant;
pub mod introspect;
pub mod login;

pub mod password_change;
pub mod registration;

pub mod exchange;

#[cfg(test)]
mod testing;

pub use fault::Fault;
pub use reject::Reject;
pub use time::Timestamp;
/// What checks our JWTs, for those who reach it through the rules alone.
pub use vestibule_verify as verify;
