//! Sealing: private keys at rest are AES-256-GCM ciphertext under a key that lives in a file, not in the store.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use vestibule_verify::{Algorithm, KeyId};
use zeroize::Zeroizing;

use super::KeyPurpose;
use crate::fault::Fault;

/// The 32-byte key from the key file. No Debug.
pub struct SealKey(LessSafeKey);

/// A private key as the store keeps it: nonce, ciphertext, tag.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey(Vec<u8>);

impl SealedKey {
    /// Back from a store.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// As a store keeps it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl SealKey {
    /// Takes the key as read from its file.
    pub fn new(key: &[u8; 32]) -> Result<Self, Fault> {
        let key = UnboundKey::new(&AES_256_GCM, key)
            .map_err(|_| Fault::Bug("a 32-byte key is not an AES-256 key"))?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Seals under a nonce that the caller drew freshly.
    pub(super) fn seal(
        &self,
        pkcs8: &[u8],
        bound: Bound<'_>,
        nonce: [u8; NONCE_LEN],
    ) -> Result<SealedKey, Fault> {
        // Room for the tag up front: growing would leave an unwiped copy of the clear text behind.
        let mut sealed = Zeroizing::new(Vec::with_capacity(pkcs8.len() + AES_256_GCM.tag_len()));
        sealed.extend_from_slice(pkcs8);
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound.aad(), &mut *sealed)
            .map_err(|_| Fault::Bug("a private key could not be sealed"))?;
        Ok(SealedKey([&nonce[..], &sealed].concat()))
    }

    pub(super) fn unseal(&self, sealed: &SealedKey, bound: Bound<'_>) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let wrong = || Fault::corrupt("a sealed signing key", "it does not open with this key file");
        let (nonce, ciphertext) = sealed.0.split_at_checked(NONCE_LEN).ok_or_else(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut clear = Zeroizing::new(ciphertext.to_vec());
        let length = self.0.open_in_place(nonce, bound.aad(), &mut clear).map_err(|_| wrong())?.len();
        clear.truncate(length);
        Ok(clear)
    }
}

/// What a sealed key says of itself: whoever can write into the store cannot make it another's, or another kind of key.
pub(super) struct Bound<'a> {
    pub(super) purpose: KeyPurpose,
    pub(super) algorithm: Algorithm,
    pub(super) key_id: &'a KeyId,
}

impl Bound<'_> {
    fn aad(&self) -> Aad<Vec<u8>> {
        // Keys for services were there first, and are sealed as ever.
        let purpose = match self.purpose {
            KeyPurpose::Edge => "\0edge",
            KeyPurpose::Services => "",
        };
        let (algorithm, key_id) = (self.algorithm.name(), self.key_id.as_str());
        Aad::from(format!("vestibule signing key 1\0{algorithm}\0{key_id}{purpose}").into_bytes())
    }
}
