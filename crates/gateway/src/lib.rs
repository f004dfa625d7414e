//! The doors: what a proxy or a browser asks, decided by core and answered in the asker's dialect, with a JWT for the service
//! behind in place of the session in front. In: requests and the address of who sent them. Out: answers, and requests to
//! upstreams that carry our identity headers and nobody else's.
#![warn(missing_docs)]

mod answer;
pub mod door;
mod identity;
mod login_page;
mod swap;
pub mod tally;

pub use swap::Swap;
