//! Password hashes that other programs made: bcrypt, scrypt, PBKDF2. In: a hash as text, and a password. Out: whether they match. They
//! are only ever verified; the first sign-in replaces them by Argon2id. What a hash may cost is bounded when it is read: a
//! hostile one must not stall the hasher.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use data_encoding::{BASE64, BASE64_NOPAD};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::NotAHash;
use crate::fault::Fault;

/// 2^14 rounds: about a second of one core.
const MOST_BCRYPT_COST: u32 = 14;
/// About a second of one core.
const MOST_PBKDF2_ROUNDS: u32 = 5_000_000;
/// Memory of one scrypt in bytes, times its passes over it: about a second of one core.
const MOST_SCRYPT_MEMORY: u64 = 256 * 1024 * 1024;
/// Fewer bytes of digest could be met by trying.
const SHORTEST_DIGEST: usize = 16;
const LONGEST_DIGEST: usize = 64;
const LONGEST_SALT: usize = 128;
/// After `$2b$12$`: 22 characters of salt and 31 of digest, in an alphabet of bcrypt's own.
const BCRYPT_TAIL: usize = 53;

/// A hash by another program, read and bounded.
pub(super) enum Foreign {
    Bcrypt {
        text: String,
    },
    Pbkdf2 {
        digest: Digest,
        rounds: NonZeroU32,
        salt: Vec<u8>,
        derived: Vec<u8>,
    },
    Scrypt {
        params: scrypt::Params,
        /// log2 of N, r, p: as they are written.
        cost: (u8, u32, u32),
        salt: Vec<u8>,
        derived: Vec<u8>,
    },
}

#[derive(Clone, Copy)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Foreign {
    /// Reads one of the forms that [`super::import`] names; `None` when it is none of theirs.
    pub(super) fn parse(text: &str) -> Option<Result<Self, NotAHash>> {
        if ["$2a$", "$2b$", "$2y$"].iter().any(|it| text.starts_with(it)) {
            return Some(bcrypt(text));
        }
        if let Some(fields) = text.strip_prefix("$scrypt$") {
            return Some(scrypt_phc(fields));
        }
        for digest in [Digest::Sha1, Digest::Sha256, Digest::Sha512] {
            if let Some(fields) = digest.names().iter().find_map(|name| text.strip_prefix(name)) {
                return Some(pbkdf2_phc(digest, fields));
            }
            if let Some(fields) = text.strip_prefix(digest.django()) {
                return Some(pbkdf2_django(digest, fields));
            }
        }
        None
    }

    /// The one form in which it is stored.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Bcrypt { text } => text.clone(),
            Self::Pbkdf2 { digest, rounds, salt, derived } => {
                let [name, ..] = digest.names();
                let (salt, length) = (BASE64_NOPAD.encode(salt), derived.len());
                format!("{name}i={rounds},l={length}${salt}${}", BASE64_NOPAD.encode(derived))
            }
            Self::Scrypt { cost: (log_n, r, p), salt, derived, .. } => {
                let (salt, derived) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(derived));
                format!("$scrypt$ln={log_n},r={r},p={p}${salt}${derived}")
            }
        }
    }

    /// Whether a password is the one behind it, in constant time. bcrypt looks at the first 72 bytes of it alone.
    pub(super) fn matches(&self, password: &[u8]) -> Result<bool, Fault> {
        let broken = |cause: String| Fault::corrupt("a stored password hash", cause);
        match self {
            Self::Bcrypt { text } => bcrypt::verify(password, text).map_err(|it| broken(it.to_string())),
            Self::Pbkdf2 { digest, rounds, salt, derived } => {
                Ok(pbkdf2::verify(digest.algorithm(), *rounds, salt, password, derived).is_ok())
            }
            Self::Scrypt { params, salt, derived, .. } => {
                let mut own = Zeroizing::new(vec![0; derived.len()]);
                scrypt::scrypt(password, salt, params, &mut own).map_err(|it| broken(it.to_string()))?;
                Ok(own.ct_eq(derived).into())
            }
        }
    }

    /// The same work with a digest that no password has: all zero.
    pub(super) fn without_password(mut self) -> Self {
        match &mut self {
            Self::Bcrypt { text } => {
                text.truncate(60 - 31);
                text.push_str(&".".repeat(31));
            }
            Self::Pbkdf2 { derived, .. } | Self::Scrypt { derived, .. } => derived.fill(0),
        }
        self
    }
}

