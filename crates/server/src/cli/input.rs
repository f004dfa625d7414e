//! Secrets and texts on stdin, bounded. In: stdin. Out: one line, or all of it; wiped when dropped.

use std::io::{IsTerminal, Read};

use zeroize::Zeroizing;

use super::{Failure, output};

/// The longest text that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// All of stdin, without the line end at its end.
pub(super) fn text(what: &str) -> Result<Zeroizing<String>, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        output::error_line(&format!("reading {what} from stdin; end with Ctrl-D"));
    }
    let mut text = Zeroizing::new(String::new());
    let read = stdin.lock().take(MAX_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::Usage(format!("cannot read {what} from stdin: {error}")))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(Failure::Usage(format!("{what} on stdin is longer than {MAX_BYTES} bytes")));
    }
    let trimmed = text.strip_suffix('\n').map_or(text.as_str(), |it| it.strip_suffix('\r').unwrap_or(it));
    if trimmed.is_empty() {
        return Err(Failure::Usage(format!("expected {what} on stdin, and there was nothing")));
    }
    Ok(Zeroizing::new(trimmed.to_owned()))
}

/// A new password as it stands on stdin: one line.
pub(super) fn new_password() -> Result<Zeroizing<String>, Failure> {
    let text = text("the password")?;
    if text.contains('\n') {
        return Err(Failure::Usage("a password is one line".to_owned()));
    }
    Ok(text)
}
