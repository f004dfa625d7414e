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
/// So everything that goes into headers stands in one text, in the order in which it is asked for, and the order of the fields is
/// kept: what says whether it may be handed out stands beside the reference count.
#[repr(C)]
pub struct AccessToken {
    /// What it was minted for and with.
    pub stamp: JwtCacheKey,
    /// When it was signed.
    pub minted_at: Timestamp,
    /// When it expires (`exp`).
    pub expires_at: Timestamp,
    /// From when on it should be minted anew, while this one is still handed out.
    pub renew_at: Timestamp,
    authorization: HeaderValue,
    /// Where each copy ends and whether its claim was dropped (32 bits each), subject, session, copies, `Bearer <jwt>`; nothing between
    /// them.
    text: Bytes,
    claims: Arc<[CopyName]>,
    /// The same session's JWTs for other audiences.
    pub(crate) others: Option<Arc<Self>>,
}

/// What an [`AccessToken`] is made of.
pub struct Minted<'a> {
    /// The JWT itself.
    pub jwt: &'a str,
    /// LoginTarget it speaks for.
    pub subject: Subject,
    /// The session behind.
    pub session: SessionId,
    /// Which copies of the audience's own claims there are, shared by all its JWTs.
    pub claims: Arc<[CopyName]>,
    /// The copies themselves.
    pub copies: Vec<ClaimCopy>,
    /// When it was signed.
    pub minted_at: Timestamp,
    /// When it expires (`exp`).
    pub expires_at: Timestamp,
    /// From when on it should be minted anew.
    pub renew_at: Timestamp,
    /// What it was minted for and with.
    pub stamp: JwtCacheKey,
}

/// How a plain header says what is not visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderEncoding {
    /// It says nothing then: the header is empty.
    Drop,
    /// All but visible ASCII is `%XX` of its UTF-8, and so are `%` and `+` (RFC 3986 section 2.1).
    Percent,
    /// As it is, in UTF-8; with control characters or outer spaces in it, the header is empty.
    Utf8,
}

/// One copy that a JWT has beside it: of which claim, and how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyName {
    /// The claim.
    pub claim: String,
    /// How it is written.
    pub encoding: HeaderEncoding,
}

/// What goes beside a JWT of one of its audience's claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimCopy {
    /// Nothing: there is no such claim, or none that can be a header value.
    Absent,
    /// Nothing: the JWT does not say it, though there would be something to say.
    Dropped(Because),
    /// Its text.
    Text(String),
}

/// Why a JWT does not say a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// It nests deeper, or has more members in one object, than verifiers take.
    Shape,
    /// The JWT would have become too large.
    Size,
}

/// What a cached JWT is valid for, beside the session, its version and the subject's epoch, which own the cache slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JwtCacheKey {
    /// The audience with its claims template and lifetime, as configured now.
    pub audience: u32,
    /// The key ring.
    pub ring: u32,
}

const SCHEME: &str = "Bearer ";
/// Length of a subject's or session's text form.
const ID_LENGTH: usize = 26;
/// Length of where a copy ends.
const END_LENGTH: usize = 4;
/// Beside where a copy ends: its claim was dropped.
const DROPPED_FOR_SHAPE: u32 = 1 << 31;
const DROPPED_FOR_SIZE: u32 = 1 << 30;
const END: u32 = DROPPED_FOR_SIZE - 1;

impl AccessToken {
    /// Lays the text out; a JWT or copy that cannot be a header value is a bug of the caller's.
    pub fn new(minted: Minted<'_>) -> Result<Self, Fault> {
        let Minted { jwt, subject, session, claims, copies, minted_at, expires_at, renew_at, stamp } = minted;
        if claims.len() != copies.len() {
            return Err(Fault::Bug("a JWT has more claims than copies of them, or fewer"));
        }
        let mut text = Vec::new();
        let mut end = first_copy(claims.len());
        for copy in &copies {
            end += copy.text().len();
            let end = u32::try_from(end).ok().filter(|end| *end <= END);
            let end = end.ok_or(Fault::Bug("the copies of a JWT's claims take a gigabyte"))?;
            text.extend((end | copy.mark()).to_le_bytes());
        }
        text.extend(subject.to_string().bytes());
        text.extend(session.to_string().bytes());
        text.extend(copies.iter().flat_map(|copy| copy.text().bytes()));
        let authorization = text.len();
        text.extend(SCHEME.bytes().chain(jwt.bytes()));
        let length = text.len();
        let text = shared(&text);
        let mut authorization = judge(&text, authorization..length)?;
        authorization.set_sensitive(true);
        let token =
            Self { stamp, minted_at, expires_at, renew_at, authorization, text, claims, others: None };
        // Each part is judged here, so that handing one out cannot fail later.
        let copies = (0..token.claims.len()).map(|at| token.copy(at));
        for part in [token.subject_part(), token.session_part()].into_iter().chain(copies) {
            judge(&token.text, part)?;
        }
        Ok(token)
    }

