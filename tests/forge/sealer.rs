//! The keys a forge encrypts to, and encryption by the rules and against them.
//! In: an algorithm's name and a curve's. Out: keys as JWKs, and tokens whose every part can be chosen.

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{self, PrivateKey, UnparsedPublicKey},
    cipher::{self, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    digest::{self, SHA256},
    encoding::{AsBigEndian, AsDer, Curve25519SeedBin, EcPrivateKeyBin, Pkcs8V1Der},
    hmac,
    iv::FixedLength,
    key_wrap::{AES_256, AesKek, KeyWrap},
    rand,
    rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PrivateDecryptingKey},
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use super::base64;

/// The algorithms and, where they agree on a key, the curves that are taken.
pub(crate) const MANAGEMENTS: [(&str, &str); 11] = [
    ("ECDH-ES", "P-256"),
    ("ECDH-ES", "P-384"),
    ("ECDH-ES", "P-521"),
    ("ECDH-ES", "X25519"),
    ("ECDH-ES+A256KW", "P-256"),
    ("ECDH-ES+A256KW", "P-384"),
    ("ECDH-ES+A256KW", "P-521"),
    ("ECDH-ES+A256KW", "X25519"),
    ("RSA-OAEP-256", ""),
    ("A256KW", ""),
    ("dir", ""),
];

/// The encryptions that are taken.
pub(crate) const ENCRYPTIONS: [&str; 3] = ["A128GCM", "A256GCM", "A256CBC-HS512"];

/// A recipient's key pair, or a shared key.
pub(crate) struct Sealer {
    alg: String,
    private: Value,
    key: Key,
}

enum Key {
    Agreement { curve: &'static agreement::Algorithm, point: Vec<u8> },
    Rsa(Box<OaepPublicEncryptingKey>),
    Shared(Vec<u8>),
}

/// A token before it is written: the parts, decoded.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) header: String,
    pub(crate) encrypted_key: Vec<u8>,
    pub(crate) iv: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
    pub(crate) tag: Vec<u8>,
}

impl Parts {
    pub(crate) fn text(&self) -> String {
        let Self { header, encrypted_key, iv, ciphertext, tag } = self;
        let [key, iv, text, tag] = [encrypted_key, iv, ciphertext, tag].map(base64);
        format!("{}.{key}.{iv}.{text}.{tag}", base64(header))
    }
}

impl Sealer {
    /// A fresh key. A key for `dir` has the length that `enc` asks for; for others `enc` does not matter.
    pub(crate) fn generate(alg: &str, crv: &str, enc: &str) -> Self {
        let (mut private, key) = match alg {
            "RSA-OAEP-256" => rsa(),
            "A256KW" | "dir" => {
                let key = random(if alg == "dir" { key_length(enc) } else { 32 });
                (json!({ "kty": "oct", "k": base64(&key) }), Key::Shared(key))
            }
            _ => agreed(crv),
        };
        private["alg"] = json!(alg);
        private["kid"] = json!(format!("{alg}-{crv}"));
        private["use"] = json!("enc");
        Self { alg: alg.to_owned(), private, key }
    }

    /// To a P-256 key whose private half is somebody else's: any published one will do, those that verify signatures as well.
    pub(crate) fn to(jwk: &Value) -> Self {
        let bytes = |member: &str| BASE64URL_NOPAD.decode(jwk[member].as_str().unwrap().as_bytes()).unwrap();
        let point = [vec![4], bytes("x"), bytes("y")].concat();
        let key = Key::Agreement { curve: &agreement::ECDH_P256, point };
        Self { alg: "ECDH-ES".to_owned(), private: json!({ "kid": jwk["kid"] }), key }
    }

    /// The whole JWK.
    pub(crate) fn private_jwk(&self) -> Value {
        self.private.clone()
    }

