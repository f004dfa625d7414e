//! How much password hashing this machine can bear. In: how long one hash may take. Out: the dearest Argon2id cost that takes about so
//! long here, and never less than the floor.

use std::time::{Duration, Instant};

use vestibule_core::Fault;
use vestibule_core::account::password::{self, PasswordCost};
use vestibule_core::secret::Password;

/// Memory is raised first, for it is what guessing machines lack; up to here, for every hash under way takes so much of it.
const MOST_KIB: u32 = 64 * 1024;
/// Memory comes in whole MiB.
const STEP_KIB: u32 = 1024;
/// Then passes; as many as nobody would wait for.
const MOST_ITERATIONS: u32 = 64;
/// The quickest of so many counts: all others were held up by something else.
const TRIES: usize = 3;

/// A cost, and how long a hash of it took.
pub(crate) struct Calibrated {
    pub(crate) cost: PasswordCost,
    pub(crate) took: Duration,
}

/// Tries hashes until one takes about `target`. Takes about ten times as long.
pub(crate) fn calibrate(target: Duration) -> Result<Calibrated, Fault> {
    calibrate_with(target, &mut measure)
}

fn calibrate_with(
    target: Duration,
    measure: &mut dyn FnMut(PasswordCost) -> Result<Duration, Fault>,
) -> Result<Calibrated, Fault> {
    let floor = PasswordCost::FLOOR;
    let took = measure(floor)?;
    if took >= target {
        return Ok(Calibrated { cost: floor, took });
    }
    let memory = scaled(floor.memory_kib(), target, took).min(MOST_KIB) / STEP_KIB * STEP_KIB;
    let (cost, took) = raised(memory.max(floor.memory_kib()), floor.iterations(), measure)?;
    if memory < MOST_KIB {
        return Ok(Calibrated { cost, took });
    }
    let iterations = scaled(cost.iterations(), target, took).clamp(cost.iterations(), MOST_ITERATIONS);
    let (cost, took) = raised(cost.memory_kib(), iterations, measure)?;
    Ok(Calibrated { cost, took })
}

fn raised(
    memory_kib: u32,
    iterations: u32,
    measure: &mut dyn FnMut(PasswordCost) -> Result<Duration, Fault>,
) -> Result<(PasswordCost, Duration), Fault> {
    let cost = PasswordCost::new(memory_kib, iterations, PasswordCost::FLOOR.lanes())
        .map_err(|_| Fault::Bug("a calibrated password cost is out of range"))?;
    Ok((cost, measure(cost)?))
}

/// `value`, as many times as `took` goes into `target`: the cost of Argon2 is proportional to memory and to passes.
fn scaled(value: u32, target: Duration, took: Duration) -> u32 {
    let scaled = u128::from(value) * target.as_nanos() / took.as_nanos().max(1);
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

fn measure(cost: PasswordCost) -> Result<Duration, Fault> {
    let password =
        Password::parse("as long as most passwords").ok_or(Fault::Bug("a calibration has no password"))?;
    let mut quickest = Duration::MAX;
    for _ in 0..TRIES {
        let began = Instant::now();
        password::hash(&password, &[0; 16], cost)?;
        quickest = quickest.min(began.elapsed());
    }
    Ok(quickest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Duration = Duration::from_millis(100);

    /// A machine that takes so many nanoseconds for a KiB and a pass.
    fn machine(nanos: u64) -> Calibrated {
        let mut measure = |cost: PasswordCost| {
            Ok(Duration::from_nanos(nanos * u64::from(cost.memory_kib()) * u64::from(cost.iterations())))
        };
        calibrate_with(TARGET, &mut measure).unwrap()
    }

    #[test]
    fn a_slow_machine_gets_the_floor_and_quicker_ones_more() {
        assert_eq!(machine(3000).cost, PasswordCost::FLOOR);
        let usual = machine(1000);
        assert_eq!((usual.cost.memory_kib(), usual.cost.iterations()), (49_152, 2));
        let quick = machine(300);
        assert_eq!((quick.cost.memory_kib(), quick.cost.iterations()), (65_536, 5));
        assert_eq!(machine(1).cost.iterations(), 64);
        for nanos in [3, 10, 30, 100, 300, 600, 1000, 2000] {
            let took = machine(nanos).took;
            assert!(took <= TARGET, "{nanos}: {took:?}");
            assert!(nanos < 20 || took > TARGET / 2, "{nanos}: {took:?}");
        }
    }

    #[test]
    fn this_machine_can_be_measured() {
        let calibrated = calibrate(Duration::from_millis(60)).unwrap();
        assert!(calibrated.cost.memory_kib() >= PasswordCost::FLOOR.memory_kib());
        assert!(calibrated.took > Duration::from_millis(1));
    }
}
