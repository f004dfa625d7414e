//! What happens by the clock, twice a minute: uses are written down, expired sessions and revocations forgotten (while the clock
//! can be believed), keys rotated. In: the house. Out: log lines when something could not be done; it is tried again next time.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use vestibule_core::Timestamp;
use vestibule_core::port::Sessions;

use crate::assemble::House;
use crate::telemetry::{self, Dropped};

mod steadiness;

use steadiness::{Jump, Pace, SETTLES_IN, Steadiness};

/// How often the clock was found to have jumped: name and help.
pub(crate) const CLOCK_JUMPS: (&str, &str) =
    ("vestibule_clock_jumps_total", "Times the machine's clock was found far from where it should be");

const TICK: Duration = Duration::from_secs(30);

/// Runs until `stop`; the last flush is the store's own, when it is closed.
pub(crate) async fn run(house: Arc<House>, counters: PrometheusHandle, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (begun, mut steadiness, mut dropped) = (Instant::now(), Steadiness::default(), Dropped::default());
    metrics::counter!(CLOCK_JUMPS.0).increment(0);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let now = house.clock.now();
                let pace = steadiness.observe(now, begun.elapsed());
                tell(pace);
                dropped = tell_dropped(dropped);
                telemetry::tell_left_out();
                tick(&house, &counters, pace, now).await;
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

/// Deletes by `now`, which was looked at for jumps, and not by what the clock may say a moment later.
async fn tick(house: &House, counters: &PrometheusHandle, pace: Pace, now: Timestamp) {
    let failed = |task: &str, fault: vestibule_core::Fault| {
        tracing::error!(
            target: "vestibule::fault",
            task,
            fault.code = fault.code(),
            fault.report = fault.report(),
            "put off until the next turn"
        );
    };
    if let Err(fault) = house.store.flush().await {
        failed("write down when sessions were used", fault);
    }
    if pace.may_delete() {
        if let Err(fault) = house.store.forget_expired(now).await {
            failed("forget expired sessions", fault);
        }
        // Forgotten too early, a revocation would let a JWT pass again once the clock is set right.
        house.revocations.forget(now.unix_seconds());
    } else if let Err(fault) = house.store.tidy(now).await {
        failed("give back the memory of expired JWTs", fault);
    }
    if let Err(fault) = house.key_room.tick().await {
        failed("keep the signing keys up to date", fault);
    }
    counters.run_upkeep();
}
