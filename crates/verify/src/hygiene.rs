//! What makes a well-formed key a bad key.
//! In: raw key bytes. Out: nothing, or the rule that was broken.
//! These run once per key, at import.

use crate::key_reject::KeyReject;

const RSA_MIN_BITS: usize = 2048;
const RSA_MAX_BITS: usize = 8192;
const RSA_MIN_EXPONENT: u64 = 65_537;
const RSA_MAX_EXPONENT_BYTES: usize = 4;

/// A SHA-256 HMAC key has at least the length of the hash (RFC 7518 §3.2).
const SECRET_MIN_BYTES: usize = 32;
/// 32 random bytes have about 30 different values, 64 random hex digits 16. Fewer than ten is a
/// repeated word, not a secret.
const SECRET_MIN_VARIETY: usize = 10;

/// The odd primes up to 167: RSA moduli have none of them as a factor, and their residues give ROCA away.
const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// The y coordinates, sign bit off, of all points of small order, canonical or not.
const ED25519_SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    [
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    [
        0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
];

/// Refuses points of small order, under which a signature can be made without any private key.
pub(crate) fn ed25519(public: &[u8; 32]) -> Result<(), KeyReject> {
    let mut y = *public;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    if ED25519_SMALL_ORDER.contains(&y) { Err(KeyReject::SmallOrder) } else { Ok(()) }
}

/// Refuses RSA keys that are small, malformed, or made by a generator known to be broken.
pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Result<(), KeyReject> {
    for (member, bytes) in [("n", n), ("e", e)] {
        if bytes.first().is_none_or(|first| *first == 0) {
            return Err(KeyReject::Encoding(member));
        }
    }
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if bits < RSA_MIN_BITS {
        return Err(KeyReject::RsaTooSmall);
    }
    if bits > RSA_MAX_BITS {
        return Err(KeyReject::RsaTooLarge);
    }
    if e.len() > RSA_MAX_EXPONENT_BYTES {
        return Err(KeyReject::RsaExponent);
    }
    let exponent = e.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    if exponent < RSA_MIN_EXPONENT || exponent % 2 == 0 {
        return Err(KeyReject::RsaExponent);
    }
    let even = n.last().is_none_or(|last| last % 2 == 0);
    if even || SMALL_PRIMES.iter().any(|prime| remainder(n, *prime) == 0) {
        return Err(KeyReject::RsaModulus);
    }
    if is_roca(n) { Err(KeyReject::RsaRoca) } else { Ok(()) }
}

/// Refuses HMAC keys that can be guessed, or that everybody has.
pub(crate) fn secret(secret: &[u8]) -> Result<(), KeyReject> {
    if is_public_key(secret) {
        return Err(KeyReject::SecretIsPublicKey);
    }
    if secret.len() < SECRET_MIN_BYTES {
        return Err(KeyReject::SecretTooShort);
    }
    variety(secret)
}

/// Refuses secrets that are a word repeated.
pub(crate) fn variety(secret: &[u8]) -> Result<(), KeyReject> {
    let mut seen = [false; 256];
    for byte in secret {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    if seen.iter().filter(|seen| **seen).count() < SECRET_MIN_VARIETY {
        return Err(KeyReject::SecretGuessable);
    }
    Ok(())
}

/// PEM, a JWK, or DER: the classic way into taking a published key for a secret. Narrow enough that
/// random bytes do not look like it.
fn is_public_key(secret: &[u8]) -> bool {
    let text = secret.trim_ascii_start();
    let pem = text.starts_with(b"-----BEGIN");
    let jwk = text.starts_with(b"{") && text.windows(5).any(|five| five == b"\"kty\"");
    // A SEQUENCE that fills the text exactly and begins with a SEQUENCE or an INTEGER.
    let der = match secret {
        [0x30, 0x82, high, low, 0x30 | 2, ..] => {
            secret.len() == 4 + usize::from(*high) * 256 + usize::from(*low)
        }
        [0x30, 0x81, length, 0x30 | 2, ..] => secret.len() == 3 + usize::from(*length),
        [0x30, length, 0x30 | 2, ..] => secret.len() == 2 + usize::from(*length),
        _ => false,
    };
    pem || jwk || der
}

/// CVE-2017-15361: the broken library's primes are powers of 65537 modulo a product of small
/// primes, and so are the moduli made of them. A random modulus passes as one with chance 2^-27 or so.
fn is_roca(n: &[u8]) -> bool {
    SMALL_PRIMES.iter().all(|prime| {
        let residue = remainder(n, *prime);
        let mut power = 1;
        loop {
            if power == residue {
                return true;
            }
            power = power * (65_537 % prime) % prime;
            if power == 1 {
                return false;
            }
        }
    })
}

fn remainder(n: &[u8], prime: u32) -> u32 {
    n.iter().fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % prime)
}

#[cfg(test)]
mod tests;
