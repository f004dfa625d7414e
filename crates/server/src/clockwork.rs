//! What happens by the clock, once a minute or so: uses are written down, expired sessions and revocations forgotten, keys
//! rotated. In: the house. Out: log lines when something could not be done; it is tried again next time.

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use vestibule_core::port::Sessions;

use crate::assemble::House;

const TICK: Duration = Duration::from_secs(30);

/// Runs until `stop`; the last flush is the store's own, when it is closed.
pub(crate) async fn run(house: Arc<House>, counters: PrometheusHandle, stop: CancellationToken) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => tick(&house, &counters).await,
            () = stop.cancelled() => return,
        }
    }
}

async fn tick(house: &House, counters: &PrometheusHandle) {
    let failed = |task: &str, fault: vestibule_core::Fault| {
        tracing::error!(
            task,
            fault = fault.report(),
            fault.code = fault.code(),
            "put off until the next turn"
        );
    };
    if let Err(fault) = house.store.flush().await {
        failed("write down when sessions were used", fault);
    }
    if let Err(fault) = house.store.forget_expired(house.clock.now()).await {
        failed("forget expired sessions", fault);
    }
    if let Err(fault) = house.key_room.tick().await {
        failed("keep the signing keys up to date", fault);
    }
    house.revocations.forget(house.clock.now().unix_seconds());
    counters.run_upkeep();
}
