//! A line that is typed at the terminal and not shown. In: a prompt. Out: the bytes that were typed.
//!
//! The terminal shows what is typed again when the line is read, and also where a signal ends the command before.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};

use parking_lot::Mutex;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use super::Failure;

const TERMINAL: &str = "/dev/tty";
/// What a special code is where no key has it.
const NO_KEY: u8 = if cfg!(target_os = "linux") { 0 } else { 0xff };

const END_OF_INPUT: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CLEAR_LINE: u8 = 0x15;
const CLEAR_WORD: u8 = 0x17;
const DELETE: u8 = 0x7f;

/// The terminal that shows nothing now.
static HIDING: Mutex<Option<Hiding>> = Mutex::new(None);

struct Hiding {
    terminal: File,
    usual: Termios,
}

/// Reads a line of at most so many bytes, without its end.
pub(super) fn read_line(prompt: &str, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    watch_signals()?;
    let mut terminal = OpenOptions::new().read(true).write(true).open(TERMINAL)?;
    let _hidden = Hidden::begin(&terminal)?;
    terminal.write_all(prompt.as_bytes())?;
    let mut line = Line::with_room_for(most);
    loop {
        let mut key = Zeroizing::new([0]);
        let [byte] = match terminal.read(&mut *key)? {
            0 => return line.end_of_input(),
            _ => *key,
        };
        match byte {
            b'\n' | b'\r' => return Ok(line.bytes),
            END_OF_INPUT => return line.end_of_input(),
            byte => line.take(byte)?,
        }
    }
}

/// Shows again what is typed, when it is dropped.
struct Hidden;

impl Hidden {
    fn begin(terminal: &File) -> io::Result<Self> {
        let usual = tcgetattr(terminal)?;
        let mut hiding = usual.clone();
        hiding.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON;
        hiding.special_codes[SpecialCodeIndex::VMIN] = 1;
        hiding.special_codes[SpecialCodeIndex::VTIME] = 0;
        // A command that is stopped here would leave the terminal as it is.
        hiding.special_codes[SpecialCodeIndex::VSUSP] = NO_KEY;
        // Kept first: a signal that comes between the two shows what is shown already.
        *HIDING.lock() = Some(Hiding { terminal: terminal.try_clone()?, usual });
        let this = Self;
        tcsetattr(terminal, OptionalActions::Now, &hiding)?;
        Ok(this)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        show_again();
    }
}

/// Whether the terminal did not show what is typed.
fn show_again() -> bool {
    let Some(Hiding { mut terminal, usual }) = HIDING.lock().take() else { return false };
    tcsetattr(&terminal, OptionalActions::Now, &usual).ok();
    terminal.write_all(b"\n").ok();
    true
}

/// Ends the program at a signal that would end it anyway, with the terminal as it was. A signal that is received once is never left to
/// the operating system again, so this goes on after the line is read.
fn watch_signals() -> io::Result<()> {
    static IS_WATCHING: Mutex<bool> = Mutex::new(false);
    let mut is_watching = IS_WATCHING.lock();
    if *is_watching {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _entered = runtime.enter();
        Signals {
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || end(runtime.block_on(signals.next())))?;
    *is_watching = true;
    Ok(())
}

struct Signals {
    hang_up: Signal,
    interrupt: Signal,
    quit: Signal,
    terminate: Signal,
}

impl Signals {
    async fn next(mut self) -> &'static str {
        tokio::select! {
            _ = self.hang_up.recv() => "SIGHUP",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.quit.recv() => "SIGQUIT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "in place of the signal's own end: the main thread waits for the terminal or the server, and serves nobody"
)]
fn end(name: &str) {
    let failure = if show_again() {
        Failure::Refused(format!("interrupted ({name}); nothing was done"))
    } else {
        Failure::Unknown(format!("interrupted ({name}); look whether it was done"))
    };
    std::process::exit(i32::from(failure.say()));
}

/// What was typed so far.
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    most: usize,
}

impl Line {
    /// All the room at once: a text that grows leaves copies of itself.
    fn with_room_for(most: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(most)), most }
    }

    fn take(&mut self, byte: u8) -> io::Result<()> {
        match byte {
            BACKSPACE | DELETE => self.drop_character(),
            CLEAR_LINE => self.bytes.clear(),
            CLEAR_WORD => {
                while self.bytes.last() == Some(&b' ') {
                    self.bytes.pop();
                }
                while self.bytes.last().is_some_and(|byte| *byte != b' ') {
                    self.bytes.pop();
                }
            }
            _ if self.bytes.len() >= self.most => {
                return Err(io::Error::new(
                    ErrorKind::InvalidInput,
                    format!("it is longer than {} bytes", self.most),
                ));
            }
            byte => self.bytes.push(byte),
        }
        Ok(())
    }

    /// The last character with all its bytes.
    fn drop_character(&mut self) {
        const CONTINUES: u8 = 0b1000_0000;
        while self.bytes.pop().is_some_and(|byte| byte & 0b1100_0000 == CONTINUES) {}
    }

    /// The end of the input ends a line that was begun.
    fn end_of_input(self) -> io::Result<Zeroizing<Vec<u8>>> {
        if self.bytes.is_empty() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(self.bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_corrected_as_it_is_typed() {
        for (typed, expected) in [
            (&b"abc"[..], &b"abc"[..]),
            (b"abc\x7fd", b"abd"),
            (b"ab\xc3\xa9\x7fd", b"abd"),
            (b"\x7f\x08a", b"a"),
            (b"\xff\xa9\x7f", b""),
            (b"one two \x17three", b"one three"),
            (b"one\x15two", b"two"),
            (b"\x1a\x1b[A", b"\x1a\x1b[A"),
        ] {
            let mut line = Line::with_room_for(64);
            typed.iter().for_each(|byte| line.take(*byte).unwrap());
            assert_eq!(line.bytes.as_slice(), expected, "{typed:?}");
        }
        let mut line = Line::with_room_for(1);
        line.take(b'a').unwrap();
        assert!(line.take(b'b').is_err());
        assert_eq!(Line::with_room_for(1).end_of_input().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
