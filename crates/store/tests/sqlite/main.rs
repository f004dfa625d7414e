//! What only a store on disk can get wrong: what is acknowledged and then lost, what is on the disk that should not be, and what
//! happens when the disk, the file or another program does not play along.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a failure here is a failed test")]

mod durability;
mod files;
mod load;
mod secrecy;
mod speed;
mod trouble;
mod world;
