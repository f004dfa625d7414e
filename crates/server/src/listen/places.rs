//! Who may stay when there is no place left. In: connections as they are accepted, and what each is doing. Out: a seat for each, taken
//! where it must be from who has been quiet, or has kept us waiting for a request's body, for longest; and no for a source that has more
//! than its share at work. All of it happens when a connection is accepted, and nothing when a request without a body is answered.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ipnet::IpNet;
use metrics::Counter;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use vestibule_gateway::Onlooker;

use super::Limits;
use super::connection::{Phase, Pulse};

#[cfg(test)]
mod tests;

/// Counts connections that were not let in or not let stay: name and meaning.
pub(crate) const TURNED_AWAY: (&str, &str) = (
    "vestibule_connections_turned_away_total",
    "Connections refused because their source had too many at work, or closed while quiet or dawdling because others needed the place",
);

/// The places of one listener.
pub(super) struct Places {
    room: Arc<Semaphore>,
    limits: Limits,
    /// Proxies, which speak for many: they have no share, and are the last whose quiet connections are closed.
    known: Vec<IpNet>,
    began: Instant,
    held: Mutex<Held>,
    refused: Counter,
    closed: Counter,
}

#[derive(Default)]
struct Held {
    next: u64,
    by_source: HashMap<IpAddr, HashMap<u64, Arc<Seat>>>,
}

/// One connection, as seen from here.
pub(super) struct Seat {
    pub(super) pulse: Pulse,
    /// Asks the connection to end: because the program drains, or for somebody else's sake.
    pub(super) leave: CancellationToken,
    is_known: bool,
    number: u64,
    /// In milliseconds since the listener began, like the two below.
    born: u64,
    /// Since when nothing changed, and with which count, when it was last looked at.
    quiet_since: AtomicU64,
    count: AtomicU32,
    looked_at: AtomicU64,
    began: Instant,
    arriving: Arriving,
}

/// How a request's body arrives.
#[derive(Default)]
struct Arriving {
    is_waited_for: AtomicBool,
    /// Since when, in milliseconds since the listener began; 0 before the first wait.
    since: AtomicU64,
    /// Bytes that came since then.
    came: AtomicU64,
}

/// A client that sent so much has not dawdled until now: an upload that goes on is work, and a byte now and then is none.
const WORTH_A_WHILE: u64 = 16 * 1024;

/// A seat as long as it is taken.
pub(super) struct Taken {
    pub(super) seat: Arc<Seat>,
    source: IpAddr,
    places: Arc<Places>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// The metrics recorder must be installed before.
    pub(super) fn new(limits: Limits, known: Vec<IpNet>, listener: &'static str) -> Arc<Self> {
        let counter = |cause| metrics::counter!(TURNED_AWAY.0, "listener" => listener, "cause" => cause);
        Arc::new(Self {
            room: Arc::new(Semaphore::new(limits.connections)),
            limits,
            known,
            began: Instant::now(),
            held: Mutex::default(),
            refused: counter("source-cap"),
            closed: counter("made-room"),
        })
    }

    /// A seat for who was accepted, once there is one; `None` for who has his share.
    pub(super) async fn admit(self: &Arc<Self>, peer: IpAddr, drain: &CancellationToken) -> Option<Taken> {
        let source = source_of(peer);
        let is_known = self.known.iter().any(|network| network.contains(&peer));
        if !is_known && !self.has_share_left(source) {
            self.refused.increment(1);
            tracing::warn!(
                target: "vestibule::refusal",
                event = "connection.refused",
                source.address = %peer,
                connections = self.limits.per_source,
                "this source has its share of connections at work; is it a proxy, and not in trusted_proxies.public?"
            );
            return None;
        }
        let place = self.place(drain).await;
        let mut held = self.held.lock();
        held.next += 1;
        let (number, now) = (held.next, self.now());
        let seat = Arc::new(Seat {
            pulse: Pulse::default(),
            leave: drain.child_token(),
            is_known,
            number,
            born: now,
            quiet_since: AtomicU64::new(now),
            count: AtomicU32::new(Pulse::default().count()),
            looked_at: AtomicU64::new(now),
            began: self.began,
            arriving: Arriving::default(),
        });
        held.by_source.entry(source).or_default().insert(number, Arc::clone(&seat));
        Some(Taken { seat, source, places: Arc::clone(self), _place: place })
    }

