//! What both stores do with tallies of login attempts: both or neither is counted, and old ones are forgotten.
//! In: two remembered tallies. Out: two new ones, or how long to wait.

use std::time::Duration;

use vestibule_core::Timestamp;
use vestibule_core::throttle::{AccountTally, SOURCE_BURST, SOURCE_PER_MINUTE, SourceTally};

/// How long an empty bucket takes to fill: a source's tally older than that says nothing.
pub(crate) const SOURCE_FULL_AFTER: Duration =
    Duration::from_secs((SOURCE_BURST as u64 * 60).div_ceil(SOURCE_PER_MINUTE as u64));

/// Counts an attempt against both tallies, or says how long the more patient of them waits.
pub(crate) fn count(
    account: Option<AccountTally>,
    source: Option<SourceTally>,
    now: Timestamp,
) -> Result<(AccountTally, SourceTally), Duration> {
    let account = account.unwrap_or(AccountTally::FRESH).count(now);
    let source = source.unwrap_or(SourceTally::FRESH).count(now);
    match (account, source) {
        (Ok(account), Ok(source)) => Ok((account, source)),
        (Err(wait), Ok(_)) | (Ok(_), Err(wait)) => Err(wait),
        (Err(one), Err(other)) => Err(one.max(other)),
    }
}
