//! What both stores do with tallies of login attempts: where that of all strangers is kept, and when a bucket says nothing any more.

use std::time::Duration;

use vestibule_core::throttle::{EVERYBODY, SOURCE};

/// Where the bucket of all strangers is kept among those of the sources. Theirs are keyed digests: none of them is this.
pub(crate) const EVERYBODYS: [u8; 32] = [0; 32];

/// After this, every bucket is full again, whoever's it is.
pub(crate) const FULL_AFTER: Duration = {
    let (source, everybody) = (SOURCE.full_after(), EVERYBODY.full_after());
    if source.as_secs() > everybody.as_secs() { source } else { everybody }
};
