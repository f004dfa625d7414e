//! The portal as its visitors meet it: personas over the router, a world in memory behind it.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod account;
mod answers;
mod api;
mod app;
mod clients;
mod conflict;
mod contract;
mod cookies;
mod exchange;
mod hanging_up;
mod identifier;
mod indistinct;
mod introspection;
mod key_set;
mod languages;
mod logging;
mod login;
mod logout;
mod markup;
mod media;
mod metadata;
mod openapi;
mod password;
mod personas;
mod prefix;
mod refusal;
mod registration;
mod remembered;
mod sessions;
mod shelf;
mod snapshots;
mod theme;
mod token_cookies;
mod tokens;
mod world;