    /// The JWK without what is private of it.
    pub(crate) fn public_jwk(&self) -> Value {
        let mut jwk = self.private.clone();
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            jwk.as_object_mut().unwrap().remove(member);
        }
        jwk
    }

    /// The header of a nested token.
    pub(crate) fn header(&self, enc: &str) -> Map<String, Value> {
        let header = json!({ "alg": self.alg, "enc": enc, "kid": self.private["kid"], "cty": "JWT" });
        header.as_object().unwrap().clone()
    }

    /// A nested token.
    pub(crate) fn seal(&self, jwt: &str, enc: &str) -> String {
        self.parts(&self.header(enc), jwt.as_bytes()).text()
    }

    /// Encrypts anything under any header; to an `epk` that is missing one is added.
    pub(crate) fn parts(&self, header: &Map<String, Value>, content: &[u8]) -> Parts {
        let enc = header["enc"].as_str().unwrap();
        let mut header = header.clone();
        let (content_key, encrypted_key) = match &self.key {
            Key::Shared(key) if self.alg == "dir" => (key.clone(), Vec::new()),
            Key::Shared(key) => wrapped(key, enc),
            Key::Rsa(key) => {
                let content_key = random(key_length(enc));
                let mut buffer = vec![0; key.ciphertext_size()];
                let encrypted =
                    key.encrypt(&OAEP_SHA256_MGF1SHA256, &content_key, &mut buffer, None).unwrap().to_vec();
                (content_key, encrypted)
            }
            Key::Agreement { curve, point } => {
                let ephemeral = PrivateKey::generate(curve).unwrap();
                let epk = public_members(curve, ephemeral.compute_public_key().unwrap().as_ref());
                header.entry("epk").or_insert(epk);
                let peer = UnparsedPublicKey::new(curve, point);
                let secret = agreement::agree(&ephemeral, peer, (), |secret| Ok(secret.to_vec())).unwrap();
                if self.alg == "ECDH-ES" {
                    (concat_kdf(&secret, enc, &header, key_length(enc)), Vec::new())
                } else {
                    wrapped(&concat_kdf(&secret, &self.alg, &header, 32), enc)
                }
            }
        };
        let header = serde_json::to_string(&header).unwrap();
        encrypt(enc, &content_key, header, encrypted_key, content)
    }
}

/// Encrypts with a content key that is known.
pub(crate) fn encrypt(
    enc: &str,
    key: &[u8],
    header: String,
    encrypted_key: Vec<u8>,
    content: &[u8],
) -> Parts {
    let authenticated = base64(&header);
    if enc != "A256CBC-HS512" {
        let algorithm = if enc == "A128GCM" { &AES_128_GCM } else { &AES_256_GCM };
        let iv = random(12);
        let nonce = Nonce::try_assume_unique_for_key(&iv).unwrap();
        let mut ciphertext = content.to_vec();
        let tag = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap())
            .seal_in_place_separate_tag(nonce, Aad::from(authenticated.as_bytes()), &mut ciphertext)
            .unwrap();
        return Parts { header, encrypted_key, iv, ciphertext, tag: tag.as_ref().to_vec() };
    }
    let (mac_key, encryption_key) = key.split_at(32);
    let iv = random(16);
    let mut ciphertext = content.to_vec();
    let key = UnboundCipherKey::new(&cipher::AES_256, encryption_key).unwrap();
    let context = EncryptionContext::Iv128(FixedLength::from(<[u8; 16]>::try_from(iv.as_slice()).unwrap()));
    PaddedBlockEncryptingKey::cbc_pkcs7(key).unwrap().less_safe_encrypt(&mut ciphertext, context).unwrap();
    let length = (authenticated.len() as u64 * 8).to_be_bytes();
    let input = [authenticated.as_bytes(), &iv, &ciphertext, &length].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, mac_key), &input);
    Parts { header, encrypted_key, iv, ciphertext, tag: tag.as_ref()[..32].to_vec() }
}

/// Length of a content key.
pub(crate) fn key_length(enc: &str) -> usize {
    match enc {
        "A128GCM" => 16,
        "A256GCM" => 32,
        _ => 64,
    }
}

#[expect(clippy::disallowed_methods, reason = "the forge needs no port to be deterministic by")]
fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes).unwrap();
    bytes
}

