//! Devices that an account was signed in on: attempts from them are counted apart from those of strangers, so that whoever keeps
//! guessing at an account keeps strangers waiting and not its owner. In: a cookie value. Out: whether it marks a device of this account.

use data_encoding::BASE64URL_NOPAD;

use crate::fault::Fault;
use crate::id::Subject;
use crate::port::Entropy;
use crate::secret::{Pepper, Purpose};

/// How long a browser keeps the mark, in seconds: a year, anew at each login.
pub const KEPT_SECONDS: u32 = 365 * 24 * 60 * 60;

const RANDOM_LENGTH: usize = 16;
const LENGTH: usize = 32;

/// What a browser keeps of having been signed in to an account: 16 random bytes ‖ the first 16 bytes of HMAC-SHA-256 under the pepper
/// over these, the account's subject and its epoch: a new password or disabling the account ends all its marks. It signs nobody in, and
/// says neither which account it is of nor whether there is one.
/// No Debug: with it the throttle counts apart.
#[derive(Clone)]
pub struct DeviceMark(pub(super) [u8; LENGTH]);

impl DeviceMark {
    /// A fresh one for an account that has just been signed in to.
    pub fn draw(pepper: &Pepper, subject: Subject, epoch: u64, entropy: &dyn Entropy) -> Result<Self, Fault> {
        let mut bytes = [0; LENGTH];
        let (random, tag) = bytes.split_at_mut(RANDOM_LENGTH);
        entropy.fill(random)?;
        let digest = pepper.digest(Purpose::KnownDevice, &[random, subject.bytes(), &epoch.to_be_bytes()]);
        tag.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Ok(Self(bytes))
    }

    /// Reads a cookie value: exactly 43 canonical base64url characters, or it is none. Whether it is anybody's is not said by this.
    pub fn from_cookie_value(value: &[u8]) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        let fits = value.len() == BASE64URL_NOPAD.encode_len(LENGTH);
        (fits && BASE64URL_NOPAD.decode_mut(value, &mut bytes).is_ok()).then_some(Self(bytes))
    }

    /// The cookie value. For the Set-Cookie header alone.
    pub fn reveal_cookie_value(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// Whether a login to this account made it, here and in this epoch.
    pub fn is_of(&self, pepper: &Pepper, subject: Subject, epoch: u64) -> bool {
        let (random, tag) = self.0.split_at(RANDOM_LENGTH);
        pepper.confirms(Purpose::KnownDevice, &[random, subject.bytes(), &epoch.to_be_bytes()], tag)
    }

    /// What tells it from other devices of the same account.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
