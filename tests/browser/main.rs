//! Stories that need a real browser engine, a server that is killed, or a disk that is full: the real program from the outside.
//! Run one with `cargo test -p vestibule --test browser NAME`; CONTRIBUTING says what must be installed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may panic"
)]

#[path = "../personas/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the stories; not every story needs everybody")]
mod personas;

mod lives;
mod load;
mod story_account;
mod story_arrivals;
mod story_crash;
mod story_csrf;
mod story_dev;
mod story_doors;
mod story_ended;
mod story_examples;
mod story_leaving;
mod story_looks;
mod story_referrer;
mod story_script;
mod story_tossing;
mod story_trouble;
mod world;
