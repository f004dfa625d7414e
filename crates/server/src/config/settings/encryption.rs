//! What an audience's JWTs are encrypted to. In: the audience as written, and the file that it names. Out: a key that was looked at, so
//! that a wrong one is found by `config check` and not by the first request.

use std::path::Path;

use vestibule_core::encrypt::{DEFAULT_ENCRYPTION, EncryptionKey};
use vestibule_core::verify::KeyReject;
use vestibule_core::verify::jwe::ContentEncryption;
use zeroize::Zeroizing;

use super::tokens::LEAST_JWT;
use crate::config::Wrong;
use crate::config::raw;
use crate::host::text_file;

/// Larger than any JWK that is taken.
const MOST_BYTES: usize = 32 * 1024;

/// The key of the audience at this index, if it has one; a relative file starts at `base`.
pub(super) fn key(
    raw: &raw::Audience,
    index: usize,
    base: &Path,
    largest_jwt: usize,
) -> Result<Option<EncryptionKey>, Wrong> {
    let wrong = |member: &str, what: String| {
        Wrong::new(format!("audience[{index}].{member}"), format!("audience {:?}: {what}", raw.name))
    };
    let Some(file) = &raw.encrypt_to_file else {
        return match &raw.encrypt_with {
            None => Ok(None),
            Some(_) => {
                Err(wrong("encrypt_with", "nothing is encrypted without `encrypt_to_file`".to_owned()))
            }
        };
    };
    let encryption = match raw.encrypt_with.as_deref() {
        None => DEFAULT_ENCRYPTION,
        Some(name) => ContentEncryption::parse(name).ok_or_else(|| {
            let known = ContentEncryption::ALL.map(ContentEncryption::name).join(", ");
            wrong("encrypt_with", format!("{name:?} is no encryption; choose one of {known}"))
        })?,
    };
    let file = base.join(file);
    let key = read(&file)
        .and_then(|jwk| EncryptionKey::from_jwk_text(&jwk, encryption).map_err(|reject| said(&file, reject)))
        .map_err(|what| wrong("encrypt_to_file", what))?;
    let least = key.length_of(LEAST_JWT);
    if least > largest_jwt {
        let what = format!(
            "encrypted to {} with {encryption} a JWT can take {least} bytes, and `tokens.largest_jwt` is {largest_jwt}",
            file.display()
        );
        return Err(wrong("encrypt_to_file", what));
    }
    Ok(Some(key))
}

fn read(file: &Path) -> Result<Zeroizing<String>, String> {
    if std::fs::metadata(file).is_ok_and(|it| !it.is_file()) {
        return Err(format!("{} is not a file", file.display()));
    }
    text_file::read(file, MOST_BYTES).map_err(|what| format!("{} {what}", file.display()))
}

/// What is wrong with a key, and what to do where that is not plain.
fn said(file: &Path, reject: KeyReject) -> String {
    let advice = match reject {
        KeyReject::PrivateMaterial => {
            "; it belongs to the service alone. Put the public half here, and make a new key: this one has been seen"
        }
        KeyReject::Symmetric => "; a key to encrypt to is public: EC, OKP or RSA",
        KeyReject::AlgorithmMissing | KeyReject::AlgorithmUnsupported | KeyReject::AlgorithmMismatch => {
            "; its `alg` is ECDH-ES or ECDH-ES+A256KW (P-256, P-384, P-521, X25519), or RSA-OAEP-256"
        }
        _ => "",
    };
    format!("{}: {reject}{advice}", file.display())
}
