//! The doors, asked as proxies and browsers ask them.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test cannot do without fails the test"
)]

mod app;
mod both;
mod carry;
mod csrf;
mod drip;
mod forward_auth;
mod framing;
mod headers;
mod own;
mod refusals;
mod rotation;
mod telling;
mod wire;
