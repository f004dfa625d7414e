//! The figures, one file each. In: the scale, filled stores. Out: rows for the table.

pub(crate) mod check;
pub(crate) mod crowd;
pub(crate) mod introspect;
pub(crate) mod jwe;
pub(crate) mod layer;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod memory;
pub(crate) mod open;
mod people;
mod program;
pub(crate) mod refresh;
pub(crate) mod steps;
pub(crate) mod storm;
pub(crate) mod swap;
pub(crate) mod timing;
pub(crate) mod verify;
