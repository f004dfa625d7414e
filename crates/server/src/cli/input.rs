//! Secrets and texts on stdin, bounded. In: stdin; on a terminal a line that is not shown while it is typed. Out: one line, or all of it;
//! wiped when dropped.

use std::io::{self, ErrorKind, IsTerminal, Read};

use zeroize::Zeroizing;

use super::{Failure, terminal};
use crate::host::text_file;

/// The longest text that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// All of stdin without the line end at its end; on a terminal one line, which is not shown.
pub(super) fn secret(what: &str) -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        return typed(&format!("Give {what}; it is not shown: "), what);
    }
    let mut read = Zeroizing::new(Vec::new());
    let done = io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut read);
    done.map_err(|error| Failure::Usage(format!("cannot read {what} from stdin: {error}")))?;
    if read.len() as u64 > MAX_BYTES {
        return Err(Failure::Usage(format!("{what} on stdin is longer than {MAX_BYTES} bytes")));
    }
    let text = text_file::utf8(&read).map_err(|wrong| Failure::Usage(format!("{what} on stdin {wrong}")))?;
    let trimmed = text.strip_suffix('\n').map_or(text, |it| it.strip_suffix('\r').unwrap_or(it));
    if trimmed.is_empty() {
        return Err(Failure::Usage(format!("expected {what} on stdin, and there was nothing")));
    }
    Ok(Zeroizing::new(trimmed.to_owned()))
}

/// A new password: one line on stdin, or typed twice at a terminal.
pub(super) fn new_password() -> Result<Zeroizing<String>, Failure> {
    if io::stdin().is_terminal() {
        let first = typed("New password; it is not shown: ", "the password")?;
        let again = typed("The same again: ", "the password")?;
        if *first != *again {
            return Err(Failure::Usage("the two passwords are not the same".to_owned()));
        }
        return Ok(first);
    }
    let text = secret("the password")?;
    if text.contains('\n') {
        return Err(Failure::Usage("a password is one line".to_owned()));
    }
    Ok(text)
}

/// One line from the terminal, which does not show it.
fn typed(prompt: &str, what: &str) -> Result<Zeroizing<String>, Failure> {
    let line = terminal::read_line(prompt, MAX_BYTES as usize).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => Failure::Usage(format!("expected {what}, and there was nothing")),
        _ => Failure::Usage(format!("cannot read {what} from the terminal: {error}; or give it on stdin")),
    })?;
    let text = text_file::utf8(&line)
        .map_err(|wrong| Failure::Usage(format!("{what} from the terminal {wrong}")))?;
    if text.is_empty() {
        return Err(Failure::Usage(format!("expected {what}, and there was nothing")));
    }
    Ok(Zeroizing::new(text.to_owned()))
}
