use super::{is_roca, rsa, secret};
use crate::KeyReject;

const E: [u8; 3] = [1, 0, 1];

/// 65537 to a power, big-endian: by construction it has the fingerprint of the broken generator.
fn power_of_65537(exponent: usize) -> Vec<u8> {
    let mut digits = vec![1_u8];
    for _ in 0..exponent {
        // n * 65537 = n + (n << 16), least significant byte first.
        let mut product = digits.clone();
        product.extend([0, 0, 0]);
        let mut carry = 0_u16;
        for (at, digit) in product.iter_mut().enumerate().skip(2) {
            let sum = u16::from(*digit) + u16::from(*digits.get(at - 2).unwrap_or(&0)) + carry;
            *digit = sum as u8;
            carry = sum >> 8;
        }
        digits = product;
        while digits.last() == Some(&0) {
            digits.pop();
        }
    }
    digits.reverse();
    digits
}

/// A number of `bytes` bytes that ends in `last` and starts with a set bit.
fn number(bytes: usize, last: u8) -> Vec<u8> {
    let mut number: Vec<u8> = (0..bytes).map(|at| (at * 89 + 131) as u8).collect();
    number[0] |= 0x80;
    number[bytes - 1] = last;
    number
}

/// The first odd number of that size which breaks no rule.
fn acceptable(bytes: usize) -> Vec<u8> {
    (0..=127).map(|at| number(bytes, at * 2 + 1)).find(|n| rsa(n, &E).is_ok()).unwrap()
}

#[test]
fn sizes_are_counted_in_bits() {
    assert_eq!(acceptable(256).len(), 256);
    let mut short = acceptable(256);
    short[0] = 0x7f;
    assert_eq!(rsa(&short, &E), Err(KeyReject::RsaTooSmall));
    assert_eq!(rsa(&number(128, 1), &E), Err(KeyReject::RsaTooSmall));
    assert_eq!(acceptable(1024).len(), 1024);
    assert_eq!(rsa(&number(1025, 1), &E), Err(KeyReject::RsaTooLarge));
}

#[test]
fn numbers_have_no_leading_zeros() {
    let n = acceptable(256);
    assert_eq!(rsa(&[&[0], n.as_slice()].concat(), &E), Err(KeyReject::Encoding("n")));
    assert_eq!(rsa(&[], &E), Err(KeyReject::Encoding("n")));
    assert_eq!(rsa(&n, &[0, 1, 0, 1]), Err(KeyReject::Encoding("e")));
    assert_eq!(rsa(&n, &[]), Err(KeyReject::Encoding("e")));
}

#[test]
fn exponents_are_odd_and_neither_small_nor_huge() {
    let n = acceptable(256);
    for e in [&[1][..], &[3], &[0xff, 0xff], &[1, 0, 0], &[1, 0, 2], &[1, 0, 0, 0, 1]] {
        assert_eq!(rsa(&n, e), Err(KeyReject::RsaExponent), "{e:?}");
    }
    assert_eq!(rsa(&n, &[1, 0, 3]), Ok(()));
    assert_eq!(rsa(&n, &[0xff, 0xff, 0xff, 0xff]), Ok(()));
}

#[test]
fn a_modulus_is_odd_and_has_no_small_factor() {
    let mut even = acceptable(256);
    even[255] -= 1;
    assert_eq!(rsa(&even, &E), Err(KeyReject::RsaModulus));
    let by_three = (0..=127).map(|at| number(256, at * 2 + 1)).find(|n| super::remainder(n, 3) == 0).unwrap();
    assert_eq!(rsa(&by_three, &E), Err(KeyReject::RsaModulus));
}

/// CVE-2017-15361.
#[test]
fn the_fingerprint_of_the_broken_generator_is_seen() {
    let n = power_of_65537(128);
    assert_eq!(n.len(), 257);
    assert!(is_roca(&n));
    assert_eq!(rsa(&n, &E), Err(KeyReject::RsaRoca));
    assert!(!is_roca(&acceptable(256)));
}

#[test]
fn secrets_are_long_random_and_secret() {
    let random: Vec<u8> = (0..32).map(|at| (at * 37 + 11) as u8).collect();
    assert_eq!(secret(&random), Ok(()));
    assert_eq!(secret(&random[..31]), Err(KeyReject::SecretTooShort));
    assert_eq!(secret(b"0123456789abcdef0123456789abcdef"), Ok(()));
    for guessable in [&[0; 32][..], &[b'a'; 64], b"secretsecretsecretsecretsecretsecret"] {
        assert_eq!(secret(guessable), Err(KeyReject::SecretGuessable));
    }
    let rsa = [&b"\x30\x82\x01\x22\x30\x0d"[..], &[7; 0x120]].concat();
    let ec = [&b"\x30\x59\x30\x13"[..], &[7; 0x57]].concat();
    for public in [
        &b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQY"[..],
        b"\n -----BEGIN CERTIFICATE-----\nMFkwEwYHKoZIzj0",
        b" {\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AAAA\"}",
        &rsa,
        &ec,
    ] {
        assert_eq!(secret(public), Err(KeyReject::SecretIsPublicKey));
    }
    // Random bytes may begin like any of these.
    for start in [&b"{"[..], b"\x30\x82", b"\x30\x1e"] {
        let lucky = [start, &random].concat();
        assert_eq!(secret(&lucky), Ok(()), "{start:?}");
    }
}
