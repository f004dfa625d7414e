//! Who is told less than was configured. A JWT is signed anew every minute or two, and each time the same is dropped of it: that is said
//! once. In: what was dropped. Out: one line for each account and audience, with names and sizes, never with what the claims say.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use parking_lot::Mutex;
use vestibule_core::port::{DropLog, DroppedClaim};
use vestibule_core::token::Because;

/// So many are remembered. Then all are forgotten and said once more, at the pace of all warnings: this bounds memory, the log is bounded
/// anyway.
const REMEMBERED: usize = 4096;

/// Says it.
pub(crate) struct DroppedClaims {
    largest: usize,
    said: Mutex<HashSet<u64>>,
    state: RandomState,
}

impl DroppedClaims {
    /// `largest` is the most bytes of a JWT, for the line.
    pub(crate) fn new(largest: usize) -> Self {
        Self { largest, said: Mutex::default(), state: RandomState::new() }
    }

    fn is_new(&self, subject: &str, audience: &str, claims: &[DroppedClaim]) -> bool {
        let names: Vec<&str> = claims.iter().map(|it| it.claim.as_str()).collect();
        self.is_first(self.state.hash_one((subject, audience, names)))
    }

    fn is_first(&self, mark: u64) -> bool {
        let mut said = self.said.lock();
        if said.len() >= REMEMBERED && !said.contains(&mark) {
            said.clear();
        }
        said.insert(mark)
    }
}

impl DropLog for DroppedClaims {
    fn dropped(&self, subject: &str, audience: &str, claims: &[DroppedClaim]) {
        if !self.is_new(subject, audience, claims) {
            return;
        }
        let dropped: Vec<String> = claims.iter().map(in_words).collect();
        tracing::warn!(
            target: "vestibule::mint",
            event = "jwt.claims-dropped",
            subject,
            audience,
            dropped = dropped.join(", "),
            largest_jwt = self.largest,
            "a service is told less than its audience's claims say"
        );
    }

    fn not_copied(&self, audience: &str, claims: &[&str]) {
        for claim in claims {
            let mark = self.state.hash_one(("not-copied", audience, claim));
            if !self.is_first(mark) {
                continue;
            }
            tracing::warn!(
                target: "vestibule::mint",
                event = "jwt.claim-not-copied",
                audience,
                claim,
                "some accounts have characters beyond ASCII in this claim: its plain header is empty for them; set \
                 headers_encoding to \"percent\" or \"utf-8\" on the route, or read the claim from the JWT"
            );
        }
    }
}

fn in_words(dropped: &DroppedClaim) -> String {
    let DroppedClaim { claim, bytes, because } = dropped;
    match because {
        Because::Shape => format!("{claim} (nested too deeply, or too many members in one object)"),
        Because::Size => format!("{claim} ({bytes} bytes)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(names: &[&str]) -> Vec<DroppedClaim> {
        let of = |name: &&str| DroppedClaim { claim: (*name).into(), bytes: 1, because: Because::Size };
        names.iter().map(of).collect()
    }

    #[test]
    fn it_is_said_once_for_each_account_audience_and_what_is_dropped() {
        let log = DroppedClaims::new(4096);
        assert!(log.is_new("ada", "orders", &claims(&["notes"])));
        assert!(!log.is_new("ada", "orders", &claims(&["notes"])));
        assert!(log.is_new("eve", "orders", &claims(&["notes"])));
        assert!(log.is_new("ada", "invoices", &claims(&["notes"])));
        assert!(log.is_new("ada", "orders", &claims(&["address", "notes"])));
        assert!(!log.is_new("ada", "orders", &claims(&["notes"])));
    }

    #[test]
    fn a_claim_that_no_header_can_say_is_warned_of_once() {
        let log = DroppedClaims::new(4096);
        log.not_copied("orders", &["department", "city"]);
        assert_eq!(log.said.lock().len(), 2);
        log.not_copied("orders", &["department"]);
        assert_eq!(log.said.lock().len(), 2);
        log.not_copied("invoices", &["department"]);
        assert_eq!(log.said.lock().len(), 3);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let log = DroppedClaims::new(4096);
        for account in 0..3 * REMEMBERED {
            assert!(log.is_new(&account.to_string(), "orders", &claims(&["notes"])));
            assert!(log.said.lock().len() <= REMEMBERED);
        }
        assert!(!log.is_new(&(3 * REMEMBERED - 1).to_string(), "orders", &claims(&["notes"])));
    }

    #[test]
    fn a_line_has_names_and_sizes_and_no_values() {
        let shape = DroppedClaim { claim: "tree".into(), bytes: 9, because: Because::Shape };
        assert_eq!(in_words(&shape), "tree (nested too deeply, or too many members in one object)");
        assert_eq!(in_words(&claims(&["notes"])[0]), "notes (1 bytes)");
    }
}
