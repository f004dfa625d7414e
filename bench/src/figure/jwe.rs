//! What it costs to read a JWT that is encrypted, beside the bare work of the cryptographic library: to agree on the key, to derive it, to
//! unwrap it, to open the content. In: signed JWTs, encrypted as the minter does. Out: ratios and microseconds.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use vestibule_core::encrypt::{DEFAULT_ENCRYPTION, EncryptionKey};
use vestibule_core::key::{KeyPurpose, RecipientPair};
use vestibule_core::port::Clock;
use vestibule_verify::jwe::{Curve, DecryptionKeys, KeyManagement, Policy, decrypt};
use vestibule_verify::{Algorithm, Verifier};

use crate::Scale;
use crate::app::{ORIGIN, ring};
use crate::figure::verify::claims;
use crate::host::{HeldClock, SystemEntropy};
use crate::report::{Progress, Row, Unit};
use crate::sample::Median;

const FIGURE: &str = "jwe";
const JWTS: u64 = 500;
const ROUNDS: usize = 21;
const PROMISED: f64 = 1.2;
const PROMISED_AGAIN: f64 = 5000.0;

pub(crate) fn measure(scale: Scale) -> Result<Vec<Row>> {
    let kinds = [
        (KeyManagement::EcdhEs, Curve::P256),
        (KeyManagement::EcdhEs, Curve::X25519),
        (KeyManagement::EcdhEsA256Kw, Curve::P256),
    ];
    let progress = Progress::of("decrypting", kinds.len() as u64);
    let mut rows = Vec::new();
    for (management, curve) in kinds {
        rows.extend(of(management, curve, scale)?);
        progress.step(1);
    }
    Ok(rows)
}

fn of(management: KeyManagement, curve: Curve, scale: Scale) -> Result<Vec<Row>> {
    let now = HeldClock::new().now();
    let ring = ring(Algorithm::Es256, now)?;
    let signer = ring.signer(KeyPurpose::Services, now)?;
    let jwts: Vec<String> = (0..scale.of(JWTS))
        .map(|number| signer.sign_jwt(&claims(number, now.unix_seconds())))
        .collect::<Result<_, _>>()?;
    let pair = RecipientPair::generate(management, curve)?;
    let key = EncryptionKey::from_jwk_text(&pair.public_jwk, DEFAULT_ENCRYPTION)?;
    let mut jwes = Vec::new();
    let encrypting = each(&jwts, |jwt| {
        jwes.push(key.encrypt(jwt, &SystemEntropy)?);
        Ok(())
    })?;
    let bare_parts: Vec<Bare> = jwes.iter().map(|jwe| Bare::of(jwe, curve)).collect::<Result<_>>()?;
    let private = private(&pair, curve)?;
    let keys = DecryptionKeys::from_text(&pair.private_jwk)?;
    let (mut bare, mut whole, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(each(&bare_parts, |parts| parts.open(&private, curve, management))?);
        whole.push(each(&jwes, |jwe| {
            decrypt(jwe, &keys, &Policy::NESTED).map_err(|reject| anyhow!("refused: {reject}"))
        })?);
        let verifier = Verifier::new(ORIGIN, "orders", ring.published(now)?).nested(keys.clone());
        let verify = || {
            each(&jwes, |jwe| {
                let verified = verifier.verify_at(jwe, now.unix_seconds());
                verified.map_err(|reject| anyhow!("a good JWT was refused: {reject}"))
            })
        };
        verify()?;
        again.push(verify()?);
    }
    let name = format!("{management}, {}", curve.name());
    let length = jwes.first().map_or(0, String::len);
    let time = |what: &str, times: &[f64]| {
        Row::new(FIGURE, format!("{name}: {what}"), Median::of_rounds(times), Unit::Nanoseconds)
    };
    let ratio = Median::of_ratios(&whole, &bare);
    Ok(vec![
        Row::new(FIGURE, format!("{name}: decrypting ÷ its steps alone"), ratio, Unit::Ratio)
            .at_most(PROMISED)
            .note(format!("{DEFAULT_ENCRYPTION}, {length} bytes")),
        time("its steps alone", &bare),
        time("second sight, nested", &again).at_most(PROMISED_AGAIN),
        time("encrypting, once per minting", &[encrypting]),
    ])
}

