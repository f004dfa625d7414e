//! Authenticated decryption of a token's content (RFC 7518 section 5).
//! In: the content key and the parts of the token, their lengths already judged. Out: the content, or one answer for all that is wrong.

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    constant_time, hmac,
    iv::FixedLength,
};

use super::{ContentEncryption, compact::Jwe};
use crate::reject::Reject;

pub(super) fn open(key: &[u8], jwe: &Jwe<'_>) -> Result<Vec<u8>, Reject> {
    let opened = match jwe.header.encryption {
        ContentEncryption::A128Gcm | ContentEncryption::A256Gcm => gcm(key, jwe),
        ContentEncryption::A256CbcHs512 => cbc_hmac(key, jwe),
    };
    opened.ok_or(Reject::Decryption)
}

fn gcm(key: &[u8], jwe: &Jwe<'_>) -> Option<Vec<u8>> {
    let is_short = jwe.header.encryption == ContentEncryption::A128Gcm;
    let algorithm = if is_short { &AES_128_GCM } else { &AES_256_GCM };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(&jwe.iv).ok()?;
    let mut content = vec![0; jwe.ciphertext.len()];
    let aad = Aad::from(jwe.authenticated.as_bytes());
    key.open_separate_gather(nonce, aad, &jwe.ciphertext, &jwe.tag, &mut content).ok()?;
    Some(content)
}

/// Encrypted, then authenticated (RFC 7518 section 5.2.2.2): nothing is decrypted before the tag is found good, so padding tells nothing.
fn cbc_hmac(key: &[u8], jwe: &Jwe<'_>) -> Option<Vec<u8>> {
    let (mac_key, encryption_key) = key.split_at_checked(32)?;
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, mac_key));
    mac.update(jwe.authenticated.as_bytes());
    mac.update(&jwe.iv);
    mac.update(&jwe.ciphertext);
    mac.update(&(u64::try_from(jwe.authenticated.len()).ok()? * 8).to_be_bytes());
    let tag = mac.sign();
    constant_time::verify_slices_are_equal(tag.as_ref().get(..32)?, &jwe.tag).ok()?;
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, encryption_key).ok()?);
    let iv: [u8; 16] = jwe.iv.as_slice().try_into().ok()?;
    let mut content = jwe.ciphertext.clone();
    let iv = DecryptionContext::Iv128(FixedLength::from(iv));
    let length = key.ok()?.decrypt(&mut content, iv).ok()?.len();
    content.truncate(length);
    Some(content)
}

#[cfg(test)]
mod tests;
