//! Where Vestibule keeps things. Every store implements the ports of [`vestibule_core::port`] and is held to one contract suite,
//! races included (`tests/contract`).
//! In: digests, sealed blobs and records of core. Out: the same records, or a fault; never an error of a database's own.
#![warn(missing_docs)]

pub mod access;
mod memory;
mod sqlite;
mod statistics;
mod stores;
mod table;

pub use memory::MemoryStore;
pub use sqlite::{SqliteOptions, SqliteStore, StoreInUse};
pub use statistics::Statistics;
pub use stores::{NotAStoreUrl, SharedFiles, StoreUrl, Stores, Upkeep, open};