    /// `Bearer <jwt>`.
    pub fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// The JWT itself, to be sent: shares the text, and copies nothing.
    pub fn jwt_bytes(&self) -> Bytes {
        let jwt = self.authorization.len().saturating_sub(SCHEME.len());
        self.text.slice(self.text.len().saturating_sub(jwt)..)
    }

    /// The JWT itself.
    pub fn jwt(&self) -> &str {
        self.authorization.to_str().ok().and_then(|text| text.strip_prefix(SCHEME)).unwrap_or_default()
    }

    /// The subject's text form.
    pub fn subject(&self) -> HeaderValue {
        self.part(self.subject_part())
    }

    /// The session id's text form.
    pub fn session(&self) -> HeaderValue {
        self.part(self.session_part())
    }

    /// One of the audience's claims, if the account has it and it can be a header value in this encoding.
    pub fn copy_of(&self, claim: &str, encoding: HeaderEncoding) -> Option<HeaderValue> {
        let is_it = |name: &CopyName| name.encoding == encoding && name.claim == claim;
        let copy = self.copy(self.claims.iter().position(is_it)?);
        (!copy.is_empty()).then(|| self.part(copy))
    }

    /// The audience's claims that it does not say because it could not carry them.
    pub fn dropped(&self) -> impl Iterator<Item = (&str, Because)> {
        self.claims.iter().enumerate().filter_map(|(at, claim)| {
            let because = match self.end(at)? & !END {
                0 => return None,
                DROPPED_FOR_SHAPE => Because::Shape,
                _ => Because::Size,
            };
            Some((claim.claim.as_str(), because))
        })
    }

    /// How many bytes its text takes.
    pub fn text_length(&self) -> usize {
        self.text.len()
    }

    /// The same JWT beside others than before; the text is shared.
    pub(crate) fn beside(&self, others: Option<Arc<Self>>) -> Self {
        Self {
            authorization: self.authorization.clone(),
            text: self.text.clone(),
            claims: Arc::clone(&self.claims),
            others,
            ..*self
        }
    }

    fn subject_part(&self) -> Range<usize> {
        let from = self.claims.len() * END_LENGTH;
        from..from + ID_LENGTH
    }

    fn session_part(&self) -> Range<usize> {
        let from = self.claims.len() * END_LENGTH + ID_LENGTH;
        from..from + ID_LENGTH
    }

    fn copy(&self, at: usize) -> Range<usize> {
        let end = |at: usize| usize::try_from(self.end(at)? & END).ok();
        let from = match at.checked_sub(1) {
            None => first_copy(self.claims.len()),
            Some(previous) => end(previous).unwrap_or_default(),
        };
        from..end(at).unwrap_or_default()
    }

    /// Where a copy ends, with the marks beside it.
    fn end(&self, at: usize) -> Option<u32> {
        self.text.get(at * END_LENGTH..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
    }

    fn part(&self, part: Range<usize>) -> HeaderValue {
        judge(&self.text, part).unwrap_or(HeaderValue::from_static(""))
    }
}

impl ClaimCopy {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Absent | Self::Dropped(_) => "",
        }
    }

    fn mark(&self) -> u32 {
        match self {
            Self::Dropped(Because::Shape) => DROPPED_FOR_SHAPE,
            Self::Dropped(Because::Size) => DROPPED_FOR_SIZE,
            Self::Absent | Self::Text(_) => 0,
        }
    }
}

/// Where the first copy stands when there are so many.
fn first_copy(copies: usize) -> usize {
    copies * END_LENGTH + 2 * ID_LENGTH
}

/// A text that lies right behind its own reference count: to share it and to read it is to wait for one line of memory, not for two.
struct Block<const N: usize>([u8; N]);

impl<const N: usize> Block<N> {
    fn shared(text: &[u8]) -> Bytes {
        let mut block = [0; N];
        block.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        Bytes::from_owner(Self(block)).slice(..text.len().min(N))
    }
}

impl<const N: usize> AsRef<[u8]> for Block<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The text in the smallest block that holds it. The sizes are those that allocators have anyway, less the reference count.
fn shared(text: &[u8]) -> Bytes {
    match text.len() {
        0..=504 => Block::<504>::shared(text),
        505..=632 => Block::<632>::shared(text),
        633..=760 => Block::<760>::shared(text),
        761..=888 => Block::<888>::shared(text),
        889..=1016 => Block::<1016>::shared(text),
        1017..=1272 => Block::<1272>::shared(text),
        1273..=1528 => Block::<1528>::shared(text),
        1529..=1784 => Block::<1784>::shared(text),
        1785..=2040 => Block::<2040>::shared(text),
        _ => Bytes::copy_from_slice(text),
    }
}

/// A part of the text as a header value, sharing its memory.
fn judge(text: &Bytes, part: Range<usize>) -> Result<HeaderValue, Fault> {
    const UNFIT: Fault = Fault::Bug("a JWT or a copy of its claims is no header value");
    if part.start > part.end || part.end > text.len() {
        return Err(UNFIT);
    }
    HeaderValue::from_maybe_shared(text.slice(part)).map_err(|_| UNFIT)
}
