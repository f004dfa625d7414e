//! The figures, one file each. In: the scale, filled stores. Out: rows for the table.

pub(crate) mod check;
pub(crate) mod memory;
mod program;
pub(crate) mod steps;
pub(crate) mod swap;
pub(crate) mod verify;