impl Digest {
    /// PHC names, the one that is written first.
    const fn names(self) -> [&'static str; 2] {
        match self {
            Self::Sha1 => ["$pbkdf2$", "$pbkdf2-sha1$"],
            Self::Sha256 => ["$pbkdf2-sha256$"; 2],
            Self::Sha512 => ["$pbkdf2-sha512$"; 2],
        }
    }

    const fn django(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2_sha1$",
            Self::Sha256 => "pbkdf2_sha256$",
            Self::Sha512 => "pbkdf2_sha512$",
        }
    }

    /// In bytes.
    const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    const fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// `$2b$12$` and 53 characters.
fn bcrypt(text: &str) -> Result<Foreign, NotAHash> {
    let mut fields = text.split('$').skip(2);
    let (Some(cost), Some(tail), None) = (fields.next(), fields.next(), fields.next()) else {
        return Err(NotAHash::Malformed("it has not the fields of bcrypt"));
    };
    let cost = match cost.as_bytes() {
        [b'0'..=b'3', b'0'..=b'9'] => cost.parse().unwrap_or(u32::MAX),
        _ => return Err(NotAHash::Malformed("the cost of bcrypt is two digits")),
    };
    if cost < 4 {
        return Err(NotAHash::Malformed("4 is the least cost of bcrypt"));
    }
    let is_digit = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'/');
    if tail.len() != BCRYPT_TAIL || !tail.bytes().all(is_digit) {
        return Err(NotAHash::Malformed("salt and digest of bcrypt are 53 characters of its own base64"));
    }
    if cost > MOST_BCRYPT_COST {
        return Err(NotAHash::TooCostly("14 is the most cost of bcrypt"));
    }
    // Salts whose last bits are not zero: no program writes them, and the verifier does not read them.
    if text.parse::<bcrypt::HashParts>().is_err() {
        return Err(NotAHash::Malformed("salt and digest of bcrypt are 53 characters of its own base64"));
    }
    Ok(Foreign::Bcrypt { text: text.to_owned() })
}

/// `ln=17,r=8,p=1$SALT$DIGEST`, as RustCrypto and passlib write it.
fn scrypt_phc(fields: &str) -> Result<Foreign, NotAHash> {
    let (cost, salt, derived) = three(fields)?;
    let mut cost = cost.split(',');
    let mut number = |name| {
        let value = cost.next().and_then(|it| it.strip_prefix(name)).and_then(decimal);
        value.ok_or(NotAHash::Malformed("the cost of scrypt is written ln=…,r=…,p=…"))
    };
    let (log_n, r, p) = (number("ln=")?, number("r=")?, number("p=")?);
    if cost.next().is_some() {
        return Err(NotAHash::Malformed("the cost of scrypt is written ln=…,r=…,p=…"));
    }
    let memory = 1_u64.checked_shl(log_n).and_then(|n| n.checked_mul(128)).unwrap_or(u64::MAX);
    let memory = memory.saturating_mul(u64::from(r)).saturating_mul(u64::from(p));
    if log_n > 32 || memory > MOST_SCRYPT_MEMORY {
        return Err(NotAHash::TooCostly("scrypt may take 256 MiB, for all of p together"));
    }
    let log_n = u8::try_from(log_n).ok().filter(|it| *it > 0);
    let log_n = log_n.ok_or(NotAHash::Malformed("ln of scrypt is 1 at least"))?;
    let params = scrypt::Params::new(log_n, r, p);
    let params = params.map_err(|_| NotAHash::Malformed("no scrypt has this ln, r and p"))?;
    let (salt, derived) = (decoded_salt(salt)?, decoded_digest(derived)?);
    Ok(Foreign::Scrypt { params, cost: (log_n, r, p), salt, derived })
}

