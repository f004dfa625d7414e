//! Whether the machine's clock goes as time does. A clock that is set wrong for a moment may refuse requests for that moment; it
//! must not have anything deleted. In: what the clock says, and how much time has really gone by. Out: whether to delete by it.

use std::time::Duration;

use vestibule_core::Timestamp;

/// A clock that is this far from where it should be after one turn was set, by whatever; slewing moves it by milliseconds.
const JUMP: Duration = Duration::from_secs(10);

/// For so long it must have gone as time does, after a jump and after a start, before anything is deleted by it.
pub(super) const SETTLES_IN: Duration = Duration::from_secs(60 * 60);

/// What one look at the clock found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It jumped since the last look.
    Jumped(Jump),
    /// It goes as time does, but not for long enough yet.
    Settling,
    /// It has just gone as time does for long enough.
    Settled,
    /// It has for longer.
    Steady,
}

/// By how much, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jump {
    Ahead(Duration),
    Back(Duration),
}

/// Looks at the clock once a turn.
#[derive(Default)]
pub(super) struct Steadiness {
    last: Option<(Timestamp, Duration)>,
    steady_since: Duration,
    is_settled: bool,
}

impl Steadiness {
    /// Compares the wall clock with `monotonic`, the time since some moment in this process that no setting of clocks moves.
    pub(super) fn observe(&mut self, wall: Timestamp, monotonic: Duration) -> Pace {
        let last = self.last.replace((wall, monotonic));
        let Some((last_wall, last_monotonic)) = last else {
            self.steady_since = monotonic;
            return Pace::Settling;
        };
        let expected = last_wall.after(monotonic.saturating_sub(last_monotonic));
        let (ahead, back) = (wall.since(expected), expected.since(wall));
        if ahead.max(back) > JUMP {
            (self.steady_since, self.is_settled) = (monotonic, false);
            return Pace::Jumped(if ahead > back { Jump::Ahead(ahead) } else { Jump::Back(back) });
        }
        if monotonic.saturating_sub(self.steady_since) < SETTLES_IN {
            return Pace::Settling;
        }
        if std::mem::replace(&mut self.is_settled, true) { Pace::Steady } else { Pace::Settled }
    }
}

impl Pace {
    /// Whether what the clock says has expired may be deleted for good.
    pub(super) fn may_delete(self) -> bool {
        matches!(self, Self::Settled | Self::Steady)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
    const TURN: Duration = Duration::from_secs(30);
    const HOUR: u32 = 120;

    /// A machine with both clocks, and how far the wall clock is off.
    struct Machine {
        steadiness: Steadiness,
        up: Duration,
        off: i64,
    }

    impl Machine {
        fn started() -> Self {
            Self { steadiness: Steadiness::default(), up: Duration::ZERO, off: 0 }
        }

        fn turn(&mut self) -> Pace {
            let wall = Timestamp::from_unix_seconds(
                START.after(self.up).unix_seconds().saturating_add_signed(self.off),
            );
            let pace = self.steadiness.observe(wall, self.up);
            self.up += TURN;
            pace
        }

        fn turns(&mut self, count: u32) -> Vec<Pace> {
            (0..count).map(|_| self.turn()).collect()
        }
    }

    #[test]
    fn nothing_is_deleted_in_the_first_hour_and_then_all_along() {
        let mut machine = Machine::started();
        assert!(machine.turns(HOUR).iter().all(|pace| *pace == Pace::Settling));
        assert_eq!(machine.turns(3), [Pace::Settled, Pace::Steady, Pace::Steady]);
        assert!(Pace::Settled.may_delete() && Pace::Steady.may_delete() && !Pace::Settling.may_delete());
    }

    #[test]
    fn a_jump_either_way_is_told_once_and_delays_deleting_by_an_hour() {
        for (by, expected) in [
            (86_400 * 365, Jump::Ahead(Duration::from_secs(86_400 * 365))),
            (11, Jump::Ahead(Duration::from_secs(11))),
            (-11, Jump::Back(Duration::from_secs(11))),
            (-86_400, Jump::Back(Duration::from_secs(86_400))),
        ] {
            let mut machine = Machine::started();
            machine.turns(2 * HOUR);
            machine.off = by;
            assert_eq!(machine.turn(), Pace::Jumped(expected));
            assert!(!Pace::Jumped(expected).may_delete());
            assert!(machine.turns(HOUR - 1).iter().all(|pace| *pace == Pace::Settling));
            assert_eq!(machine.turn(), Pace::Settled);
        }
    }

    /// Ahead, and set right again before the hour is over: at no turn in between is anything deleted.
    #[test]
    fn a_clock_that_was_wrong_for_a_while_has_nothing_deleted() {
        let mut machine = Machine::started();
        machine.turns(2 * HOUR);
        machine.off = 86_400 * 30;
        let mut paces = machine.turns(HOUR);
        machine.off = 0;
        paces.extend(machine.turns(HOUR));
        assert!(paces.iter().all(|pace| !pace.may_delete()), "{paces:?}");
        assert!(machine.turn().may_delete());
    }

    #[test]
    fn slewing_and_late_turns_are_no_jumps() {
        let mut machine = Machine::started();
        machine.turns(2 * HOUR);
        for second in 1..600 {
            machine.off = second;
            machine.up += Duration::from_secs(second.unsigned_abs() % 100);
            assert_eq!(machine.turn(), Pace::Steady);
        }
    }
}
