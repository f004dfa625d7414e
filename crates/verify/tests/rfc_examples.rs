//! JW-02: the examples of RFC 7515 appendix A and RFC 8037 appendix A, each with its expected outcome.
//! None of them has a `typ` and a `kid`, so none is a token for us; their signatures must check all the same.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use common::NOW;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule_verify::{KeyId, KeySet, Verifier, VerifyingKey};

/// The claims of RFC 7515 appendices A.1 to A.6, from 2011.
const CLAIMS: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn refusal(jwt: &str) -> &'static str {
    let verifier = Verifier::new("joe", "anybody", KeySet::default()).with_typ("JWT");
    verifier.verify_at(jwt, NOW).unwrap_err().code()
}

fn check(key: &VerifyingKey, jws: &str) {
    let (input, signature) = jws.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    assert!(key.check(input.as_bytes(), &signature).is_ok());
    let mut other = input.to_owned();
    other.pop();
    assert!(key.check(other.as_bytes(), &signature).is_err());
}

fn key(jwk: Value) -> VerifyingKey {
    VerifyingKey::from_jwk(&jwk).unwrap()
}

#[test]
fn rfc_7515_a_1_hs256() {
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let secret = BASE64URL_NOPAD.decode(secret.as_bytes()).unwrap();
    let key = VerifyingKey::hs256_where_issuer_is_verifier(KeyId::parse("a1").unwrap(), &secret).unwrap();
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    let jws = format!("{header}.{CLAIMS}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    check(&key, &jws);
    assert_eq!(refusal(&jws), "header-missing");
}

#[test]
fn rfc_7515_a_2_rs256() {
    let key = key(json!({
        "kty": "RSA", "alg": "RS256", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    }));
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let jws = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.{signature}");
    check(&key, &jws);
    assert_eq!(refusal(&jws), "header-missing");
}

#[test]
fn rfc_7515_a_3_es256() {
    let key = key(json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    }));
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let jws = format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.{signature}");
    check(&key, &jws);
    assert_eq!(refusal(&jws), "header-missing");
}

/// ES512 is not among our algorithms. The header is the appendix's; no signature is needed to refuse it.
#[test]
fn rfc_7515_a_4_es512() {
    assert_eq!(refusal("eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AA"), "alg-unsupported");
}

#[test]
fn rfc_7515_a_5_unsecured() {
    assert_eq!(refusal(&format!("eyJhbGciOiJub25lIn0.{CLAIMS}.")), "alg-unsupported");
}

#[test]
fn rfc_7515_a_6_and_a_7_json_serialisations() {
    let one =
        json!({"header": {"kid": "2010-12-29"}, "protected": "eyJhbGciOiJSUzI1NiJ9", "signature": "AA"});
    let general = json!({"payload": CLAIMS, "signatures": [one]});
    let flattened = json!({"payload": CLAIMS, "protected": "eyJhbGciOiJFUzI1NiJ9", "signature": "AA"});
    assert_eq!(refusal(&general.to_string()), "segments");
    assert_eq!(refusal(&flattened.to_string()), "segments");
}

/// RFC 8037 appendix A.4.
#[test]
fn rfc_8037_a_4_ed25519() {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let key = key(json!({"kty": "OKP", "crv": "Ed25519", "x": x}));
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let jws = format!("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.{signature}");
    check(&key, &jws);
    assert_eq!(refusal(&jws), "header-missing");
}
