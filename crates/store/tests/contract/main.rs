//! What every store must do, races included: one suite, run over each of them. Time is an argument here, not a clock.

mod accounts;
mod directory;
mod keys;
mod races;
mod sessions;
mod throttle;
mod world;
