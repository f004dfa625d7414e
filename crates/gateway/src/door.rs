//! The doors. Each reads a request in its own dialect, asks the one decision, and answers in that dialect.

pub mod csrf;
pub mod forward_auth;
pub mod proxy;
