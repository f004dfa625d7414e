//! Password hashing as pure computation; the pool that bounds how much of it runs at once is a port ([`crate::port::Hasher`]).
//! In: a normalised password, a salt, a cost. Out: a PHC string (Argon2id, RFC 9106), or whether one matches.

use std::str::FromStr;

use argon2::password_hash::phc;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::PasswordHash;
use crate::fault::Fault;
use crate::secret::Password;

/// What one Argon2id hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

/// Why a cost is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Argon2id needs at least 19456 KiB of memory, 2 iterations and 1 lane, and at most 4194304 KiB, 64 iterations and 16 lanes"
)]
pub struct CostOutOfRange;

impl PasswordCost {
    /// The floor, and the default: 19 MiB, two passes, one lane (OWASP Password Storage; ASVS 11.4.2).
    pub const FLOOR: Self = Self { memory_kib: 19_456, iterations: 2, lanes: 1 };

    /// A cost at or above the floor, and not so far above it that one login takes the machine down.
    pub const fn new(memory_kib: u32, iterations: u32, lanes: u32) -> Result<Self, CostOutOfRange> {
        let floor = Self::FLOOR;
        if memory_kib < floor.memory_kib || iterations < floor.iterations || lanes < floor.lanes {
            return Err(CostOutOfRange);
        }
        if memory_kib > 4 * 1024 * 1024 || iterations > 64 || lanes > 16 {
            return Err(CostOutOfRange);
        }
        Ok(Self { memory_kib, iterations, lanes })
    }

    fn hasher(self) -> Result<Argon2<'static>, Fault> {
        let params = Params::new(self.memory_kib, self.iterations, self.lanes, Some(32))
            .map_err(|_| Fault::Bug("an accepted password cost is not valid for Argon2"))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Hashes a password under a fresh 16-byte salt. Takes tens of milliseconds of one core.
pub fn hash(password: &Password, salt: &[u8; 16], cost: PasswordCost) -> Result<PasswordHash, Fault> {
    let hash = cost
        .hasher()?
        .hash_password_with_salt(password.reveal(), salt)
        .map_err(|cause| Fault::unavailable("the password hasher", cause.to_string()))?;
    Ok(PasswordHash::from_phc(hash.to_string()))
}

/// Whether a password is the one behind a stored hash, at the cost that the hash itself names. Compares in constant time.
pub fn verify(password: &Password, stored: &PasswordHash) -> Result<bool, Fault> {
    let stored = phc::PasswordHash::from_str(stored.reveal())
        .map_err(|cause| Fault::corrupt("a stored password hash", cause.to_string()))?;
    match Argon2::default().verify_password(password.reveal(), &stored) {
        Ok(()) => Ok(true),
        Err(Error::PasswordInvalid) => Ok(false),
        Err(cause) => Err(Fault::corrupt("a stored password hash", cause.to_string())),
    }
}

/// Whether a stored hash was made at less than today's cost, or by an older algorithm, and should be made anew at this login.
pub fn is_outdated(stored: &PasswordHash, cost: PasswordCost) -> bool {
    let Ok(stored) = phc::PasswordHash::from_str(stored.reveal()) else { return true };
    let Ok(params) = Params::try_from(&stored) else { return true };
    stored.algorithm != Algorithm::Argon2id.ident()
        || params.m_cost() < cost.memory_kib
        || params.t_cost() < cost.iterations
        || params.p_cost() < cost.lanes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_below_the_floor_are_refused() {
        assert!(PasswordCost::new(19_455, 2, 1).is_err());
        assert!(PasswordCost::new(19_456, 1, 1).is_err());
        assert!(PasswordCost::new(19_456, 2, 0).is_err());
        assert_eq!(PasswordCost::new(19_456, 2, 1), Ok(PasswordCost::FLOOR));
    }

    #[test]
    fn a_hash_is_argon2id_at_the_asked_cost_and_matches_only_its_password() {
        let password = Password::parse("correct horse battery staple").unwrap();
        let stored = hash(&password, &[3; 16], PasswordCost::FLOOR).unwrap();
        assert!(stored.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.reveal());
        assert!(verify(&password, &stored).unwrap());
        assert!(!verify(&Password::parse("correct horse battery stapler").unwrap(), &stored).unwrap());
        assert!(!is_outdated(&stored, PasswordCost::FLOOR));
        assert!(is_outdated(&stored, PasswordCost::new(19_456, 3, 1).unwrap()));
    }

    #[test]
    fn a_hash_made_by_the_reference_implementation_is_understood() {
        // echo -n "password" | argon2 somesaltsomesalt -id -t 2 -k 19456 -p 1 -e
        let stored = PasswordHash::from_phc(REFERENCE.to_owned());
        assert!(verify(&Password::parse("password").unwrap(), &stored).unwrap());
    }

    const REFERENCE: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$K13EBUiG7JV+9ZxztmHFTdb7J0WQsnj2V8bZaqyPptE";

    #[test]
    fn what_is_no_hash_is_a_fault_and_not_a_no() {
        let password = Password::parse("x").unwrap();
        for text in ["", "plain", "$argon2id$v=19$m=19456,t=2,p=1$", "$2b$12$abcdefghijklmnopqrstuv"] {
            assert!(verify(&password, &PasswordHash::from_phc(text.to_owned())).is_err(), "{text:?}");
        }
    }
}
