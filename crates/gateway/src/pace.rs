//! How slowly a body may come. In: what came and when we waited for it. Out: whether its sender keeps pace. Only the time in which we
//! wait for the sender counts: a service that takes its time with an upload is not the client's doing.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The least that a sender must send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor {
    /// 0: whatever they like.
    pub(crate) bytes_a_second: u32,
    /// Over how much waiting it is averaged.
    pub(crate) window: Duration,
}

/// One body's pace.
pub(crate) struct Pace {
    floor: Floor,
    /// In this window.
    came: u64,
    waited: Duration,
    /// Since when we wait.
    asked_at: Option<Instant>,
    /// Made when a body is first waited for: most are there at once.
    clock: Option<Pin<Box<Sleep>>>,
}

enum Verdict {
    Slow,
    /// To be judged again then.
    Until(Instant),
}

impl Pace {
    pub(crate) fn new(floor: Floor) -> Self {
        Self { floor, came: 0, waited: Duration::ZERO, asked_at: None, clock: None }
    }

    /// So many bytes came.
    pub(crate) fn came(&mut self, bytes: usize, now: Instant) {
        if let Some(asked_at) = self.asked_at.take() {
            self.waited += now.saturating_duration_since(asked_at);
        }
        // Nobody was looking when the window ended, so when they came is not known: not to be held against them.
        if self.waited >= self.floor.window {
            (self.came, self.waited) = (0, Duration::ZERO);
        }
        self.came += bytes as u64;
    }

    /// Nothing is there: ready once the sender has been too slow.
    pub(crate) fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.floor.bytes_a_second == 0 {
            return Poll::Pending;
        }
        loop {
            let Verdict::Until(until) = self.judge(Instant::now()) else { return Poll::Ready(()) };
            let clock = self.clock.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if clock.deadline() != until {
                clock.as_mut().reset(until);
            }
            ready!(clock.as_mut().poll(context));
        }
    }

    fn judge(&mut self, now: Instant) -> Verdict {
        let asked_at = *self.asked_at.get_or_insert(now);
        let until = asked_at + self.floor.window.saturating_sub(self.waited);
        if now < until {
            return Verdict::Until(until);
        }
        if self.came < self.least() {
            return Verdict::Slow;
        }
        (self.came, self.waited, self.asked_at) = (0, Duration::ZERO, Some(now));
        Verdict::Until(now + self.floor.window)
    }

    /// Bytes that a window must bring.
    fn least(&self) -> u64 {
        let milliseconds = u64::try_from(self.floor.window.as_millis()).unwrap_or(u64::MAX);
        u64::from(self.floor.bytes_a_second).saturating_mul(milliseconds) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);
    const SECOND: Duration = Duration::from_secs(1);

    /// A sender of so many bytes each so often, with `busy` between two of our looks: for how long we listen, an hour at most.
    fn kept(pace: &mut Pace, bytes: usize, each: Duration, busy: Duration) -> Duration {
        let began = Instant::now();
        let mut now = began;
        while now < began + 3600 * SECOND {
            let comes_at = now + each;
            loop {
                match pace.judge(now) {
                    Verdict::Slow => return now - began,
                    Verdict::Until(then) if then <= comes_at => now = then,
                    Verdict::Until(_) => break,
                }
            }
            pace.came(bytes, comes_at);
            now = comes_at + busy;
        }
        3600 * SECOND
    }

    #[test]
    fn a_drip_ends_and_a_slow_stream_goes_on() {
        let pace = || Pace::new(Floor { bytes_a_second: 240, window: WINDOW });
        let none = Duration::ZERO;
        for (bytes, each) in [(1, 29 * SECOND), (1, SECOND / 100), (200, SECOND), (8000, 31 * SECOND)] {
            assert!(kept(&mut pace(), bytes, each, none) <= 2 * WINDOW, "{bytes} bytes each {each:?}");
        }
        for (bytes, each) in [(300, SECOND), (8000, 25 * SECOND), (100_000, SECOND / 10)] {
            assert_eq!(kept(&mut pace(), bytes, each, none), 3600 * SECOND, "{bytes} bytes each {each:?}");
        }
        // The service behind takes a second for each ten bytes: the sender is as quick as he is let.
        assert_eq!(kept(&mut pace(), 10, SECOND / 100, SECOND), 3600 * SECOND);
    }

    /// What came at the beginning does not pay for a drip that follows.
    #[test]
    fn a_quick_beginning_buys_nothing() {
        let mut pace = Pace::new(Floor { bytes_a_second: 240, window: WINDOW });
        pace.came(100_000_000, Instant::now());
        let held = kept(&mut pace, 1, 5 * SECOND, Duration::ZERO);
        assert!((WINDOW..=3 * WINDOW).contains(&held), "{held:?}");
    }
}
