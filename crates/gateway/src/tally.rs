//! What the doors count. In: outcomes. Out: metrics under names that are listed once, here, for who counts, describes and
//! documents them.

use metrics::Counter;
use vestibule_core::{Fault, Reject};

use crate::swap::Outcome;

const DECISIONS: &str = "vestibule_decisions_total";
const SWAPS: &str = "vestibule_swaps_total";
const CLIENT_FAILURES: &str = "vestibule_client_failures_total";
const UPSTREAM_FAILURES: &str = "vestibule_upstream_failures_total";

/// The counters of the doors: name and meaning.
pub const METRICS: [(&str, &str); 4] = [
    (
        CLIENT_FAILURES,
        "Requests let through by the built-in proxy whose body the client broke off or sent too slowly",
    ),
    (DECISIONS, "Requests decided: pass, challenge, deny or fault, and the reject's or fault's code"),
    (SWAPS, "Requests that passed with a JWT for the service behind"),
    (
        UPSTREAM_FAILURES,
        "Requests let through by the built-in proxy that the service behind did not answer, or not to the end",
    ),
];

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
            passed: metrics::counter!(DECISIONS, "door" => door, "outcome" => "pass", "code" => ""),
            swapped: metrics::counter!(SWAPS, "door" => door),
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
            Err(fault) => self.failed(fault),
        }
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, outcome: &'static str, reject: Reject) {
        self.count(outcome, reject.code());
    }

    /// Counts that it could not be told.
    pub(crate) fn failed(&self, fault: &Fault) {
        self.count("fault", fault.code());
    }

    pub(crate) fn client_failed(code: &'static str) {
        metrics::counter!(CLIENT_FAILURES, "code" => code).increment(1);
    }

    pub(crate) fn upstream_failed(code: &'static str) {
        metrics::counter!(UPSTREAM_FAILURES, "code" => code).increment(1);
    }

    fn count(&self, outcome: &'static str, code: &'static str) {
        metrics::counter!(DECISIONS, "door" => self.door, "outcome" => outcome, "code" => code).increment(1);
    }
}
