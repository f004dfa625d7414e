//! What strangers can make us say: a warning for every request that somebody sends is a log that nobody can read, and a disk that
//! fills. In: warnings and errors as they are made. Out: so many a second from each place in the program, and a count of the rest.

use std::collections::HashMap;
use std::fmt::{Debug, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{DANGER, EVENT};

/// Lines from one place in one second: more than a person reads, and few enough for any disk.
const A_SECOND: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);

/// How much was said lately, and how much was not.
#[derive(Default)]
pub(super) struct Floods(Mutex<Said>);

#[derive(Default)]
struct Said {
    places: HashMap<Identifier, Place>,
    left_out: u64,
}

/// A place in the program that speaks.
struct Place {
    name: String,
    began: Instant,
    said: u32,
    left_out: u64,
}

/// Lines that were not said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// The event's name, or the line's text.
    pub(super) what: String,
    pub(super) lines: u64,
}

/// The gate in front of the log.
pub(super) struct Gate(pub(super) Arc<Floods>);

impl Floods {
    /// What was left out since this was last asked.
    pub(super) fn take_left_out(&self) -> Vec<LeftOut> {
        let mut said = self.0.lock();
        let places = said.places.values_mut().filter(|place| place.left_out > 0);
        places
            .map(|place| LeftOut { what: place.name.clone(), lines: std::mem::take(&mut place.left_out) })
            .collect()
    }

    /// Lines left out since the start.
    pub(super) fn left_out(&self) -> u64 {
        self.0.lock().left_out
    }

    fn may_say(&self, place: Identifier, now: Instant, name: impl FnOnce() -> String) -> bool {
        let mut said = self.0.lock();
        let Said { places, left_out } = &mut *said;
        let place =
            places.entry(place).or_insert_with(|| Place { name: name(), began: now, said: 0, left_out: 0 });
        if now.saturating_duration_since(place.began) >= SECOND {
            (place.began, place.said) = (now, 0);
        }
        if place.said < A_SECOND {
            place.said += 1;
            return true;
        }
        place.left_out += 1;
        *left_out += 1;
        false
    }
}

/// What people and operators did is said whatever it costs, and what was configured is said once; a debug filter is somebody's wish.
fn is_limited(about: &Metadata<'_>) -> bool {
    *about.level() <= Level::WARN && about.target() != EVENT && about.target() != DANGER
}

impl<S: Subscriber> Layer<S> for Gate {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let about = event.metadata();
        !is_limited(about) || self.0.may_say(about.callsite(), Instant::now(), || name(event))
    }
}

/// The name of a security event, or else the text of a line: the same for every line from one place.
fn name(event: &Event<'_>) -> String {
    let mut found = Name::default();
    event.record(&mut found);
    if found.event.is_empty() { found.message } else { found.event }
}

#[derive(Default)]
struct Name {
    event: String,
    message: String,
}

impl Visit for Name {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            value.clone_into(&mut self.event);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.message, "{value:?}").ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Counts what gets through.
    struct Heard(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Heard {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().push(name(event));
        }
    }

    #[test]
    fn each_place_says_so_much_a_second_and_the_rest_is_counted() {
        let (floods, heard) = (Arc::new(Floods::default()), Arc::new(Mutex::new(Vec::new())));
        let subscriber =
            tracing_subscriber::registry().with(Heard(Arc::clone(&heard))).with(Gate(Arc::clone(&floods)));
        let began = Instant::now();
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..1000 {
                tracing::warn!(target: "vestibule::refusal", event = "login.refused");
                tracing::error!(target: "vestibule::fault", "could not decide");
                tracing::warn!(target: EVENT, event = "key.retired");
                tracing::debug!("what somebody wished to see");
            }
        });
        let seconds = u64::from(A_SECOND) * (began.elapsed().as_secs() + 1);
        let heard = heard.lock();
        let count = |what: &str| heard.iter().filter(|it| *it == what).count() as u64;
        for limited in ["login.refused", "could not decide"] {
            assert!(
                (u64::from(A_SECOND)..=seconds).contains(&count(limited)),
                "{limited}: {}",
                count(limited)
            );
        }
        assert_eq!((count("key.retired"), count("what somebody wished to see")), (1000, 1000));
        let mut left_out = floods.take_left_out();
        left_out.sort_by(|one, other| one.what.cmp(&other.what));
        let expected = ["could not decide", "login.refused"]
            .map(|what| LeftOut { what: what.to_owned(), lines: 1000 - count(what) });
        assert_eq!(left_out, expected);
        assert_eq!(floods.left_out(), expected.iter().map(|it| it.lines).sum::<u64>());
        assert!(floods.take_left_out().is_empty(), "told twice");
    }

    #[test]
    fn another_second_has_lines_again() {
        let floods = Floods::default();
        let place = tracing::callsite!(name: "place", kind: tracing::metadata::Kind::EVENT, fields: message);
        let place = tracing::callsite::Callsite::metadata(place).callsite();
        let say = |now| floods.may_say(place.clone(), now, || "it".to_owned());
        let began = Instant::now();
        assert_eq!((0..100).filter(|_| say(began)).count(), 20);
        assert!(!say(began + Duration::from_millis(999)));
        assert_eq!((0..100).filter(|_| say(began + SECOND)).count(), 20);
    }
}
