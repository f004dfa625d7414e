use vestibule_verify::jwe::{DecryptionKeys, Policy, decrypt, header};

use super::*;
use crate::testing::CountingEntropy;

/// Foreign keys of every algorithm and curve.
#[expect(dead_code, reason = "here it only makes keys")]
#[path = "../../../../tests/forge/sealer.rs"]
mod sealer;

use sealer::{MANAGEMENTS, Sealer};

fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn each(mut test: impl FnMut(&EncryptionKey, &DecryptionKeys)) {
    let mut count = 0;
    for (alg, crv) in MANAGEMENTS.into_iter().filter(|(alg, _)| *alg != "dir" && *alg != "A256KW") {
        let sealer = Sealer::generate(alg, crv, "");
        let keys = DecryptionKeys::from_text(&sealer.private_jwk().to_string()).unwrap();
        for encryption in ContentEncryption::ALL {
            let public = sealer.public_jwk().to_string();
            test(&EncryptionKey::from_jwk_text(&public, encryption).unwrap(), &keys);
            count += 1;
        }
    }
    assert_eq!(count, 27);
}

#[test]
fn what_is_encrypted_here_is_decrypted_there() {
    each(|key, keys| {
        let entropy = CountingEntropy::default();
        let jwe = key.encrypt("a.signed.jwt", &entropy).unwrap();
        assert_eq!(decrypt(&jwe, keys, &Policy::NESTED).as_deref(), Ok(&b"a.signed.jwt"[..]), "{key:?}");
        let header = header(&jwe).unwrap();
        let said = ["alg", "enc", "kid", "typ", "cty"].map(|member| header[member].as_str().unwrap());
        let meant =
            [key.management().name(), key.encryption().name(), key.key_id().as_str(), "at+jwt", "JWT"];
        assert_eq!(said, meant);
        let again = key.encrypt("a.signed.jwt", &entropy).unwrap();
        let changing = |jwe: &str| jwe.split('.').map(str::to_owned).collect::<Vec<_>>();
        for (at, (one, other)) in changing(&jwe).iter().zip(&changing(&again)).enumerate() {
            // What says by whom and by what is the same, where nothing is made to agree with; and an empty part is empty.
            let is_fixed = if key.management().is_agreement() { one.is_empty() } else { at == 0 };
            assert_eq!(one == other, is_fixed, "part {at}: {key:?}");
        }
    });
}

/// What a JWT becomes is known before it is made, to the byte.
#[test]
fn lengths_are_exact() {
    each(|key, _| {
        for length in [0, 1, 15, 16, 17, 700, 4096] {
            let jwe = key.encrypt(&"x".repeat(length), &CountingEntropy::default()).unwrap();
            assert_eq!(key.length_of(length), jwe.len(), "{key:?}: {length}");
        }
        for largest in (2000..2100).chain([4096, 8192]) {
            let room = key.room_for_jwt(largest);
            assert!(
                key.length_of(room) <= largest && key.length_of(room + 1) > largest,
                "{key:?}: {largest}"
            );
        }
        assert_eq!(key.room_for_jwt(100), 0);
    });
}

#[test]
fn a_key_that_is_no_audiences_is_refused() {
    for (jwk, expected) in [
        (r#"{"kty":"oct","alg":"A256KW","k":"AAAA"}"#.to_owned(), KeyReject::Symmetric),
        (Sealer::generate("ECDH-ES", "P-256", "").private_jwk().to_string(), KeyReject::PrivateMaterial),
        (r#"{"kty":"RSA","alg":"RSA-OAEP-256","n":"AQAB","e":"AQAB"}"#.to_owned(), KeyReject::RsaTooSmall),
    ] {
        assert_eq!(EncryptionKey::from_jwk_text(&jwk, DEFAULT_ENCRYPTION).err(), Some(expected));
    }
}
