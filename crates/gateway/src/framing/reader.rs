//! Follows the messages of a connection without keeping them. In: bytes as they come, cut anywhere. Out: the first byte that
//! makes a message ambiguous, if one does.

#[cfg(test)]
mod tests;

/// Longer lines are refused before they are kept; hyper has its own, larger bound on whole heads.
const LONGEST_LINE: usize = 64 * 1024;

/// More of a body or chunk than this is not announced in earnest, and its digits need not be counted with care.
const MOST_DIGITS: usize = 15;

/// Where in a connection the next byte stands.
#[derive(Default)]
pub(super) struct Reader {
    place: Place,
    /// What has come of the line that the next byte belongs to.
    line: Vec<u8>,
    length: Option<u64>,
    is_chunked: bool,
    /// Bytes of the head that is arriving, and the most that there may be.
    head: usize,
    most: Option<usize>,
    is_too_large: bool,
}

#[derive(Clone, Copy, Default)]
enum Place {
    /// Where a chunk's data must be followed by an empty line.
    ChunkEnd,
    /// In the line of a chunk's size.
    ChunkSize,
    /// In a body or chunk, with so many bytes to go; and what follows.
    Data(u64, After),
    /// In a header field.
    Field,
    /// In the request line, or in the empty line that may precede it.
    #[default]
    Start,
    /// In a field after the last chunk.
    Trailer,
}

#[derive(Clone, Copy)]
enum After {
    Chunk,
    Message,
}

struct Ambiguous;

impl Reader {
    /// A reader that accepts heads of at most `most` bytes, request line included.
    pub(super) fn bounded(most: usize) -> Self {
        Self { most: Some(most), ..Self::default() }
    }

    /// Whether the first byte that must not be passed on is one too many, and nothing else is wrong with it.
    pub(super) fn is_too_large(&self) -> bool {
        self.is_too_large
    }

    /// Whether the next byte begins a line.
    pub(super) fn is_at_line_start(&self) -> bool {
        self.line.is_empty()
    }

    /// Follows these bytes; an error is the place of the first that must not be passed on.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if let Place::Data(left, after) = self.place {
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                self.skip(left.saturating_sub(taken as u64), after);
                at += taken;
                continue;
            }
            let end = rest.iter().position(|byte| *byte == b'\n');
            let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            if self.line.len() + part.len() > LONGEST_LINE {
                return Err(at);
            }
            self.head += part.len();
            if matches!(self.place, Place::Field) && self.most.is_some_and(|most| self.head > most) {
                self.is_too_large = true;
                return Err(at);
            }
            self.line.extend_from_slice(part);
            at += part.len();
            if end.is_some() {
                self.end_line().map_err(|Ambiguous| at)?;
                self.head = if matches!(self.place, Place::Field) { self.head + 1 } else { 0 };
                at += 1;
            }
        }
        Ok(())
    }

    fn skip(&mut self, left: u64, after: After) {
        self.place = match (left, after) {
            (0, After::Chunk) => Place::ChunkEnd,
            (0, After::Message) => Place::Start,
            (left, after) => Place::Data(left, after),
        };
    }

    fn end_line(&mut self) -> Result<(), Ambiguous> {
        let mut line = std::mem::take(&mut self.line);
        // RFC 9112 section 2.2: lines end in CR LF. LF alone, or a CR elsewhere, ends a line for some and not for others.
        if line.pop() != Some(b'\r') || line.iter().any(|byte| *byte == b'\r' || *byte == 0) {
            return Err(Ambiguous);
        }
        self.place = match self.place {
            Place::Start => self.start(&line)?,
            Place::Field if line.is_empty() => self.body(),
            Place::Field => self.field(&line)?,
            Place::ChunkSize => chunk(&line)?,
            Place::ChunkEnd | Place::Trailer if line.is_empty() => match self.place {
                Place::ChunkEnd => Place::ChunkSize,
                _ => Place::Start,
            },
            Place::Trailer if !is_folded(&line) => Place::Trailer,
            Place::ChunkEnd | Place::Data(..) | Place::Trailer => return Err(Ambiguous),
        };
        // The room is kept for the next line.
        line.clear();
        self.line = line;
        Ok(())
    }

    fn start(&mut self, line: &[u8]) -> Result<Place, Ambiguous> {
        (self.length, self.is_chunked) = (None, false);
        match line {
            // RFC 9112 section 2.2 asks for robustness here, and an empty line has one reading.
            [] => Ok(Place::Start),
            // Section 3.2 knows no fragment. hyper would cut it off, and decide about less than was asked for.
            _ if line.contains(&b'#') => Err(Ambiguous),
            _ => Ok(Place::Field),
        }
    }

    fn field(&mut self, line: &[u8]) -> Result<Place, Ambiguous> {
        if is_folded(line) {
            return Err(Ambiguous);
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Ambiguous)?;
        let (name, value) = line.split_at(colon);
        let value = trim(value.get(1..).unwrap_or_default());
        if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() || self.is_chunked {
                return Err(Ambiguous);
            }
            self.length = Some(number(value, 10)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.length.is_some() || self.is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Ambiguous);
            }
            self.is_chunked = true;
        }
        Ok(Place::Field)
    }

    fn body(&self) -> Place {
        match self.length {
            _ if self.is_chunked => Place::ChunkSize,
            None | Some(0) => Place::Start,
            Some(length) => Place::Data(length, After::Message),
        }
    }
}

fn chunk(line: &[u8]) -> Result<Place, Ambiguous> {
    let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
    Ok(match number(size, 16)? {
        0 => Place::Trailer,
        size => Place::Data(size, After::Chunk),
    })
}

/// RFC 9112 section 5.2: a line that continues the one before, for some.
fn is_folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

fn number(digits: &[u8], radix: u32) -> Result<u64, Ambiguous> {
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return Err(Ambiguous);
    }
    digits.iter().try_fold(0, |number, digit| {
        let digit = char::from(*digit).to_digit(radix).ok_or(Ambiguous)?;
        Ok(number * u64::from(radix) + u64::from(digit))
    })
}

/// Without the spaces and tabs around a field's value (OWS, RFC 9110 section 5.6.3), and those alone.
fn trim(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| *byte != b' ' && *byte != b'\t';
    let from = value.iter().position(is_text).unwrap_or(value.len());
    let to = value.iter().rposition(is_text).map_or(from, |last| last + 1);
    value.get(from..to).unwrap_or_default()
}
