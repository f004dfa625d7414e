//! The doors: what a proxy or a browser asks, decided by core and answered in the asker's dialect, with a JWT for the service
//! behind in place of the session in front. In: requests and the address of who sent them. Out: answers, and requests to
//! upstreams that carry our identity headers and nobody else's.
#![warn(missing_docs)]

mod answer;
mod body;
mod client_body;
pub mod door;
mod form;
pub mod framing;
mod identity;
mod login_page;
mod pace;
mod scrub;
mod swap;
mod tally;
mod upstream;

pub use body::{Body, Cut};
pub use client_body::{ClientBody, Onlooker};
pub use scrub::{FAMILIES, KNOWN, PROTECTED};
pub use swap::Swap;
pub use tally::METRICS;
pub use upstream::Timeouts;
