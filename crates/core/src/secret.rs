//! What must never be seen: the pepper that makes digests unforgeable, and passwords on their way to the hasher.
//! In: bytes from a key file or a form. Out: keyed digests. Nothing here has Debug, Display or Serialize, and all of it
//! is wiped when dropped.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The installation's 32-byte pepper, ready for use: HMAC-SHA-256 under it is all that a store ever sees of a secret.
///
/// Whoever reads the store cannot turn a digest back into a credential; whoever writes to it cannot make one up.
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

/// Keeps digests for one use from being valid for another.
#[derive(Clone, Copy)]
pub enum Purpose {
    /// What is remembered of a client's assertion that was shown.
    ClientAssertion,
    /// The store's name for a client's secret.
    ClientSecret,
    /// A CSRF token bound to a session.
    Csrf,
    /// A CSRF token bound to a pre-session (the login form).
    CsrfPreSession,
    /// The store's name for a session that has a token family instead of a session token.
    FamilySession,
    /// What marks a device that an account was signed in on.
    KnownDevice,
    /// The store's name for a refresh token.
    Refresh,
    /// The refresh token after another.
    RefreshSuccessor,
    /// What shows that a refresh token is one of ours.
    RefreshTag,
    /// What shows which secret a file holds.
    SecretCheck,
    /// The store's name for a session token.
    Session,
    /// Whose hash an unknown account is compared with.
    StandIn,
    /// The store's name for what a login throttle counts.
    Throttle,
    /// What a log says of an identifier that was typed and that no account has.
    TypedName,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::ClientAssertion => b"client-assertion\0",
            Self::ClientSecret => b"client-secret\0",
            Self::Csrf => b"csrf\0",
            Self::CsrfPreSession => b"csrf-pre\0",
            Self::FamilySession => b"family-session\0",
            Self::KnownDevice => b"known-device\0",
            Self::Refresh => b"refresh\0",
            Self::RefreshSuccessor => b"refresh-successor\0",
            Self::RefreshTag => b"refresh-tag\0",
            Self::SecretCheck => b"secret-check\0",
            Self::Session => b"session\0",
            Self::StandIn => b"stand-in\0",
            Self::Throttle => b"throttle\0",
            Self::TypedName => b"typed-name\0",
        }
    }
}

