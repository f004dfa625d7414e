//! Keys that decrypt, each by one algorithm. They come in as JWKs and never leave: nothing here shows or writes one.
//! In: a private or shared JWK. Out: the content of a token that was encrypted to it.

use std::sync::Arc;

use aws_lc_rs::{
    agreement::{self, PrivateKey, UnparsedPublicKey},
    encoding::{AsDer, Pkcs8V1Der},
    key_wrap::{AES_256, AesKek, KeyWrap},
    rsa::{
        KeyPair, KeyPairComponents, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
        PublicKeyComponents,
    },
};
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::{
    ContentEncryption, Curve, KeyManagement, PublicHalf, RecipientKey,
    compact::Jwe,
    content,
    curve::coordinate,
    derive::{Context, derive, expand},
    jwk::{Common, Half},
};
use crate::{
    hygiene,
    jwk::{MAX_JWK_BYTES, PRIVATE_MEMBERS, bytes},
    key::KeyId,
    key_reject::KeyReject,
    key_set::MAX_KEYS,
    reject::{MemberFault, Reject},
    strict_json::{self, Limits},
};

/// A key that decrypts what was encrypted to it, by one algorithm. What is secret of it is overwritten when it is dropped.
///
/// It cannot be shown:
///
/// ```compile_fail,E0277
/// # use vestibule_verify::jwe::DecryptionKey;
/// fn show(key: &DecryptionKey) {
///     println!("{key:?}");
/// }
/// ```
pub struct DecryptionKey {
    key_id: Option<KeyId>,
    management: KeyManagement,
    secret: Secret,
    /// Makes the keys that stand in for content keys that could not be unwrapped. Nobody knows it but this key.
    decoy: Zeroizing<Vec<u8>>,
    recipient: Option<RecipientKey>,
}

enum Secret {
    Agreement { curve: Curve, private: PrivateKey },
    Rsa(OaepPrivateDecryptingKey),
    Wrap(Zeroizing<Vec<u8>>),
    Content { key: Zeroizing<Vec<u8>>, encryption: ContentEncryption },
}

impl DecryptionKey {
    /// Imports a private or shared JWK from its text, by strict JSON rules. It has an `alg`; without `kid` a private key is named by the
    /// RFC 7638 thumbprint of its public half, and a shared one has no name.
    ///
    /// The text is the caller's to overwrite; what is copied of it here is overwritten.
    ///
    /// # Errors
    /// The first rule the JWK breaks.
    pub fn from_jwk_text(jwk: &str) -> Result<Self, KeyReject> {
        let limits = Limits { bytes: MAX_JWK_BYTES, ..Limits::JOSE };
        let mut members = strict_json::parse_object(jwk.as_bytes(), limits).map_err(KeyReject::KeyJson)?;
        let key = Self::read(&members);
        overwrite(&mut members);
        key
    }

    fn read(members: &Map<String, Value>) -> Result<Self, KeyReject> {
        let common = Common::read(members, Half::Private)?;
        if common.management.is_symmetric() {
            return Self::shared(members, common);
        }
        let recipient = RecipientKey::read(members, Half::Private)?;
        let private = Zeroizing::new(bytes(members, "d")?);
        let secret = match recipient.public() {
            PublicHalf::Agreement { curve, point } => {
                coordinate(members, "d", *curve).map(Zeroizing::new)?;
                agreement_key(*curve, point, &private)?
            }
            PublicHalf::Rsa { n, e } => rsa_key(members, n, e, &private)?,
        };
        Ok(Self {
            key_id: Some(recipient.key_id().clone()),
            management: common.management,
            secret,
            decoy: decoy(&private)?,
            recipient: Some(recipient),
        })
    }

