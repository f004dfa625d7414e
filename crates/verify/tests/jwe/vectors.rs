//! The examples of the standards, and every combination there and back.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use vestibule_verify::{
    Reject,
    jwe::{Context, DecryptionKeys, Policy, decrypt, derive},
};

use crate::{CONTENT, code, common::forge::sealer::encrypt, every, keys};

#[test]
fn what_was_encrypted_is_decrypted() {
    let mut count = 0;
    every(|sealer, enc| {
        for content in [&b""[..], b"x", CONTENT, &[7; 16], &[7; 5000]] {
            let jwe = sealer.parts(&sealer.header(enc), content).text();
            assert_eq!(decrypt(&jwe, &keys(sealer), &Policy::NESTED).as_deref(), Ok(content), "{jwe}");
            count += 1;
        }
    });
    assert_eq!(count, 33 * 5);
}

/// RFC 7520 section 5.6; the key's `alg` there is the encryption.
#[test]
fn rfc_7520_direct_encryption() {
    let jwk = r#"{"kty":"oct","kid":"77c7e2b8-6e13-45cf-8672-617b5b45243a","use":"enc","alg":"A128GCM","k":"XctOhJAkA-pD9Lh7ZgW_2A"}"#;
    let jwe = "eyJhbGciOiJkaXIiLCJraWQiOiI3N2M3ZTJiOC02ZTEzLTQ1Y2YtODY3Mi02MTdiNWI0NTI0M2EiLCJlbmMiOiJBMTI4R0NNIn0..refa467QzzKx6QAB.JW_i_f52hww_ELQPGaYyeAB6HYGcR559l9TYnSovc23XJoBcW29rHP8yZOZG7YhLpT1bjFuvZPjQS-m0IFtVcXkZXdH_lr_FrdYt9HRUYkshtrMmIUAyGmUnd9zMDB2n0cRDIHAzFVeJUDxkUwVAE7_YGRPdcqMyiBoCO-FBdE-Nceb4h3-FtBP-c_BIwCPTjb9o0SbdcdREEMJMyZBH8ySWMVi1gPD9yxi-aQpGbSv_F9N4IZAxscj5g-NJsUPbjk29-s7LJAGb15wEBtXphVCgyy53CoIKLHHeJHXex45Uz9aKZSRSInZI-wjsY0yu3cT4_aQ3i1o-tiE-F8Ios61EKgyIQ4CWao8PFMj8TTnp.vbb32Xvllea2OtmHAdccRQ";
    let keys = DecryptionKeys::from_text(jwk).unwrap();
    let content = String::from_utf8(decrypt(jwe, &keys, &Policy::ANY).unwrap()).unwrap();
    assert!(
        content.starts_with("You can trust us to stick with you through thick and thin–to the bitter end.")
    );
    assert_eq!(code(jwe, &keys), "header-missing", "it does not say that its content is a JWT");
}

/// RFC 7518 appendix C: Bob decrypts what Alice encrypted with the key that the appendix derives.
#[test]
fn rfc_7518_key_agreement() {
    let bob = r#"{"kty":"EC","crv":"P-256","alg":"ECDH-ES","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ","y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"}"#;
    let epk = json!({"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"});
    let header = json!({"alg":"ECDH-ES","enc":"A128GCM","apu":"QWxpY2U","apv":"Qm9i","epk":epk});
    let derived = BASE64URL_NOPAD.decode(b"VqqN6vgjbSBcIijNcacQGg").unwrap();
    let jwe = encrypt("A128GCM", &derived, header.to_string(), Vec::new(), CONTENT).text();
    let keys = DecryptionKeys::from_text(bob).unwrap();
    assert_eq!(decrypt(&jwe, &keys, &Policy::ANY).as_deref(), Ok(CONTENT));
    let other = header.to_string().replace("QWxpY2U", "RXZl");
    let jwe = encrypt("A128GCM", &derived, other, Vec::new(), CONTENT).text();
    assert_eq!(decrypt(&jwe, &keys, &Policy::ANY), Err(Reject::Decryption));
}

/// RFC 8037 appendix A.6: X25519, with the shared secret that the appendix states.
#[test]
fn rfc_8037_key_agreement() {
    let bob = r#"{"kty":"OKP","crv":"X25519","alg":"ECDH-ES","kid":"Bob","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"}"#;
    let epk = json!({"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"});
    let secret = data_encoding::HEXLOWER
        .decode(b"4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")
        .unwrap();
    let context = Context { algorithm: "A256GCM", ..Default::default() };
    let key = derive(&secret, &context, 32).unwrap();
    let header = json!({"alg":"ECDH-ES","enc":"A256GCM","kid":"Bob","epk":epk}).to_string();
    let jwe = encrypt("A256GCM", &key, header, Vec::new(), CONTENT).text();
    let keys = DecryptionKeys::from_text(bob).unwrap();
    assert_eq!(decrypt(&jwe, &keys, &Policy::ANY).as_deref(), Ok(CONTENT));
}

/// RFC 3394 section 4.6: 256 bits wrapped with 256 bits.
#[test]
fn rfc_3394_key_wrap() {
    let kek: Vec<u8> = (0..32).collect();
    let jwk = json!({"kty":"oct","alg":"A256KW","k":BASE64URL_NOPAD.encode(&kek)}).to_string();
    let hex = |text: &str| data_encoding::HEXUPPER.decode(text.as_bytes()).unwrap();
    let key = hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
    let wrapped = hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
    let header = json!({"alg":"A256KW","enc":"A256GCM"}).to_string();
    let jwe = encrypt("A256GCM", &key, header, wrapped, CONTENT).text();
    let keys = DecryptionKeys::from_text(&jwk).unwrap();
    assert_eq!(decrypt(&jwe, &keys, &Policy::ANY).as_deref(), Ok(CONTENT));
}
