//! How the program is doing: alive, ready, and in numbers. In: the app. Out: `/healthz`, `/readyz` and `/metrics` on the
//! internal listener.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;

use crate::assemble::App;
use crate::config::Danger;
use crate::host::hasher::HASHINGS;
use crate::listen::TURNED_AWAY;
use crate::maintenance::CLOCK_JUMPS;
use crate::telemetry;
use crate::untrusted::{self, UntrustedProxies};

/// Answers about the program itself.
pub(crate) struct Status {
    app: Arc<App>,
    counters: PrometheusHandle,
    dangers: ArcSwap<Vec<Danger>>,
    is_draining: AtomicBool,
}

/// Gauges and counters that are read when asked for, beside those that doors and pages count.
const READ_ON_DEMAND: [(&str, Kind, &str); 16] = [
    ("vestibule_build_info", Kind::Gauge, "1, with the version as a label"),
    ("vestibule_sessions_live", Kind::Gauge, "Sessions in memory, those that expired lately included"),
    ("vestibule_session_uses_waiting", Kind::Gauge, "Uses of sessions that wait to be written"),
    ("vestibule_jwt_kept_bytes", Kind::Gauge, "Bytes of minted JWTs kept with sessions"),
    ("vestibule_revocations_held", Kind::Gauge, "Revocations that can still concern a JWT"),
    ("vestibule_jwt_signed_total", Kind::Counter, "JWTs signed"),
    ("vestibule_jwt_reused_total", Kind::Counter, "JWTs handed out again from memory"),
    ("vestibule_jwt_claims_dropped_total", Kind::Counter, "Claims that JWTs could not carry, each time anew"),
    (
        "vestibule_log_events_dropped_total",
        Kind::Counter,
        "Security events dropped because nobody read the log fast enough",
    ),
    (
        "vestibule_log_lines_dropped_total",
        Kind::Counter,
        "Other log lines dropped because nobody read them fast enough",
    ),
    (
        "vestibule_log_lines_left_out_total",
        Kind::Counter,
        "Warnings and errors beyond 20 of a kind in a second",
    ),
    ("vestibule_store_reads_total", Kind::Counter, "Questions that the database answered"),
    ("vestibule_store_writes_total", Kind::Counter, "Changes carried out in the database"),
    ("vestibule_store_commits_total", Kind::Counter, "Transactions committed"),
    ("vestibule_store_failed_commits_total", Kind::Counter, "Transactions that failed as a whole"),
    ("vestibule_store_largest_batch", Kind::Gauge, "The most changes that one transaction carried"),
];

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

impl Status {
    /// Describes every metric and begins to answer.
    pub(crate) fn new(app: Arc<App>, counters: PrometheusHandle) -> Self {
        let counted = vestibule_gateway::METRICS.into_iter().chain(vestibule_portal::METRICS).chain([
            HASHINGS,
            CLOCK_JUMPS,
            TURNED_AWAY,
        ]);
        for (name, help) in counted {
            metrics::describe_counter!(name, help);
        }
        for (name, kind, help) in READ_ON_DEMAND {
            match kind {
                Kind::Counter => metrics::describe_counter!(name, help),
                Kind::Gauge => metrics::describe_gauge!(name, help),
            }
        }
        metrics::gauge!("vestibule_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let dangers = ArcSwap::from_pointee(app.settings.dangers.clone());
        Self { app, counters, dangers, is_draining: AtomicBool::new(false) }
    }

    /// Tells of these from now on.
    pub(crate) fn replace_dangers(&self, dangers: &[Danger]) {
        self.dangers.store(Arc::new(dangers.to_vec()));
    }

    /// From now on the program is not ready: balancers should send nobody new.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// The process runs and answers; nothing else is asked.
    pub(crate) fn health(&self) -> Response<Full<Bytes>> {
        text(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned())
    }

    /// Whether requests can be decided and answered, and if not why; what weakens a gate, and what an operator should look at.
    pub(crate) async fn readiness(&self, untrusted: &UntrustedProxies) -> Response<Full<Bytes>> {
        let mut reasons = Vec::new();
        if self.is_draining.load(Ordering::Relaxed) {
            reasons.push("draining: the program is about to end".to_owned());
        }
        if let Err(fault) = self.app.stores.upkeep.check().await {
            reasons.push(format!("store: {}", fault.report()));
        }
        if let Err(fault) = self.app.key_manager.check() {
            reasons.push(format!("keys: {}", fault.report()));
        }
        let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let dangers: Vec<String> =
            self.dangers.load().iter().map(|it| format!("{}: {}", it.key, it.what)).collect();
        let warnings: Vec<String> =
            untrusted::none_named(&self.app.settings).into_iter().chain(untrusted.warnings()).collect();
        let answer = json!({
            "ready": reasons.is_empty(), "reasons": reasons, "dangers": dangers, "warnings": warnings,
        });
        text(status, "application/json", format!("{answer}\n"))
    }

    /// Everything that is counted, in Prometheus' text form.
    pub(crate) fn metrics(&self) -> Response<Full<Bytes>> {
        let store = self.app.stores.upkeep.statistics();
        let minted = self.app.minter.counters();
        let set = |name: &'static str, value: u64| metrics::counter!(name).absolute(value);
        set("vestibule_jwt_signed_total", minted.signed.load(Ordering::Relaxed));
        set("vestibule_jwt_reused_total", minted.reused.load(Ordering::Relaxed));
        set("vestibule_jwt_claims_dropped_total", minted.dropped.load(Ordering::Relaxed));
        let dropped = telemetry::dropped_lines();
        set("vestibule_log_events_dropped_total", dropped.events);
        set("vestibule_log_lines_dropped_total", dropped.others);
        set("vestibule_log_lines_left_out_total", telemetry::left_out_lines());
        set("vestibule_store_reads_total", store.reads);
        set("vestibule_store_writes_total", store.writes);
        set("vestibule_store_commits_total", store.commits);
        set("vestibule_store_failed_commits_total", store.failed_commits);
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; sizes stay below 2^53")]
        let set = |name: &'static str, value: u64| metrics::gauge!(name).set(value as f64);
        set("vestibule_sessions_live", store.sessions);
        set("vestibule_session_uses_waiting", store.uses_waiting);
        set("vestibule_jwt_kept_bytes", store.minted_bytes);
        set("vestibule_store_largest_batch", store.largest_batch);
        set("vestibule_revocations_held", self.app.revocations.len() as u64);
        text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", self.counters.render())
    }
}

fn text(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_on_the_page_for_operators() {
        let page = include_str!("../../../docs/operations.md");
        let counted = vestibule_gateway::METRICS.into_iter().chain(vestibule_portal::METRICS).chain([
            HASHINGS,
            CLOCK_JUMPS,
            TURNED_AWAY,
        ]);
        let read = READ_ON_DEMAND.map(|(name, ..)| name);
        for name in counted.map(|(name, _)| name).chain(read) {
            assert!(
                ["`", "{"].iter().any(|end| page.contains(&format!("`{name}{end}"))),
                "{name} is not in docs/operations.md"
            );
        }
    }
}
