//! The machine behind core's ports: its clock, its random generator, threads for password hashing, files that hold secrets,
//! text in files and on stdin, how many files may be open, and how large they may be.

pub(crate) mod calibration;
pub(crate) mod clock;
pub(crate) mod entropy;
pub(crate) mod file_size;
pub(crate) mod hasher;
pub(crate) mod open_files;
pub(crate) mod secret_file;
pub(crate) mod text_file;
