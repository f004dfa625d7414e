//! How many files, and so connections, this process may have open. Linux starts programs with 1024, for the sake of old ones that
//! break beyond; whoever serves connections is expected to ask for more, up to the hard limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than this is never used: 10 000 connections on each listener, each with one to an upstream.
const WANTED: u64 = 65_536;

/// Raises the limit as far as allowed and wanted; says what it is now.
pub(crate) fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (now, most) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    let target = WANTED.min(most);
    if now >= target {
        return now;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum }) {
        Ok(()) => target,
        Err(error) => {
            tracing::warn!(error = %error, open_files = now, "the limit on open files cannot be raised");
            now
        }
    }
}
