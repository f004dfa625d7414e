//! What every store must do, races included: one suite, run over each of them. Time is an argument here, not a clock.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]
#![expect(clippy::print_stdout, reason = "a failed case says on which store")]

mod accounts;
mod cap;
mod clients;
mod directory;
mod families;
mod grants;
mod keys;
mod machine;
mod races;
mod reissue;
mod rotation;
mod sessions;
mod throttle;
mod world;
