//! JWTs that their audience alone can read: a signed one inside of an encrypted one (RFC 7519 section 5.2, RFC 7516).
//! In: the public key of an audience, a signed JWT. Out: a JWE. Nothing of ours decrypts it.

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::cipher::{self, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use vestibule_verify::jwe::{
    ContentEncryption, Context, Curve, KeyManagement, PublicHalf, RecipientKey, derive,
};
use vestibule_verify::{KeyId, KeyReject};
use zeroize::Zeroizing;

use crate::fault::Fault;
use crate::port::Entropy;

#[cfg(test)]
mod tests;

/// Content is encrypted by this where nothing else is configured.
pub const DEFAULT_ENCRYPTION: ContentEncryption = ContentEncryption::A256Gcm;

/// The public key of an audience, how content keys reach it, and how content is encrypted: one of each.
pub struct EncryptionKey {
    recipient: RecipientKey,
    encryption: ContentEncryption,
    public: Public,
    /// Of the header as it is written: always the same, whatever key is agreed with.
    header_length: usize,
}

/// The kind of all that is encrypted here (RFC 9068 section 2.1).
const TYP: &str = "at+jwt";

enum Public {
    Agreement { curve: Curve, point: Vec<u8> },
    Rsa(OaepPublicEncryptingKey),
}

/// A content key, and what the recipient gets of it.
struct ContentKey {
    key: Zeroizing<Vec<u8>>,
    encrypted: Vec<u8>,
    header: String,
}

impl EncryptionKey {
    /// Reads a public JWK, by the rules by which a service reads its private half.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn from_jwk_text(jwk: &str, encryption: ContentEncryption) -> Result<Self, KeyReject> {
        let recipient = RecipientKey::from_jwk_text(jwk)?;
        let public = match recipient.public() {
            PublicHalf::Agreement { curve, point } => {
                Public::Agreement { curve: *curve, point: point.clone() }
            }
            PublicHalf::Rsa { n, e } => {
                let components = PublicKeyComponents { n: n.as_slice(), e: e.as_slice() };
                let key: Result<PublicEncryptingKey, Unspecified> = components.try_into();
                let key = key.and_then(OaepPublicEncryptingKey::new);
                Public::Rsa(key.map_err(|_| KeyReject::RsaModulus)?)
            }
            _ => return Err(KeyReject::KeyTypeUnsupported),
        };
        let epk = match &public {
            Public::Agreement { curve, point } => Some(curve.to_jwk(point)),
            Public::Rsa(_) => None,
        };
        let unmeasured = Self { recipient, encryption, public, header_length: 0 };
        Ok(Self { header_length: unmeasured.header(epk).len(), ..unmeasured })
    }

    /// The key's name: the `kid` of every JWE.
    pub fn key_id(&self) -> &KeyId {
        self.recipient.key_id()
    }

    /// How content keys reach the audience.
    pub fn management(&self) -> KeyManagement {
        self.recipient.management()
    }

    /// How content is encrypted.
    pub fn encryption(&self) -> ContentEncryption {
        self.encryption
    }

    /// Encrypts a signed JWT.
    ///
    /// Content keys and initialization vectors come from `entropy`. Keys that are made to agree with, and what RSA pads with, come from
    /// the cryptographic library's own generator, as what ECDSA signs with.
    pub fn encrypt(&self, jwt: &str, entropy: &dyn Entropy) -> Result<String, Fault> {
        let ContentKey { key, encrypted, header } = self.content_key(entropy)?;
        let mut iv = vec![0; self.encryption.iv_length()];
        entropy.fill(&mut iv)?;
        let mut jwe = String::with_capacity(self.length_of(jwt.len()));
        jwe.push_str(&header);
        let (ciphertext, tag) = self.seal(&key, &iv, jwe.as_bytes(), jwt.as_bytes())?;
        for part in [&encrypted, &iv, &ciphertext, &tag] {
            jwe.push('.');
            BASE64URL_NOPAD.encode_append(part, &mut jwe);
        }
        Ok(jwe)
    }

    /// How long a JWT of so many bytes becomes by this.
    pub fn length_of(&self, jwt_bytes: usize) -> usize {
        let ciphertext = match self.encryption {
            ContentEncryption::A256CbcHs512 => (jwt_bytes / 16 + 1) * 16,
            _ => jwt_bytes,
        };
        let key = self.encryption.key_length();
        let encrypted_key = match (&self.public, self.management()) {
            (Public::Rsa(public), _) => public.ciphertext_size(),
            (Public::Agreement { .. }, KeyManagement::EcdhEs) => 0,
            (Public::Agreement { .. }, _) => key + 8,
        };
        let parts = [encrypted_key, self.encryption.iv_length(), ciphertext, self.encryption.tag_length()];
        let text = |bytes: usize| (bytes * 4).div_ceil(3);
        self.header_length + parts.map(|bytes| 1 + text(bytes)).iter().sum::<usize>()
    }

    /// How long a JWT may be that is to become no longer than so many bytes.
    pub fn room_for_jwt(&self, jwe_bytes: usize) -> usize {
        // Padding makes steps of what would be a line otherwise: first by the line, then back by the step.
        let guess = jwe_bytes.saturating_sub(self.length_of(0)) * 3 / 4 + 16;
        (0..=guess).rev().take(64).find(|bytes| self.length_of(*bytes) <= jwe_bytes).unwrap_or_default()
    }

    fn content_key(&self, entropy: &dyn Entropy) -> Result<ContentKey, Fault> {
        let failed = |_| Fault::Bug("a content key could not be encrypted");
        let (curve, point) = match &self.public {
            Public::Agreement { curve, point } => (*curve, point),
            Public::Rsa(public) => {
                let key = self.random_key(entropy)?;
                let mut encrypted = vec![0; public.ciphertext_size()];
                let length = public
                    .encrypt(&OAEP_SHA256_MGF1SHA256, &key, &mut encrypted, None)
                    .map_err(failed)?
                    .len();
                encrypted.truncate(length);
                return Ok(ContentKey { key, encrypted, header: self.header(None) });
            }
        };
        let ephemeral = PrivateKey::generate(agreement_on(curve)?)
            .map_err(|_| Fault::unavailable("the key generator", "no key could be drawn"))?;
        let epk = ephemeral.compute_public_key().map_err(failed)?;
        let header = self.header(Some(curve.to_jwk(epk.as_ref())));
        let is_direct = self.management() == KeyManagement::EcdhEs;
        let (algorithm, length) = if is_direct {
            (self.encryption.name(), self.encryption.key_length())
        } else {
            (self.management().name(), 32)
        };
        let context = Context { algorithm, ..Context::default() };
        let peer = UnparsedPublicKey::new(agreement_on(curve)?, point);
        let fault = || Fault::Bug("no key could be agreed on with a point that was looked at");
        let agreed = agreement::agree(&ephemeral, peer, fault(), |secret| {
            derive(secret, &context, length).ok_or_else(fault)
        })?;
        if is_direct {
            return Ok(ContentKey { key: agreed, encrypted: Vec::new(), header });
        }
        let key = self.random_key(entropy)?;
        let mut encrypted = vec![0; key.len() + 8];
        AesKek::new(&AES_256, &agreed)
            .and_then(|kek| kek.wrap(&key, &mut encrypted).map(drop))
            .map_err(failed)?;
        Ok(ContentKey { key, encrypted, header })
    }

    fn random_key(&self, entropy: &dyn Entropy) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut key = Zeroizing::new(vec![0; self.encryption.key_length()]);
        entropy.fill(&mut key)?;
        Ok(key)
    }

    /// The header as it is written. `cty` says that a JWT is inside, and `typ` of which kind the whole is (RFC 8725 section 3.11).
    fn header(&self, epk: Option<Value>) -> String {
        let header = json!({
            "alg": self.management().name(),
            "enc": self.encryption.name(),
            "kid": self.key_id().as_str(),
            "typ": TYP,
            "cty": "JWT",
        });
        let mut members = match header {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.extend(epk.map(|epk| ("epk".to_owned(), epk)));
        BASE64URL_NOPAD.encode(Value::Object(members).to_string().as_bytes())
    }

    /// Ciphertext and tag (RFC 7518 section 5).
    fn seal(
        &self,
        key: &[u8],
        iv: &[u8],
        authenticated: &[u8],
        content: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        let sealed = match self.encryption {
            ContentEncryption::A128Gcm => gcm(&AES_128_GCM, key, iv, authenticated, content),
            ContentEncryption::A256Gcm => gcm(&AES_256_GCM, key, iv, authenticated, content),
            ContentEncryption::A256CbcHs512 => cbc_hmac(key, iv, authenticated, content),
            _ => Err(Unspecified),
        };
        sealed.map_err(|_| Fault::Bug("a JWT could not be encrypted"))
    }
}

