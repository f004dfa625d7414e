use std::collections::HashSet;

use vestibule_core::session::{COOKIE_VALUE_LENGTH, SessionToken};

use super::*;

const TOKENS: u32 = 1_000_000;
const BYTES: usize = 32;

/// How far from its mean a number of ones may lie, in standard deviations: one of the 257 that are looked at lies further once in
/// a thousand million runs (normal distribution, both sides).
const DEVIATIONS: f64 = 7.2;

/// Where chi-square of 255 degrees of freedom may lie: one of the 33 that are looked at lies outside once in a thousand million runs.
/// Below, the bytes would be more even than chance makes them.
const CHI_SQUARE: std::ops::RangeInclusive<f64> = 120.0..=450.0;

/// SS-01: drawn as signing in draws them. No two begin with the same 128 bits, all are equally long as a cookie's value, each bit of
/// them is as often one as zero, and each byte takes every value as often as any other; all of them together, and each at its place,
/// so that a version's digits, a count or a time in them would show.
#[test]
fn a_million_session_tokens_differ_are_equally_long_and_have_no_pattern() {
    let mut begun = HashSet::with_capacity(TOKENS as usize);
    let mut counts = vec![[0_u32; 256]; BYTES];
    for number in 0..TOKENS {
        let mut bytes = [0; BYTES];
        SystemEntropy.fill(&mut bytes).unwrap();
        assert!(begun.insert(u128::from_be_bytes(*bytes.first_chunk().unwrap())), "drawn twice");
        for (count, byte) in counts.iter_mut().zip(bytes) {
            count[usize::from(byte)] += 1;
        }
        // Writing them all out would take as long as all the rest.
        if number % 100 == 0 {
            let text = SessionToken::from_random(bytes).reveal_cookie_value();
            assert_eq!(text.len(), COOKIE_VALUE_LENGTH);
        }
    }

    let mut together = [0; 256];
    for (place, count) in counts.iter().enumerate() {
        for bit in 0..8 {
            is_as_often_one_as_zero(ones(count, 1 << bit), count, 1, &format!("bit {bit} of byte {place}"));
        }
        is_even(count, &format!("byte {place}"));
        together.iter_mut().zip(count).for_each(|(sum, count)| *sum += count);
    }
    let all: f64 = (0..8).map(|bit| ones(&together, 1 << bit)).sum();
    is_as_often_one_as_zero(all, &together, 8, "all bits");
    is_even(&together, "all bytes");
}

/// How many of the counted bytes have this bit.
fn ones(count: &[u32; 256], bit: usize) -> f64 {
    count.iter().enumerate().filter(|(byte, _)| byte & bit != 0).map(|(_, count)| f64::from(*count)).sum()
}

/// The monobit test, of so many bits of each counted byte.
fn is_as_often_one_as_zero(ones: f64, count: &[u32; 256], bits: u32, what: &str) {
    let tossed = f64::from(count.iter().sum::<u32>()) * f64::from(bits);
    let deviations = (ones - tossed / 2.0) / (tossed.sqrt() / 2.0);
    assert!(deviations.abs() <= DEVIATIONS, "{what}: {ones} ones of {tossed}");
}

/// Pearson's chi-square against the even distribution.
fn is_even(count: &[u32; 256], what: &str) {
    let expected = f64::from(count.iter().sum::<u32>()) / 256.0;
    let chi_square: f64 = count.iter().map(|it| (f64::from(*it) - expected).powi(2) / expected).sum();
    assert!(CHI_SQUARE.contains(&chi_square), "{what}: chi-square {chi_square}");
}
