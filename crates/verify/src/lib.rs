#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod algorithm;
mod assertion;
#[cfg(feature = "axum")]
pub mod axum;
mod claims;
#[cfg(feature = "client")]
pub mod client;
#[cfg(any(feature = "axum", feature = "tower"))]
mod door;
mod hygiene;
mod inspect;
#[cfg(feature = "jwe")]
pub mod jwe;
mod jwk;
mod jws;
mod key;
mod key_reject;
mod key_set;
mod reject;
mod revocation;
pub mod strict_json;
#[cfg(feature = "tower")]
pub mod tower;
mod trust;
mod verified;
mod verifier;

pub use crate::{
    algorithm::Algorithm,
    assertion::{Assertion, MAX_ASSERTION_SECONDS},
    claims::Claims,
    inspect::{Finding, Unverified, inspect},
    jws::{MAX_HEADER_BYTES, MAX_JWT_BYTES},
    key::{KeyId, VerifyingKey},
    key_reject::KeyReject,
    key_set::{KeySet, LeftOut, MAX_JWKS_BYTES, MAX_KEYS},
    reject::{MemberFault, Reject},
    revocation::{Revocation, RevocationScope, RevocationView},
    verified::Verified,
    verifier::{DEFAULT_CACHE_CAPACITY, DEFAULT_MAX_LIFETIME, MAX_SKEW, Verifier},
};
