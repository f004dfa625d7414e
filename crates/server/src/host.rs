//! The machine behind core's ports: its clock, its random generator, threads for password hashing, files that hold secrets.

pub(crate) mod clock;
pub(crate) mod entropy;
pub(crate) mod hasher;
pub(crate) mod secret_file;
