//! Stories: the real program with real proxies, a real browser and JOSE libraries of other languages, from the outside.
//! Run one with `cargo test -p vestibule --test stories NAME`; CONTRIBUTING says what must be installed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic"
)]

#[path = "forge/mod.rs"]
mod forge;
#[expect(
    dead_code,
    unused_imports,
    reason = "shared with the browser's stories; not every story needs everybody"
)]
mod personas;

mod elsewhere;
mod story_accounts;
mod story_ageing;
mod story_application;
mod story_broken;
mod story_claims;
mod story_clients;
mod story_clock;
mod story_codes;
mod story_command_line;
mod story_drain;
mod story_encrypted;
mod story_error_pages;
mod story_folded_names;
mod story_guessing;
mod story_hostile_bodies;
mod story_hostile_cookies;
mod story_hostile_credentials;
mod story_hostile_headers;
mod story_hostile_tokens;
mod story_hsts;
mod story_introspection;
mod story_keys;
mod story_languages;
mod story_misplaced;
mod story_no_enumeration;
mod story_oauth_clients;
mod story_one_account;
mod story_openapi;
mod story_operator;
mod story_own_csrf;
mod story_prefix;
mod story_proxies;
mod story_redirects;
mod story_refresh_race;
mod story_refusals;
mod story_registration;
mod story_remembered;
mod story_rotations;
mod story_secrets;
mod story_service_cookies;
mod story_services;
mod story_sessions;
mod story_sizes;
mod story_slow_headers;
mod story_smuggling;
mod story_spellings;
mod story_stalled;
mod story_storm;
mod story_substitution;
mod story_swap;
mod story_token_cookies;
mod story_tokens;
mod story_unsaid_headers;