fn wrapped(key: &[u8], enc: &str) -> (Vec<u8>, Vec<u8>) {
    let content_key = random(key_length(enc));
    let mut buffer = vec![0; content_key.len() + 8];
    let encrypted = AesKek::new(&AES_256, key).unwrap().wrap(&content_key, &mut buffer).unwrap().to_vec();
    (content_key, encrypted)
}

/// RFC 7518 section 4.6.2, written out.
fn concat_kdf(secret: &[u8], algorithm: &str, header: &Map<String, Value>, length: usize) -> Vec<u8> {
    let party = |member: &str| {
        let text = header.get(member).and_then(Value::as_str).unwrap_or_default();
        BASE64URL_NOPAD.decode(text.as_bytes()).unwrap_or_default()
    };
    let mut info = Vec::new();
    for part in [algorithm.as_bytes().to_vec(), party("apu"), party("apv")] {
        info.extend((part.len() as u32).to_be_bytes());
        info.extend(part);
    }
    info.extend((length as u32 * 8).to_be_bytes());
    let rounds = (1_u32..).map(|round| {
        let input = [&round.to_be_bytes(), secret, &info].concat();
        digest::digest(&SHA256, &input).as_ref().to_vec()
    });
    let mut key: Vec<u8> = rounds.take(length.div_ceil(32)).flatten().collect();
    key.truncate(length);
    key
}

fn agreed(crv: &str) -> (Value, Key) {
    let curve = match crv {
        "P-256" => &agreement::ECDH_P256,
        "P-384" => &agreement::ECDH_P384,
        "P-521" => &agreement::ECDH_P521,
        "X25519" => &agreement::X25519,
        other => panic!("no curve {other}"),
    };
    let private = PrivateKey::generate(curve).unwrap();
    let point = private.compute_public_key().unwrap().as_ref().to_vec();
    let mut jwk = public_members(curve, &point);
    jwk["d"] = if crv == "X25519" {
        let seed: Curve25519SeedBin<'_> = private.as_be_bytes().unwrap();
        json!(base64(seed.as_ref()))
    } else {
        let scalar: EcPrivateKeyBin<'_> = private.as_be_bytes().unwrap();
        json!(base64(scalar.as_ref()))
    };
    (jwk, Key::Agreement { curve, point })
}

fn public_members(curve: &'static agreement::Algorithm, point: &[u8]) -> Value {
    let crv = match point.len() {
        32 => return json!({ "kty": "OKP", "crv": "X25519", "x": base64(point) }),
        65 => "P-256",
        97 => "P-384",
        133 => "P-521",
        _ => panic!("no point of {curve:?}"),
    };
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({ "kty": "EC", "crv": crv, "x": base64(x), "y": base64(y) })
}

fn rsa() -> (Value, Key) {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = private.as_der().unwrap();
    let integers = integers(der.as_ref());
    let names = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
    let mut jwk = json!({ "kty": "RSA" });
    for (name, integer) in names.into_iter().zip(&integers) {
        jwk[name] = json!(base64(integer));
    }
    let key = OaepPublicEncryptingKey::new(private.public_key()).unwrap();
    (jwk, Key::Rsa(Box::new(key)))
}

/// The integers of an RSAPrivateKey (n, e, d, p, q, dP, dQ, qInv) inside of a PrivateKeyInfo, without leading zeros.
fn integers(der: &[u8]) -> Vec<Vec<u8>> {
    let (_, info, _) = element(der);
    let (_, _, rest) = element(info);
    let (_, _, rest) = element(rest);
    let (_, octets, _) = element(rest);
    let (_, mut rest, _) = element(octets);
    let mut integers = Vec::new();
    while !rest.is_empty() {
        let (_, integer, after) = element(rest);
        integers.push(integer.iter().copied().skip_while(|byte| *byte == 0).collect());
        rest = after;
    }
    integers.split_off(1)
}

/// Tag, content and what follows.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, from) = match der[1] {
        short @ 0..0x80 => (usize::from(short), 2),
        long => {
            let bytes = usize::from(long & 0x7f);
            (der[2..2 + bytes].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), 2 + bytes)
        }
    };
    (der[0], &der[from..from + length], &der[from + length..])
}