fn agreement_on(curve: Curve) -> Result<&'static agreement::Algorithm, Fault> {
    match curve {
        Curve::P256 => Ok(&agreement::ECDH_P256),
        Curve::P384 => Ok(&agreement::ECDH_P384),
        Curve::P521 => Ok(&agreement::ECDH_P521),
        Curve::X25519 => Ok(&agreement::X25519),
        _ => Err(Fault::Bug("nothing is agreed on this curve")),
    }
}

fn gcm(
    algorithm: &'static aws_lc_rs::aead::Algorithm,
    key: &[u8],
    iv: &[u8],
    authenticated: &[u8],
    content: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), Unspecified> {
    // The key is used once, so its vector is unique whatever it is.
    let nonce = Nonce::try_assume_unique_for_key(iv)?;
    let mut ciphertext = content.to_vec();
    let tag = LessSafeKey::new(UnboundKey::new(algorithm, key)?).seal_in_place_separate_tag(
        nonce,
        Aad::from(authenticated),
        &mut ciphertext,
    )?;
    Ok((ciphertext, tag.as_ref().to_vec()))
}

fn cbc_hmac(
    key: &[u8],
    iv: &[u8],
    authenticated: &[u8],
    content: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), Unspecified> {
    let (mac_key, encryption_key) = key.split_at_checked(32).ok_or(Unspecified)?;
    let context =
        EncryptionContext::Iv128(FixedLength::from(<[u8; 16]>::try_from(iv).map_err(|_| Unspecified)?));
    let mut ciphertext = content.to_vec();
    let key = UnboundCipherKey::new(&cipher::AES_256, encryption_key)?;
    PaddedBlockEncryptingKey::cbc_pkcs7(key)?.less_safe_encrypt(&mut ciphertext, context)?;
    let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, mac_key));
    mac.update(authenticated);
    mac.update(iv);
    mac.update(&ciphertext);
    mac.update(&(u64::try_from(authenticated.len()).map_err(|_| Unspecified)? * 8).to_be_bytes());
    let tag = mac.sign().as_ref().get(..32).ok_or(Unspecified)?.to_vec();
    Ok((ciphertext, tag))
}

/// What it is, of which nothing is secret.
impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey")
            .field("key_id", self.key_id())
            .field("management", &self.management())
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}
