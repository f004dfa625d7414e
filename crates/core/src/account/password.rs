//! Password hashing as pure computation; the pool that bounds how much of it runs at once is a port ([`crate::port::Hasher`]).
//! In: a normalised password, a salt, a cost. Out: a PHC string (Argon2id, RFC 9106), or whether one matches.

use std::str::FromStr;

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, Version};

use self::foreign::Foreign;
use self::memory::HashingMemory;
use super::PasswordHash;
use crate::fault::Fault;
use crate::secret::Password;

mod foreign;
pub mod memory;
#[cfg(test)]
mod tests;

/// No hash that is known here comes near this length.
const LONGEST_HASH: usize = 512;
/// Of the hashes that are made here, in bytes.
const DIGEST_LENGTH: usize = 32;
/// As much as each hashing thread may be made to take by somebody else's choice. The second recommended choice of RFC 9106, section 4,
/// takes 64 MiB; the first, 2 GiB, is too much for that.
const MOST_IMPORTED_KIB: u32 = 256 * 1024;
/// Memory times passes: about a second of one core.
const MOST_IMPORTED_WORK: u64 = 1024 * 1024;

/// Why a text is not taken for a password hash. Says nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAHash {
    /// It begins like a hash, and is none.
    #[error("the password hash is not well-formed: {0}")]
    Malformed(&'static str),
    /// Verifying it would take too long or too much memory.
    #[error("the password hash costs too much to verify: {0}")]
    TooCostly(&'static str),
    /// It is of no known kind.
    #[error(
        "the password hash is of no known kind: Argon2 ($argon2id$…), bcrypt ($2a$, $2b$, $2y$), scrypt ($scrypt$…) and PBKDF2 ($pbkdf2-sha256$…, pbkdf2_sha256$…) are taken"
    )]
    UnknownKind,
}

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

    /// Memory of one hash, in KiB.
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over that memory.
    pub const fn iterations(self) -> u32 {
        self.iterations
    }

    /// Lanes of that memory.
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    fn hasher(self) -> Result<Argon2<'static>, Fault> {
        let params = Params::new(self.memory_kib, self.iterations, self.lanes, Some(DIGEST_LENGTH))
            .map_err(|_| Fault::Bug("an accepted password cost is not valid for Argon2"))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// A hash as it is stored, read.
enum Stored {
    Argon2(Box<phc::PasswordHash>),
    Foreign(Foreign),
}

impl Stored {
    fn read(text: &str) -> Result<Self, NotAHash> {
        if let Some(foreign) = Foreign::parse(text) {
            return foreign.map(Self::Foreign);
        }
        if !["$argon2id$", "$argon2i$", "$argon2d$"].iter().any(|it| text.starts_with(it)) {
            return Err(NotAHash::UnknownKind);
        }
        let hash = phc::PasswordHash::from_str(text)
            .map_err(|_| NotAHash::Malformed("it is not in the PHC form of Argon2"))?;
        Ok(Self::Argon2(Box::new(hash)))
    }

    fn matches(&self, password: &[u8], memory: &mut HashingMemory) -> Result<bool, Fault> {
        match self {
            Self::Argon2(hash) => memory.matches(password, hash),
            Self::Foreign(foreign) => foreign.matches(password),
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Argon2(hash) => hash.to_string(),
            Self::Foreign(foreign) => foreign.to_text(),
        }
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
    verify_in(&mut HashingMemory::default(), password, stored)
}

/// The same in memory that is there already, for whoever verifies one after the other.
pub fn verify_in(
    memory: &mut HashingMemory,
    password: &Password,
    stored: &PasswordHash,
) -> Result<bool, Fault> {
    let stored = Stored::read(stored.reveal())
        .map_err(|cause| Fault::corrupt("a stored password hash", cause.to_string()))?;
    if stored.matches(password.reveal(), memory)? {
        return Ok(true);
    }
    // An imported hash was made of what was typed. For passwords that normalising leaves alone, nearly all, there is nothing to do.
    password.reveal_typed().map_or(Ok(false), |typed| stored.matches(typed, memory))
}

/// Takes a hash that another program made: Argon2 or scrypt in PHC form, bcrypt (`$2a$`, `$2b$`, `$2y$`), PBKDF2 (PHC, passlib's or
/// Django's form). What it would cost to verify is bounded.
pub fn import(text: &str) -> Result<PasswordHash, NotAHash> {
    if text.len() > LONGEST_HASH {
        return Err(NotAHash::Malformed("it is longer than 512 bytes"));
    }
    // Django writes a word of its own before what is in PHC form.
    let text = text.strip_prefix("argon2").filter(|it| it.starts_with("$argon2")).unwrap_or(text);
    let stored = Stored::read(text)?;
    if let Stored::Argon2(hash) = &stored {
        if hash.version.is_none_or(|it| Version::try_from(it).is_err()) {
            return Err(NotAHash::Malformed("its version is not v=16 or v=19"));
        }
        let params = Params::try_from(hash.as_ref())
            .map_err(|_| NotAHash::Malformed("the cost of Argon2 is written m=…,t=…,p=…"))?;
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        if params.m_cost() > MOST_IMPORTED_KIB || work > MOST_IMPORTED_WORK || params.p_cost() > 16 {
            return Err(NotAHash::TooCostly("Argon2 may take 256 MiB, 1 GiB over all passes, and 16 lanes"));
        }
        if hash.hash.as_ref().is_none_or(|it| it.len() < 16) || hash.salt.is_none() {
            return Err(NotAHash::Malformed("its salt is missing, or its digest shorter than 16 bytes"));
        }
    }
    Ok(PasswordHash::from_phc(stored.to_text()))
}

/// A hash that takes the same work as `stored` and that no password matches; `None` when `stored` is no hash.
pub fn stand_in_for(stored: &PasswordHash) -> Option<PasswordHash> {
    let text = match Stored::read(stored.reveal()).ok()? {
        Stored::Argon2(_) => {
            let (before, digest) = stored.reveal().rsplit_once('$')?;
            // Zeros in base64, which no password has either.
            format!("{before}${}", "A".repeat(digest.len()))
        }
        Stored::Foreign(foreign) => foreign.without_password().to_text(),
    };
    Some(PasswordHash::from_phc(text))
}

/// Whether a stored hash was made at less than today's cost, by an older algorithm or version of it, or is shorter, and should be made anew at this login.
pub fn is_outdated(stored: &PasswordHash, cost: PasswordCost) -> bool {
    let Ok(stored) = phc::PasswordHash::from_str(stored.reveal()) else { return true };
    let Ok(params) = Params::try_from(&stored) else { return true };
    stored.algorithm != Algorithm::Argon2id.ident()
        || stored.version != Some(Version::V0x13.into())
        || stored.hash.is_none_or(|digest| digest.len() < DIGEST_LENGTH)
        || params.m_cost() < cost.memory_kib
        || params.t_cost() < cost.iterations
        || params.p_cost() < cost.lanes
}