    /// Waits for a place, and closes quiet connections, and those whose request does not arrive, until there is one. A connection that
    /// was accepted before the end came is served without.
    async fn place(&self, drain: &CancellationToken) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(place) = Arc::clone(&self.room).try_acquire_owned() {
                return Some(place);
            }
            // Some more than one, so that under a storm not every newcomer costs a look at all.
            self.close_quiet(self.limits.connections.div_ceil(128));
            tokio::select! {
                place = Arc::clone(&self.room).acquire_owned() => return place.ok(),
                () = tokio::time::sleep(self.limits.grace()) => {}
                () = drain.cancelled() => return None,
            }
        }
    }

    /// Whether a source may have one more connection, if need be in place of a quiet one of its own.
    fn has_share_left(&self, source: IpAddr) -> bool {
        let mut held = self.held.lock();
        let Some(seats) = held.by_source.get_mut(&source) else { return true };
        if seats.len() < self.limits.per_source {
            return true;
        }
        let quiet = self.quietest(seats.values().map(|seat| (source, seat)), 1);
        self.close(&mut held, &quiet) > 0
    }

    fn close_quiet(&self, how_many: usize) {
        let mut held = self.held.lock();
        let all =
            held.by_source.iter().flat_map(|(source, seats)| seats.values().map(|seat| (*source, seat)));
        let quiet = self.quietest(all, how_many);
        self.close(&mut held, &quiet);
    }

    /// Strangers before proxies, and who has been quiet, or has kept us waiting for the rest of a request, for long before who has not.
    fn quietest<'a>(
        &self,
        seats: impl Iterator<Item = (IpAddr, &'a Arc<Seat>)>,
        how_many: usize,
    ) -> Vec<(IpAddr, u64)> {
        // Who came a moment ago has had no time to ask.
        let born_before = self.now().saturating_sub(milliseconds(self.limits.grace()));
        let mut quiet: Vec<_> = seats
            .filter(|(_, seat)| seat.born < born_before)
            .filter_map(|(source, seat)| {
                let since = match seat.pulse.phase() {
                    Phase::Busy => seat.dawdles_since().filter(|since| *since < born_before)?,
                    Phase::Fresh | Phase::Idle | Phase::Reading => seat.quiet_since(),
                };
                Some((seat.is_known, since, seat.number, source))
            })
            .collect();
        if quiet.len() > how_many {
            quiet.select_nth_unstable(how_many);
            quiet.truncate(how_many);
        }
        quiet.into_iter().map(|(.., number, source)| (source, number)).collect()
    }

    fn close(&self, held: &mut Held, which: &[(IpAddr, u64)]) -> usize {
        for (source, number) in which {
            if let Some(seat) = held.remove(*source, *number) {
                seat.leave.cancel();
                self.closed.increment(1);
            }
        }
        which.len()
    }

    fn now(&self) -> u64 {
        milliseconds(self.began.elapsed())
    }
}

impl Held {
    fn remove(&mut self, source: IpAddr, number: u64) -> Option<Arc<Seat>> {
        let seats = self.by_source.get_mut(&source)?;
        let seat = seats.remove(&number);
        if seats.is_empty() {
            self.by_source.remove(&source);
        }
        seat
    }
}

impl Seat {
    /// Looks whether something changed since the last time; for how long nothing has.
    pub(super) fn look(&self) -> Duration {
        let (count, now) = (self.pulse.count(), milliseconds(self.began.elapsed()));
        self.looked_at.store(now, Ordering::Relaxed);
        if self.count.swap(count, Ordering::Relaxed) != count {
            self.quiet_since.store(now, Ordering::Relaxed);
        }
        Duration::from_millis(now - self.quiet_since.load(Ordering::Relaxed).min(now))
    }

    /// Since when it is quiet, as far as is known: what changed since the last look changed after it.
    fn quiet_since(&self) -> u64 {
        let is_as_it_was = self.pulse.count() == self.count.load(Ordering::Relaxed);
        let since = if is_as_it_was { &self.quiet_since } else { &self.looked_at };
        since.load(Ordering::Relaxed)
    }
}

impl Seat {
    /// Since when the client is waited for in the midst of its request's body, if it is.
    pub(super) fn dawdles_since(&self) -> Option<u64> {
        let is_waited_for = self.arriving.is_waited_for.load(Ordering::Relaxed);
        is_waited_for.then(|| self.arriving.since.load(Ordering::Relaxed))
    }
}

/// One task polls a connection and all that is in it, so what is read here is what was stored.
impl Onlooker for Seat {
    fn waits(&self) {
        if self.arriving.since.load(Ordering::Relaxed) == 0 {
            let now = milliseconds(self.began.elapsed()).max(1);
            self.arriving.since.store(now, Ordering::Relaxed);
        }
        self.arriving.is_waited_for.store(true, Ordering::Relaxed);
    }

    fn came(&self, bytes: usize) {
        self.arriving.is_waited_for.store(false, Ordering::Relaxed);
        let came = self.arriving.came.load(Ordering::Relaxed).saturating_add(bytes as u64);
        let is_worth_a_while = came >= WORTH_A_WHILE;
        self.arriving.came.store(if is_worth_a_while { 0 } else { came }, Ordering::Relaxed);
        if is_worth_a_while {
            self.arriving.since.store(0, Ordering::Relaxed);
        }
    }

    fn is_over(&self) {
        self.arriving.is_waited_for.store(false, Ordering::Relaxed);
        self.arriving.since.store(0, Ordering::Relaxed);
        self.arriving.came.store(0, Ordering::Relaxed);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.places.held.lock().remove(self.source, self.seat.number);
    }
}

/// Whose share a connection is of: an IPv4 address, or the /64 of an IPv6 one, which one subscriber has to himself.
fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
