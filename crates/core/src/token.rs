//! The inner door's credential: a signed JWT for one audience, ready to be handed to a service, with all that tells
//! whether it may still be handed out. In: what `mint` signed. Out: header values that share one text, not copies of it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;

use crate::fault::Fault;
use crate::id::{SessionId, Subject};
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// A minted JWT with the headers that accompany it. No Debug: it is a credential until it expires.
///
/// With a million sessions no cache of the processor holds any of this: each line of memory that a request touches is waited for.
/// So everything that goes into headers stands in one text, one after the other, the JWT first.
/// The order of the fields is kept: what says whether it may be handed out stands beside the reference count.
#[repr(C)]
pub struct AccessToken {
    /// What it was minted for and with.
    pub stamp: Stamp,
    /// When it was signed.
    pub minted_at: Timestamp,
    /// When it expires (`exp`).
    pub expires_at: Timestamp,
    /// From when on it should be minted anew, while this one is still handed out.
    pub renew_at: Timestamp,
    authorization: HeaderValue,
    /// `Bearer <jwt>`, subject, session, copies; without anything between them.
    text: Bytes,
    copies: Box<[Copied]>,
    /// The same session's JWTs for other audiences.
    pub(crate) others: Option<Arc<Self>>,
}

/// What an [`AccessToken`] is made of.
pub struct Minted<'a> {
    /// The JWT itself.
    pub jwt: &'a str,
    /// Whom it speaks for.
    pub subject: Subject,
    /// The session behind.
    pub session: SessionId,
    /// The audience's own claims that can be a header value: name and text.
    pub copies: Vec<(Arc<str>, String)>,
    /// When it was signed.
    pub minted_at: Timestamp,
    /// When it expires (`exp`).
    pub expires_at: Timestamp,
    /// From when on it should be minted anew.
    pub renew_at: Timestamp,
    /// What it was minted for and with.
    pub stamp: Stamp,
}

/// What a cached JWT is valid for, beside the session, its version and the subject's epoch, which own the cache slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The audience with its claims template and lifetime, as configured now.
    pub audience: u32,
    /// The key ring.
    pub ring: u32,
}

/// A claim's plain copy: where it stands in the text. The name is shared by all JWTs of the audience.
#[derive(Clone)]
struct Copied {
    claim: Arc<str>,
    from: u32,
    to: u32,
}

const SCHEME: &str = "Bearer ";
/// Length of a subject's or session's text form.
const ID_LENGTH: usize = 26;

impl AccessToken {
    /// Lays the text out; a JWT or copy that cannot be a header value is a bug of the caller's.
    pub fn new(minted: Minted<'_>) -> Result<Self, Fault> {
        let Minted { jwt, subject, session, copies, minted_at, expires_at, renew_at, stamp } = minted;
        let mut text = format!("{SCHEME}{jwt}");
        let authorization = 0..text.len();
        text.push_str(&subject.to_string());
        text.push_str(&session.to_string());
        let mut copied = Vec::with_capacity(copies.len());
        for (claim, copy) in copies {
            let from = position(&text)?;
            text.push_str(&copy);
            copied.push(Copied { claim, from, to: position(&text)? });
        }
        // Exactly as long as it is: a million times what a string grows ahead of need is much.
        let text = Bytes::from(text.into_bytes().into_boxed_slice());
        let copies = copied.into_boxed_slice();
        let ids = [0, 1].map(|at| authorization.end + at * ID_LENGTH).map(|from| from..from + ID_LENGTH);
        // Each part is judged here, so that handing one out cannot fail later.
        for part in ids.into_iter().chain(copies.iter().map(Copied::range)) {
            judge(&text, part)?;
        }
        let mut authorization = judge(&text, authorization)?;
        authorization.set_sensitive(true);
        Ok(Self { authorization, text, copies, minted_at, expires_at, renew_at, stamp, others: None })
    }

    /// `Bearer <jwt>`.
    pub fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// The JWT itself.
    pub fn jwt(&self) -> &str {
        self.authorization.to_str().ok().and_then(|text| text.strip_prefix(SCHEME)).unwrap_or_default()
    }

    /// The subject's text form.
    pub fn subject(&self) -> HeaderValue {
        self.part(self.authorization.len()..self.authorization.len() + ID_LENGTH)
    }

    /// The session id's text form.
    pub fn session(&self) -> HeaderValue {
        let from = self.authorization.len() + ID_LENGTH;
        self.part(from..from + ID_LENGTH)
    }

    /// One of the audience's claims, if the account has it and it can be a header value.
    pub fn copy_of(&self, claim: &str) -> Option<HeaderValue> {
        let copy = self.copies.iter().find(|copy| *copy.claim == *claim)?;
        Some(self.part(copy.range()))
    }

    /// How many bytes of text it keeps.
    pub fn text_length(&self) -> usize {
        self.text.len()
    }

    fn part(&self, part: Range<usize>) -> HeaderValue {
        judge(&self.text, part).unwrap_or(HeaderValue::from_static(""))
    }

    /// The same JWT beside others than before; the text is shared.
    pub(crate) fn beside(&self, others: Option<Arc<Self>>) -> Self {
        Self {
            authorization: self.authorization.clone(),
            text: self.text.clone(),
            copies: self.copies.clone(),
            others,
            ..*self
        }
    }
}

impl Copied {
    fn range(&self) -> Range<usize> {
        self.from as usize..self.to as usize
    }
}

fn position(text: &str) -> Result<u32, Fault> {
    u32::try_from(text.len()).map_err(|_| Fault::Bug("a JWT with its copies is longer than 4 GiB"))
}

/// A part of the text as a header value, sharing its memory.
fn judge(text: &Bytes, part: Range<usize>) -> Result<HeaderValue, Fault> {
    if part.start > part.end || part.end > text.len() {
        return Err(UNFIT);
    }
    HeaderValue::from_maybe_shared(text.slice(part)).map_err(|_| UNFIT)
}

const UNFIT: Fault = Fault::Bug("a JWT or a copy of its claims is no header value");
