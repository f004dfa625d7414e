//! What the doors count. In: outcomes. Out: metrics under names that are listed once, here, for who counts, describes and
//! documents them.

use metrics::Counter;
use vestibule_core::{Fault, Reject};

use crate::swap::Outcome;

/// A metric of the doors.
pub struct Metric {
    /// Its name in `/metrics`.
    pub name: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
}

const DECISIONS: Metric = Metric {
    name: "vestibule_decisions_total",
    labels: &["door", "outcome", "code"],
    help: "Requests decided: pass, challenge, deny or fault, and the reject's or fault's code",
};

const SWAPS: Metric = Metric {
    name: "vestibule_swaps_total",
    labels: &["door"],
    help: "Requests that passed with a JWT for the service behind",
};

const UPSTREAM_FAILURES: Metric = Metric {
    name: "vestibule_upstream_failures_total",
    labels: &["code"],
    help: "Requests let through by the built-in proxy that the service behind did not answer",
};

/// All metrics of the doors; counters, every one.
pub const METRICS: [Metric; 3] = [DECISIONS, SWAPS, UPSTREAM_FAILURES];

/// Gives the installed recorder what each metric means.
pub fn describe() {
    for metric in METRICS {
        metrics::describe_counter!(metric.name, metric.help);
    }
}

/// Counts for one door. Made after the recorder is installed: the handle of the common case is looked up once, here.
pub(crate) struct Tally {
    pub(crate) door: &'static str,
    passed: Counter,
    swapped: Counter,
}

impl Tally {
    pub(crate) fn new(door: &'static str) -> Self {
        Self {
            door,
            passed: metrics::counter!(DECISIONS.name, "door" => door, "outcome" => "pass", "code" => ""),
            swapped: metrics::counter!(SWAPS.name, "door" => door),
        }
    }

    pub(crate) fn note(&self, outcome: &Result<Outcome, Fault>) {
        match outcome {
            Ok(Outcome::Pass(pass)) => {
                self.passed.increment(1);
                if pass.token.is_some() {
                    self.swapped.increment(1);
                }
            }
            Ok(Outcome::Challenge(reject)) => self.refused("challenge", *reject),
            Ok(Outcome::Deny(reject)) => self.refused("deny", *reject),
            Err(fault) => self.count("fault", fault.code()),
        }
    }

    /// Counts and tells of a refusal. Loud where a refusal means that someone tries something, or that a proxy is set up wrong.
    pub(crate) fn refused(&self, outcome: &'static str, reject: Reject) {
        self.count(outcome, reject.code());
        let (door, code) = (self.door, reject.detail());
        match reject {
            Reject::AmbiguousCookie
            | Reject::AmbiguousTarget
            | Reject::TwoCredentials
            | Reject::UntrustedPeer => tracing::warn!(door, outcome, reject.code = code, "refused"),
            _ => tracing::debug!(door, outcome, reject.code = code, "refused"),
        }
    }

    pub(crate) fn upstream_failed(&self, code: &'static str) {
        metrics::counter!(UPSTREAM_FAILURES.name, "code" => code).increment(1);
    }

    fn count(&self, outcome: &'static str, code: &'static str) {
        metrics::counter!(DECISIONS.name, "door" => self.door, "outcome" => outcome, "code" => code)
            .increment(1);
    }
}
