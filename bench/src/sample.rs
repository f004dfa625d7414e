//! Many measurements of one thing. In: samples. Out: their median, and how far apart the rounds lie.

use serde::Serialize;

/// A median with the lowest and highest of the rounds it comes from.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Median {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Median {
    /// Of one number per round.
    pub(crate) fn of_rounds(rounds: &[f64]) -> Self {
        let mut sorted = rounds.to_vec();
        sorted.sort_by(f64::total_cmp);
        let value = median(&mut sorted);
        let end = |number: Option<&f64>| number.copied().unwrap_or(f64::NAN);
        Self { value, low: end(sorted.first()), high: end(sorted.last()) }
    }

    /// Of the ratios of rounds that ran one after the other.
    pub(crate) fn of_ratios(over: &[f64], under: &[f64]) -> Self {
        let ratios: Vec<f64> = over.iter().zip(under).map(|(over, under)| over / under).collect();
        Self::of_rounds(&ratios)
    }

    /// Something counted, not sampled.
    pub(crate) fn exactly(value: f64) -> Self {
        Self { value, low: value, high: value }
    }
}

/// The middle of some samples; not a number when there are none.
pub(crate) fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = |index: usize| samples.get(index).copied().unwrap_or(f64::NAN);
    let middle = samples.len() / 2;
    if samples.len() % 2 == 1 { at(middle) } else { (at(middle.wrapping_sub(1)) + at(middle)) / 2.0 }
}

/// How often a sample of `later` is larger than one of `earlier`, equal ones counted half: the area under the curve of whoever tells the
/// two apart by size (Mann and Whitney 1947). One half: not at all.
pub(crate) fn telling(later: &[f64], earlier: &[f64]) -> f64 {
    let mut sorted = earlier.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wins = later.iter().map(|sample| {
        let below = sorted.partition_point(|it| it < sample);
        let up_to = sorted.partition_point(|it| it <= sample);
        (below + up_to) as f64 / 2.0
    });
    wins.sum::<f64>() / (later.len() * earlier.len()) as f64
}

/// An order without order: SplitMix64 (Steele, Lea, Flood 2014), the same in each run.
pub(crate) struct Shuffle(u64);

impl Shuffle {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The high half of a product is uniform enough for an order of visits.
        ((u128::from(mixed) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_whatever_the_order() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&mut [7.0]), 7.0);
        assert!(median(&mut []).is_nan());
        let rounds = Median::of_rounds(&[5.0, 1.0, 2.0]);
        assert_eq!((rounds.value, rounds.low, rounds.high), (2.0, 1.0, 5.0));
        assert_eq!(Median::of_ratios(&[4.0, 9.0, 10.0], &[2.0, 3.0, 10.0]).value, 2.0);
    }

    #[test]
    fn what_tells_two_apart_is_how_often_one_is_larger() {
        assert_eq!(telling(&[3.0, 4.0], &[1.0, 2.0]), 1.0);
        assert_eq!(telling(&[1.0, 2.0], &[3.0, 4.0]), 0.0);
        assert_eq!(telling(&[1.0, 3.0], &[2.0, 2.0]), 0.5);
        assert_eq!(telling(&[2.0, 2.0, 2.0], &[2.0]), 0.5);
        assert_eq!(telling(&[1.0, 3.0, 5.0, 7.0], &[2.0, 4.0]), 5.0 / 8.0);
        assert!(telling(&[], &[1.0]).is_nan());
    }

    #[test]
    fn a_shuffle_visits_all_and_nothing_else() {
        let mut shuffle = Shuffle::new(1);
        let mut visits = [0_u32; 10];
        for _ in 0..10_000 {
            visits[shuffle.below(10) as usize] += 1;
        }
        assert!(visits.iter().all(|count| (850..1150).contains(count)), "{visits:?}");
    }
}
