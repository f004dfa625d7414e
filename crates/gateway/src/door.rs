//! The doors. Each reads a request in its own dialect, asks the one decision, and answers in that dialect.

pub mod forward_auth;
pub mod proxy;