/// `i=600000,l=32$SALT$DIGEST` (PHC), or `29000$SALT$DIGEST` with `.` for `+` (passlib).
fn pbkdf2_phc(digest: Digest, fields: &str) -> Result<Foreign, NotAHash> {
    let (cost, salt, derived) = three(fields)?;
    let (count, length) = match cost.strip_prefix("i=") {
        Some(phc) => match phc.split_once(",l=") {
            Some((count, length)) => (count, Some(length)),
            None => (phc, None),
        },
        None => (cost, None),
    };
    let (salt, derived) = (decoded_salt(salt)?, decoded_digest(derived)?);
    let agrees = |length| decimal(length).and_then(|it| usize::try_from(it).ok()) == Some(derived.len());
    if !length.is_none_or(agrees) {
        return Err(NotAHash::Malformed("the digest is not as long as `l` says"));
    }
    Ok(Foreign::Pbkdf2 { digest, rounds: rounds(count, digest, &derived)?, salt, derived })
}

/// `600000$salt$DIGEST`, as Django writes it: the salt is text, the digest base64 with padding.
fn pbkdf2_django(digest: Digest, fields: &str) -> Result<Foreign, NotAHash> {
    let (count, salt, derived) = three(fields)?;
    let derived =
        BASE64.decode(derived.as_bytes()).map_err(|_| NotAHash::Malformed("its digest is not base64"))?;
    let (salt, derived) = (bounded_salt(salt.as_bytes().to_vec())?, bounded_digest(derived)?);
    Ok(Foreign::Pbkdf2 { digest, rounds: rounds(count, digest, &derived)?, salt, derived })
}

/// What is bounded is the work: a digest longer than the hash function's own takes the rounds once more for each further block.
fn rounds(count: &str, digest: Digest, derived: &[u8]) -> Result<NonZeroU32, NotAHash> {
    let count = decimal(count).and_then(NonZeroU32::new);
    let count = count.ok_or(NotAHash::Malformed("the rounds of PBKDF2 are a number above 0"))?;
    let blocks = derived.len().div_ceil(digest.length()).max(1);
    if u64::from(count.get()) * blocks as u64 > u64::from(MOST_PBKDF2_ROUNDS) {
        return Err(NotAHash::TooCostly("PBKDF2 may take 5000000 rounds, over all blocks of its digest"));
    }
    Ok(count)
}

/// Exactly three fields between `$`.
fn three(fields: &str) -> Result<(&str, &str, &str), NotAHash> {
    let mut parts = fields.split('$');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(cost), Some(salt), Some(digest), None) => Ok((cost, salt, digest)),
        _ => Err(NotAHash::Malformed("it needs a cost, a salt and a digest, with $ between them")),
    }
}

/// Digits alone: `parse` would take a sign.
fn decimal(text: &str) -> Option<u32> {
    text.bytes()
        .all(|it| it.is_ascii_digit())
        .then(|| text.parse().unwrap_or(u32::MAX))
        .filter(|_| !text.is_empty())
}

fn decoded_salt(text: &str) -> Result<Vec<u8>, NotAHash> {
    bounded_salt(decoded(text).ok_or(NotAHash::Malformed("its salt is not base64"))?)
}

fn decoded_digest(text: &str) -> Result<Vec<u8>, NotAHash> {
    bounded_digest(decoded(text).ok_or(NotAHash::Malformed("its digest is not base64"))?)
}

/// Base64 without padding; passlib writes `.` for `+`.
fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(text.trim_end_matches('=').replace('.', "+").as_bytes()).ok()
}

fn bounded_salt(salt: Vec<u8>) -> Result<Vec<u8>, NotAHash> {
    if (1..=LONGEST_SALT).contains(&salt.len()) {
        Ok(salt)
    } else {
        Err(NotAHash::Malformed("its salt is not 1 to 128 bytes long"))
    }
}

fn bounded_digest(digest: Vec<u8>) -> Result<Vec<u8>, NotAHash> {
    if (SHORTEST_DIGEST..=LONGEST_DIGEST).contains(&digest.len()) {
        Ok(digest)
    } else {
        Err(NotAHash::Malformed("its digest is not 16 to 64 bytes long"))
    }
}
