//! The proof that claims were verified.
//! In: nothing from outside this crate. Out: something that reads like the claims themselves.
//! Whoever holds one need not ask where it came from: [`crate::Verifier`] and [`crate::Assertion`] make them, and nobody else.

use std::{fmt, ops::Deref, sync::Arc};

use serde::de::DeserializeOwned;

use crate::claims::Claims;

/// A value whose signature, issuer, audience, kind, time and revocation were checked.
///
/// It cannot be made outside this crate:
///
/// ```compile_fail,E0423
/// # use std::sync::Arc;
/// # use vestibule_verify::{Claims, Verified};
/// fn forge(claims: Claims) -> Verified<Claims> {
///     Verified(Arc::new(claims))
/// }
/// ```
///
/// ```compile_fail,E0624
/// # use std::sync::Arc;
/// # use vestibule_verify::{Claims, Verified};
/// fn forge(claims: Claims) -> Verified<Claims> {
///     Verified::assertion(Arc::new(claims))
/// }
/// ```
///
/// nor be changed:
///
/// ```compile_fail,E0594
/// # use vestibule_verify::{Claims, Verified};
/// fn promote(verified: &mut Verified<Claims>, other: Claims) {
///     **verified = other;
/// }
/// ```
///
/// nor be read from JSON:
///
/// ```compile_fail,E0277
/// # use vestibule_verify::{Claims, Verified};
/// let forged: Verified<Claims> = serde_json::from_str("{}").unwrap();
/// ```
pub struct Verified<T>(Arc<T>);

impl<T> Verified<T> {
    /// The one origin of proofs. Called from [`crate::Verifier`] and [`crate::Assertion`] after every check has passed.
    pub(crate) fn assertion(value: Arc<T>) -> Self {
        Self(value)
    }
}

impl Verified<Claims> {
    /// The claims as a type of your own, still verified.
    ///
    /// # Errors
    /// When the claims do not fit `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Verified<T>, serde_json::Error> {
        T::deserialize(self.members()).map(|value| Verified::assertion(Arc::new(value)))
    }
}

impl<T> Clone for Verified<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Verified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(&self.0).finish()
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
