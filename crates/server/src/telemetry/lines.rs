//! Lines on their way out, written by a thread of their own: whoever reads them slowly, or not at all, holds up no request. In: lines,
//! as the subscriber makes them. Out: the same, security events first; of what does not fit each queue loses its own, and counts it.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::EVENT;

/// Lines that may wait in each queue: at some 300 bytes each, about a megabyte.
const WAITING: usize = 4096;
/// How long the end of the program waits for what is still to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Two queues: what people and operators did, which an audit must find, and everything else, of which a debug filter may bring any
/// amount.
#[derive(Default)]
pub(super) struct Lines {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    dropped_events: AtomicU64,
    dropped_others: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Vec<u8>>,
    others: VecDeque<Vec<u8>>,
    is_ending: bool,
    is_over: bool,
}

/// How many lines were dropped since the start.
#[derive(Clone, Copy, Default)]
pub(crate) struct Dropped {
    pub(crate) events: u64,
    pub(crate) others: u64,
}

/// Which queue a line goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Event,
    Other,
}

/// Lines are written for as long as this is held; what waits when it is dropped is written first, for at most a second.
pub(super) struct Writing(Arc<Lines>);

/// Where the subscriber writes.
pub(super) struct Writer(pub(super) Arc<Lines>);

/// One line's way into its queue.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    kind: Kind,
}

impl Lines {
    /// Begins to write to `sink`.
    pub(super) fn begin(sink: impl io::Write + Send + 'static) -> io::Result<(Arc<Self>, Writing)> {
        let lines = Arc::new(Self::default());
        let of_thread = Arc::clone(&lines);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || of_thread.write(sink))?;
        Ok((Arc::clone(&lines), Writing(lines)))
    }

    pub(super) fn dropped(&self) -> Dropped {
        Dropped {
            events: self.dropped_events.load(Ordering::Relaxed),
            others: self.dropped_others.load(Ordering::Relaxed),
        }
    }

    fn push(&self, kind: Kind, line: &[u8]) {
        let mut waiting = self.waiting.lock();
        let (queue, dropped) = match kind {
            Kind::Event => (&mut waiting.events, &self.dropped_events),
            Kind::Other => (&mut waiting.others, &self.dropped_others),
        };
        if queue.len() >= WAITING {
            dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.push_back(line.to_vec());
        drop(waiting);
        self.changed.notify_all();
    }

    /// Runs on the thread, until the end is asked for and nothing waits.
    fn write(&self, mut sink: impl io::Write) {
        while let Some(line) = self.next() {
            // A log that cannot be written, on a full disk or with its reader gone, must take nothing down.
            sink.write_all(&line).ok();
        }
        sink.flush().ok();
        self.waiting.lock().is_over = true;
        self.changed.notify_all();
    }

    fn next(&self) -> Option<Vec<u8>> {
        let mut waiting = self.waiting.lock();
        loop {
            if let Some(line) = waiting.events.pop_front() {
                return Some(line);
            }
            if let Some(line) = waiting.others.pop_front() {
                return Some(line);
            }
            if waiting.is_ending {
                return None;
            }
            self.changed.wait(&mut waiting);
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let until = Instant::now() + LAST_WORDS;
        let mut waiting = self.0.waiting.lock();
        waiting.is_ending = true;
        self.0.changed.notify_all();
        while !waiting.is_over {
            if self.0.changed.wait_until(&mut waiting, until).timed_out() {
                return;
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { lines: &self.0, kind: Kind::Other }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line<'a> {
        let kind = if about.target() == EVENT { Kind::Event } else { Kind::Other };
        Line { lines: &self.0, kind }
    }
}

impl io::Write for Line<'_> {
    /// Takes a whole line: the subscriber writes each at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.push(self.kind, line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader who takes nothing until he is let, and then everything.
    #[derive(Clone, Default)]
    struct Reader {
        gate: Arc<Mutex<()>>,
        read: Arc<Mutex<Vec<String>>>,
    }

    impl io::Write for Reader {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            drop(self.gate.lock());
            self.read.lock().push(String::from_utf8_lossy(line).into_owned());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn events_have_a_queue_of_their_own_and_come_first() {
        let reader = Reader::default();
        let gate = Arc::clone(&reader.gate);
        let closed = gate.lock();
        let (lines, writing) = Lines::begin(reader.clone()).unwrap();
        for _ in 0..3 * WAITING {
            lines.push(Kind::Other, b"noise");
        }
        for number in 0..4 {
            lines.push(Kind::Event, format!("event {number}").as_bytes());
        }
        let dropped = lines.dropped();
        assert_eq!(dropped.events, 0);
        // One may be in the thread's hands already.
        assert!(
            (2 * WAITING as u64 - 1..=2 * WAITING as u64).contains(&dropped.others),
            "{}",
            dropped.others
        );
        drop(closed);
        drop(writing);
        let read = reader.read.lock();
        let events: Vec<_> = read.iter().filter(|line| line.starts_with("event")).collect();
        assert_eq!(events, ["event 0", "event 1", "event 2", "event 3"]);
        assert!(
            read.iter().take(5).filter(|line| line.starts_with("event")).count() == 4,
            "noise came first"
        );
        assert_eq!(read.len() as u64, 3 * WAITING as u64 + 4 - dropped.others);
    }

    /// A log whose reader is stuck does not keep the program from ending.
    #[test]
    fn the_end_does_not_wait_for_a_reader_who_takes_nothing() {
        let reader = Reader::default();
        let gate = Arc::clone(&reader.gate);
        let closed = gate.lock();
        let (lines, writing) = Lines::begin(reader.clone()).unwrap();
        lines.push(Kind::Event, b"last words");
        let began = Instant::now();
        drop(writing);
        assert!(began.elapsed() < LAST_WORDS * 5, "waited {:?}", began.elapsed());
        drop(closed);
    }
}