    fn shared(members: &Map<String, Value>, common: Common) -> Result<Self, KeyReject> {
        let key = Zeroizing::new(bytes(members, "k")?);
        let decoy = decoy(&key)?;
        hygiene::variety(&key)?;
        let secret = if common.management == KeyManagement::A256Kw {
            if key.len() != 32 {
                return Err(KeyReject::Length("k"));
            }
            Secret::Wrap(key)
        } else {
            // Of those that are taken no two have keys of one length.
            let fits = |encryption: &ContentEncryption| encryption.key_length() == key.len();
            let encryption = ContentEncryption::ALL.into_iter().find(fits);
            match encryption {
                Some(encryption) if common.encryption.is_none_or(|named| named == encryption) => {
                    Secret::Content { key, encryption }
                }
                _ => return Err(KeyReject::Length("k")),
            }
        };
        Ok(Self { key_id: common.key_id, management: common.management, secret, decoy, recipient: None })
    }

    /// The key's name, if it has one.
    #[must_use]
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// How content keys reach it.
    #[must_use]
    pub fn management(&self) -> KeyManagement {
        self.management
    }

    /// The public half, for who encrypts; `None` for a shared key.
    #[must_use]
    pub fn recipient(&self) -> Option<&RecipientKey> {
        self.recipient.as_ref()
    }

    pub(super) fn decrypt(&self, jwe: &Jwe<'_>) -> Result<Vec<u8>, Reject> {
        if jwe.header.management != self.management {
            return Err(Reject::AlgorithmMismatch);
        }
        let length = jwe.header.encryption.key_length();
        let wrapping = match &self.secret {
            Secret::Agreement { curve, private } => {
                let key = agreed(*curve, private, jwe)?;
                if self.management == KeyManagement::EcdhEs {
                    return content::open(&key, jwe);
                }
                Wrapping::Aes(key)
            }
            Secret::Content { key, encryption } if *encryption == jwe.header.encryption => {
                return content::open(key, jwe);
            }
            Secret::Content { .. } => return Err(Reject::AlgorithmMismatch),
            Secret::Wrap(key) => Wrapping::Aes(key.clone()),
            Secret::Rsa(key) if key.key_size_bytes() == jwe.encrypted_key.len() => Wrapping::Rsa(key),
            Secret::Rsa(_) => return Err(Reject::Length),
        };
        let unwrapped = wrapping.unwrap(&jwe.encrypted_key, length);
        let is_good = unwrapped.is_some();
        let decoy = expand(&self.decoy, &jwe.encrypted_key, length).ok_or(Reject::Decryption)?;
        let opened = content::open(&unwrapped.unwrap_or(decoy), jwe);
        if is_good { opened } else { Err(Reject::Decryption) }
    }
}

/// What unwraps a content key.
enum Wrapping<'a> {
    Aes(Zeroizing<Vec<u8>>),
    Rsa(&'a OaepPrivateDecryptingKey),
}

impl Wrapping<'_> {
    /// A content key of exactly this length.
    fn unwrap(&self, encrypted: &[u8], length: usize) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(vec![0; encrypted.len()]);
        let key = match self {
            Self::Aes(key) => AesKek::new(&AES_256, key).and_then(|kek| kek.unwrap(encrypted, &mut buffer)),
            Self::Rsa(key) => key.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted, &mut buffer, None),
        };
        key.ok().filter(|key| key.len() == length).map(|key| Zeroizing::new(key.to_vec()))
    }
}

/// The key that sender and recipient agree on: the content key, or the one that wraps it.
fn agreed(curve: Curve, private: &PrivateKey, jwe: &Jwe<'_>) -> Result<Zeroizing<Vec<u8>>, Reject> {
    let fault = |reason| Reject::Header { member: "epk", reason };
    let agreement = jwe.header.agreement.as_ref().ok_or(fault(MemberFault::Missing))?;
    if agreement.epk.curve != curve {
        return Err(fault(MemberFault::Mismatch));
    }
    let (encryption, management) = (jwe.header.encryption, jwe.header.management);
    let (algorithm, length) = match management {
        KeyManagement::EcdhEs => (encryption.name(), encryption.key_length()),
        _ => (management.name(), 32),
    };
    let context = Context { algorithm, sender: &agreement.apu, recipient: &agreement.apv };
    // Fails for points that are not on the curve, and for a secret of zeros (RFC 8037 section 2, RFC 7748 section 6.1).
    let epk = UnparsedPublicKey::new(curve.agreement(), &agreement.epk.bytes);
    agreement::agree(private, epk, fault(MemberFault::OutOfRange), |secret| {
        derive(secret, &context, length).ok_or(Reject::Decryption)
    })
}

