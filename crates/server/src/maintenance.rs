//! What happens by the clock, twice a minute: uses are written down, expired sessions and revocations forgotten (while the clock
//! can be believed), keys rotated. In: the app. Out: log lines when something could not be done; it is tried again next time.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use vestibule_core::{Fault, Timestamp};

use crate::assemble::App;
use crate::telemetry::{self, Dropped};

mod steadiness;

use steadiness::{Jump, Pace, SETTLES_IN, Steadiness};

/// How often the clock was found to have jumped: name and help.
pub(crate) const CLOCK_JUMPS: (&str, &str) =
    ("vestibule_clock_jumps_total", "Times the machine's clock was found far from where it should be");

const TICK: Duration = Duration::from_secs(30);
/// How often it is looked, in memory, whether a key may sign. A clock that was set back leaves none: until one is made, nobody is served.
const LOOK: Duration = Duration::from_secs(1);
/// Sessions that expired so long ago are deleted soon after a start, before the clock has gone steadily for long: a server that is
/// restarted every half hour would else delete none, ever. A clock that is ahead by less costs nobody a session. What guards against a
/// repetition (assertions that were shown, failed attempts, revocations) waits until the clock is believed, however long ago it expired.
const LONG_AGO: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Runs until `stop`; the last flush is the store's own, when it is closed.
pub(crate) async fn run(app: Arc<App>, counters: PrometheusHandle, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut keys = Kept::Yes;
    let mut first_sweep = FirstSweep::default();
    let (begun, mut steadiness, mut dropped) = (Instant::now(), Steadiness::default(), Dropped::default());
    metrics::counter!(CLOCK_JUMPS.0).increment(0);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let now = app.clock.now();
                let pace = steadiness.observe(now, begun.elapsed());
                tell(pace);
                dropped = tell_dropped(dropped);
                telemetry::tell_left_out();
                tick(&app, first_sweep.judge(pace, now), now).await;
                keys = keep_keys(&app).await;
                counters.run_upkeep();
            }
            // What failed is tried again at the next tick, not each second.
            _ = looks.tick(), if keys == Kept::Yes => {
                if app.key_manager.check().is_err() {
                    keys = keep_keys(&app).await;
                }
            }
            () = stop.cancelled() => {
                telemetry::tell_left_out();
                return;
            }
        }
    }
}

fn tell(pace: Pace) {
    let minutes = SETTLES_IN.as_secs() / 60;
    match pace {
        Pace::Jumped(jump) => {
            metrics::counter!(CLOCK_JUMPS.0).increment(1);
            let (direction, by) = match jump {
                Jump::Ahead(by) => ("ahead", by),
                Jump::Back(by) => ("back", by),
            };
            tracing::warn!(
                direction,
                seconds = by.as_secs(),
                "the machine's clock jumped: limits are judged by it, but nothing that expired is deleted until it has gone steadily for {minutes} minutes"
            );
        }
        Pace::Settled => {
            tracing::info!(
                "the clock has gone steadily for {minutes} minutes: what expired is deleted again"
            );
        }
        Pace::Settling | Pace::Steady => {}
    }
}

/// Says how many log lines were dropped since the last time, and returns how many in all.
fn tell_dropped(before: Dropped) -> Dropped {
    let dropped = telemetry::dropped_lines();
    if dropped.events > before.events || dropped.others > before.others {
        tracing::warn!(
            events = dropped.events - before.events,
            lines = dropped.others - before.others,
            "log lines were dropped: they came faster than they were read"
        );
    }
    dropped
}

/// What to delete in one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sweep {
    /// All that expired before then, by a clock that is believed.
    Expired(Timestamp),
    Nothing,
    /// Sessions that expired before then, and nothing else.
    Sessions(Timestamp),
}

/// The sweep after a start, once.
#[derive(Default)]
struct FirstSweep {
    turns: u32,
}

impl FirstSweep {
    /// The second turn sweeps sessions that expired long ago, unless the clock jumped between the two; later ones wait until it is believed.
    fn judge(&mut self, pace: Pace, now: Timestamp) -> Sweep {
        self.turns = self.turns.saturating_add(1);
        match pace {
            pace if pace.may_delete() => Sweep::Expired(now),
            Pace::Settling if self.turns == 2 => Sweep::Sessions(now.before(LONG_AGO)),
            _ => Sweep::Nothing,
        }
    }
}

/// Deletes by `now`, which was looked at for jumps, and not by what the clock may say a moment later.
async fn tick(app: &App, sweep: Sweep, now: Timestamp) {
    if let Err(fault) = app.stores.upkeep.flush().await {
        tell_failed("write down when sessions were used", &fault);
    }
    let swept = match sweep {
        Sweep::Expired(then) => app.stores.sessions.forget_expired(then).await.map(|_| ()),
        Sweep::Nothing => app.stores.upkeep.tidy(now).await,
        Sweep::Sessions(then) => app.stores.upkeep.forget_expired_sessions(then).await.map(|_| ()),
    };
    if let Err(fault) = swept {
        tell_failed("forget what expired", &fault);
    }
    if let Sweep::Expired(now) = sweep {
        // Forgotten too early, a revocation would let a JWT pass again once the clock is set right.
        app.revocations.forget(now.unix_seconds());
    }
}

/// Whether the signing keys are up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    No,
    Yes,
}

async fn keep_keys(app: &App) -> Kept {
    match app.key_manager.tick().await {
        Ok(()) => Kept::Yes,
        Err(fault) => {
            tell_failed("keep the signing keys up to date", &fault);
            Kept::No
        }
    }
}

fn tell_failed(task: &str, fault: &Fault) {
    tracing::error!(
        target: "vestibule::fault",
        task,
        fault.code = fault.code(),
        fault.report = fault.report(),
        "put off until the next turn"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    /// Installations that are restarted more often than a clock is believed are swept, too; but only of sessions.
    #[test]
    fn a_start_sweeps_once_sessions_that_expired_long_ago() {
        let long_ago = Timestamp::from_unix_seconds(1_800_000_000 - 7 * 24 * 3600);
        let mut sweep = FirstSweep::default();
        let turns = [Pace::Settling, Pace::Settling, Pace::Settling, Pace::Settled, Pace::Steady];
        let swept = turns.map(|pace| sweep.judge(pace, NOW));
        let now = Sweep::Expired(NOW);
        assert_eq!(swept, [Sweep::Nothing, Sweep::Sessions(long_ago), Sweep::Nothing, now, now]);
        let mut jumped = FirstSweep::default();
        let turns = [Pace::Settling, Pace::Jumped(Jump::Ahead(TICK)), Pace::Settling];
        assert_eq!(turns.map(|pace| jumped.judge(pace, NOW)), [Sweep::Nothing; 3]);
    }
}
