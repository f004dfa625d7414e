//! The doors, asked as proxies and browsers ask them.

mod forward_auth;
mod house;