fn agreement_key(curve: Curve, point: &[u8], private: &[u8]) -> Result<Secret, KeyReject> {
    let private =
        PrivateKey::from_private_key(curve.agreement(), private).map_err(|_| KeyReject::Encoding("d"))?;
    let public = private.compute_public_key().map_err(|_| KeyReject::HalvesMismatch)?;
    if public.as_ref() != point {
        return Err(KeyReject::HalvesMismatch);
    }
    Ok(Secret::Agreement { curve, private })
}

fn rsa_key(members: &Map<String, Value>, n: &[u8], e: &[u8], d: &[u8]) -> Result<Secret, KeyReject> {
    if members.contains_key("oth") {
        return Err(KeyReject::RsaModulus);
    }
    let private = |member| bytes(members, member).map(Zeroizing::new);
    let (p, q, dp, dq, qi) = (private("p")?, private("q")?, private("dp")?, private("dq")?, private("qi")?);
    let components = KeyPairComponents {
        public_key: PublicKeyComponents { n, e },
        d,
        p: p.as_slice(),
        q: q.as_slice(),
        dP: dp.as_slice(),
        dQ: dq.as_slice(),
        qInv: qi.as_slice(),
    };
    let pair = KeyPair::from_components(&components).map_err(|_| KeyReject::HalvesMismatch)?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyReject::HalvesMismatch)?;
    PrivateDecryptingKey::from_pkcs8(der.as_ref())
        .ok()
        .and_then(|key| OaepPrivateDecryptingKey::new(key).ok())
        .map(Secret::Rsa)
        .ok_or(KeyReject::HalvesMismatch)
}

fn decoy(secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyReject> {
    expand(secret, b"stands in for content keys", 32).ok_or(KeyReject::SecretTooShort)
}

/// Overwrites what is secret of a JWK.
fn overwrite(members: &mut Map<String, Value>) {
    for member in PRIVATE_MEMBERS.iter().chain(&["k"]) {
        if let Some(Value::String(text)) = members.get_mut(*member) {
            text.zeroize();
        }
    }
}

/// The keys of one recipient, each under its own name. Cheap to clone.
#[derive(Clone)]
pub struct DecryptionKeys(Arc<[DecryptionKey]>);

impl DecryptionKeys {
    /// Gathers keys.
    ///
    /// # Errors
    /// [`KeyReject::NoUsableKey`], [`KeyReject::SetTooLarge`], [`KeyReject::KeyIdDuplicate`].
    pub fn new(keys: impl IntoIterator<Item = DecryptionKey>) -> Result<Self, KeyReject> {
        let keys: Vec<DecryptionKey> = keys.into_iter().take(MAX_KEYS + 1).collect();
        if keys.is_empty() {
            return Err(KeyReject::NoUsableKey);
        }
        if keys.len() > MAX_KEYS {
            return Err(KeyReject::SetTooLarge);
        }
        let mut names: Vec<_> = keys.iter().map(DecryptionKey::key_id).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != keys.len() {
            return Err(KeyReject::KeyIdDuplicate);
        }
        Ok(Self(keys.into()))
    }

    /// One JWK, as from a file; for more than one read each with [`DecryptionKey::from_jwk_text`].
    ///
    /// # Errors
    /// The first rule the JWK breaks.
    pub fn from_text(jwk: &str) -> Result<Self, KeyReject> {
        Self::new([DecryptionKey::from_jwk_text(jwk)?])
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &DecryptionKey> {
        self.0.iter()
    }

    pub(super) fn pick(&self, key_id: Option<&str>) -> Result<&DecryptionKey, Reject> {
        match (key_id, &*self.0) {
            (None, [key]) => Some(key),
            (None, _) => None,
            (Some(name), keys) => {
                keys.iter().find(|key| key.key_id().is_some_and(|own| own.as_str() == name))
            }
        }
        .ok_or(Reject::DecryptionKeyUnknown)
    }
}