/// What the cryptographic library gets, with everything read and decoded.
struct Bare {
    epk: Vec<u8>,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
    authenticated: String,
}

impl Bare {
    fn of(jwe: &str, curve: Curve) -> Result<Self> {
        let parts: Vec<&str> = jwe.split('.').collect();
        let &[header, encrypted_key, iv, ciphertext, tag] = parts.as_slice() else {
            return Err(anyhow!("not five parts"));
        };
        let decode = |text: &str| anyhow::Ok(BASE64URL_NOPAD.decode(text.as_bytes())?);
        let members: Value = serde_json::from_slice(&decode(header)?)?;
        let coordinate = |member: &str| decode(text(members.get("epk").context("no epk")?, member)?);
        let epk = match curve {
            Curve::X25519 => coordinate("x")?,
            _ => [vec![4], coordinate("x")?, coordinate("y")?].concat(),
        };
        Ok(Self {
            epk,
            encrypted_key: decode(encrypted_key)?,
            iv: decode(iv)?,
            ciphertext: decode(ciphertext)?,
            tag: decode(tag)?,
            authenticated: header.to_owned(),
        })
    }

    fn open(&self, private: &PrivateKey, curve: Curve, management: KeyManagement) -> Result<Vec<u8>> {
        let failed = || anyhow!("the library did not open what was encrypted for it");
        let is_direct = management == KeyManagement::EcdhEs;
        let algorithm = if is_direct { DEFAULT_ENCRYPTION.name() } else { management.name() };
        let sha256 = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).context("no SHA-256")?;
        let mut info = Vec::new();
        info.extend(u32::try_from(algorithm.len())?.to_be_bytes());
        info.extend(algorithm.bytes().chain([0; 8]).chain(256_u32.to_be_bytes()));
        let peer = UnparsedPublicKey::new(on(curve)?, &self.epk);
        let mut key = agreement::agree(private, peer, failed(), |secret| {
            let mut key = vec![0; 32];
            sskdf_digest(sha256, secret, &info, &mut key).map_err(|_| failed())?;
            Ok(key)
        })?;
        if !is_direct {
            let mut buffer = vec![0; self.encrypted_key.len()];
            let kek = AesKek::new(&AES_256, &key).map_err(|_| failed())?;
            key = kek.unwrap(&self.encrypted_key, &mut buffer).map_err(|_| failed())?.to_vec();
        }
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(|_| failed())?);
        let nonce = Nonce::try_assume_unique_for_key(&self.iv).map_err(|_| failed())?;
        let mut content = vec![0; self.ciphertext.len()];
        let aad = Aad::from(self.authenticated.as_bytes());
        key.open_separate_gather(nonce, aad, &self.ciphertext, &self.tag, &mut content)
            .map_err(|_| failed())?;
        Ok(content)
    }
}

fn private(pair: &RecipientPair, curve: Curve) -> Result<PrivateKey> {
    let jwk: Value = serde_json::from_str(&pair.private_jwk)?;
    let bytes = BASE64URL_NOPAD.decode(text(&jwk, "d")?.as_bytes())?;
    PrivateKey::from_private_key(on(curve)?, &bytes).map_err(|_| anyhow!("the library refuses our key"))
}

fn on(curve: Curve) -> Result<&'static agreement::Algorithm> {
    match curve {
        Curve::P256 => Ok(&agreement::ECDH_P256),
        Curve::X25519 => Ok(&agreement::X25519),
        other => Err(anyhow!("{} is not measured", other.name())),
    }
}

fn text<'a>(jwk: &'a Value, member: &str) -> Result<&'a str> {
    jwk.get(member).and_then(Value::as_str).with_context(|| format!("no {member} in the JWK"))
}

/// Nanoseconds for each item of one pass over all.
fn each<T, U>(items: &[T], mut work: impl FnMut(&T) -> Result<U>) -> Result<f64> {
    let started = Instant::now();
    for item in items {
        black_box(work(item)?);
    }
    Ok(started.elapsed().as_nanos() as f64 / items.len() as f64)
}