impl Pepper {
    /// Takes the pepper as read from its file.
    pub fn new(key: &[u8; 32]) -> Self {
        // HMAC takes a key of any length: the error branch cannot be reached with 32 bytes.
        Self(Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!()))
    }

    /// HMAC-SHA-256(pepper, purpose ‖ parts), RFC 2104. ClientAuthenticator give parts of fixed length, so their joints are unambiguous.
    pub fn digest(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        self.keyed(purpose, parts).finalize().into_bytes().into()
    }

    /// Compares the first bytes of a digest in constant time; `tag` has at least 16 bytes or nothing matches.
    pub fn confirms(&self, purpose: Purpose, parts: &[&[u8]], tag: &[u8]) -> bool {
        tag.len() >= 16 && self.keyed(purpose, parts).verify_truncated_left(tag).is_ok()
    }

    fn keyed(&self, purpose: Purpose, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(purpose.label());
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// What a store keeps of a secret of the installation, to know it again: HMAC-SHA-256 under it, of a fixed purpose and the secret's name. It
/// tells nothing of 32 random bytes.
pub fn check_value(secret: &[u8; 32], name: &str) -> [u8; 32] {
    Pepper::new(secret).digest(Purpose::SecretCheck, &[name.as_bytes()])
}

/// A password as typed, normalised to NFKC (at set and at verify alike, SP 800-63B section 3.1.1.2), wiped when dropped.
pub struct Password {
    normal: Zeroizing<String>,
    /// Where it differs: hashes that were imported were made of what was typed.
    typed: Option<Zeroizing<String>>,
}

impl Password {
    /// The most code points after normalisation; longer input is refused, never truncated.
    pub const MAX_CODE_POINTS: usize = 256;
    /// The most bytes that are looked at. A password in a decomposed form has a few times as many code points as it has after
    /// normalisation; it must not be refused where its composed form is taken.
    const MAX_BYTES: usize = 4 * 4 * Self::MAX_CODE_POINTS;

    /// Takes what was typed; `None` when it is empty or longer than [`Self::MAX_CODE_POINTS`].
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.is_empty() || typed.len() > Self::MAX_BYTES {
            return None;
        }
        // Room for the longest that is taken up front, so that no half-grown copy is left behind unwiped.
        let mut normal = Zeroizing::new(String::with_capacity(4 * (Self::MAX_CODE_POINTS + 1)));
        normal.extend(typed.nfkc().take(Self::MAX_CODE_POINTS + 1));
        let typed = (*normal != typed).then(|| Zeroizing::new(typed.to_owned()));
        let password = Self { normal, typed };
        (password.code_points() <= Self::MAX_CODE_POINTS).then_some(password)
    }

    /// The normalised bytes, for the hasher alone.
    pub fn reveal(&self) -> &[u8] {
        self.normal.as_bytes()
    }

    /// The bytes as they came, where normalising changed them; for the hasher alone, and for imported hashes: other programs do not
    /// normalise.
    pub fn reveal_typed(&self) -> Option<&[u8]> {
        self.typed.as_ref().map(|typed| typed.as_bytes())
    }

    /// Length in code points after normalisation.
    pub fn code_points(&self) -> usize {
        self.normal.chars().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_separate() {
        let pepper = Pepper::new(&[7; 32]);
        assert_ne!(pepper.digest(Purpose::Session, &[b"x"]), pepper.digest(Purpose::Csrf, &[b"x"]));
        assert_ne!(
            pepper.digest(Purpose::Session, &[b"x"]),
            Pepper::new(&[8; 32]).digest(Purpose::Session, &[b"x"])
        );
    }

    #[test]
    fn a_digest_is_what_another_implementation_makes_of_label_and_parts() {
        // python3 -c "import hmac;print(hmac.new(bytes([7])*32, b'session\0abc', 'sha256').hexdigest())"
        let digest = Pepper::new(&[7; 32]).digest(Purpose::Session, &[b"a", b"bc"]);
        assert_eq!(data_encoding::HEXLOWER.encode(&digest), PYTHON_SAYS);
    }

    const PYTHON_SAYS: &str = "e5859b8d0b0720b358221fb41c7ce6b5bd782779765fd7ba080688e63814bee3";

    /// A value that changes with a release would keep every installation from starting.
    #[test]
    fn a_check_value_is_the_same_for_ever_and_another_for_each_name() {
        // python3 -c "import hmac;print(hmac.new(bytes([7])*32, b'secret-check\0pepper', 'sha256').hexdigest())"
        let value = check_value(&[7; 32], "pepper");
        assert_eq!(data_encoding::HEXLOWER.encode(&value), CHECKED_BY_PYTHON);
        assert_ne!(value, check_value(&[7; 32], "seal"));
        assert_ne!(value, check_value(&[8; 32], "pepper"));
    }

    const CHECKED_BY_PYTHON: &str = "3cde011127f4606d2bf83f797757ac0044274b1aaa4efea89f14e296b18066a0";

    #[test]
    fn a_tag_is_confirmed_whole_or_by_its_first_sixteen_bytes_and_never_by_fewer() {
        let pepper = Pepper::new(&[1; 32]);
        let mut tag = pepper.digest(Purpose::Csrf, &[b"x"]);
        assert!(pepper.confirms(Purpose::Csrf, &[b"x"], &tag));
        assert!(pepper.confirms(Purpose::Csrf, &[b"x"], &tag[..16]));
        assert!(!pepper.confirms(Purpose::Csrf, &[b"x"], &tag[..15]));
        assert!(!pepper.confirms(Purpose::Csrf, &[b"x"], &[]));
        tag[0] ^= 1;
        assert!(!pepper.confirms(Purpose::Csrf, &[b"x"], &tag));
    }

    #[test]
    fn passwords_are_bounded_and_normalised_and_never_truncated() {
        assert!(Password::parse("").is_none());
        assert!(Password::parse(&"x".repeat(256)).is_some());
        assert!(Password::parse(&"x".repeat(257)).is_none());
        assert!(Password::parse(&"🦀".repeat(256)).is_some());
        assert!(Password::parse(&"🦀".repeat(257)).is_none());
        // What is typed in a decomposed form is the same password, and as long.
        let decomposed = "e\u{301}".repeat(256);
        assert_eq!(Password::parse(&decomposed).unwrap().reveal(), "\u{e9}".repeat(256).as_bytes());
        assert!(Password::parse(&"e\u{301}".repeat(257)).is_none());
        // One typed code point can be eighteen after normalisation.
        assert_eq!(Password::parse(&"\u{FDFA}".repeat(14)).unwrap().code_points(), 252);
        assert!(Password::parse(&"\u{FDFA}".repeat(15)).is_none());
        assert!(Password::parse(&"x".repeat(10_240)).is_none());
        let composed = Password::parse("Caf\u{e9}").unwrap();
        let decomposed = Password::parse("Cafe\u{301}").unwrap();
        assert_eq!(composed.reveal(), decomposed.reveal());
        assert_eq!(composed.reveal_typed(), None);
        assert_eq!(decomposed.reveal_typed(), Some("Cafe\u{301}".as_bytes()));
        let long = Password::parse(&"a".repeat(73)).unwrap();
        assert_eq!(long.reveal().len(), 73);
        assert_eq!(Password::parse("nul\0inside").unwrap().reveal(), b"nul\0inside");
    }
}
