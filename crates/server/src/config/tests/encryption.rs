use super::*;
use std::path::PathBuf;

const PUBLIC: &str = r#""kty":"EC","crv":"P-256","alg":"ECDH-ES","kid":"orders-1","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ","y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck""#;

/// A folder with these files, gone with this value.
struct Folder(PathBuf);

impl Folder {
    fn with(name: &str, jwk: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("vestibule-encryption-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.jwk"), jwk).unwrap();
        Self(folder)
    }

    fn settings(&self, more: &str) -> Result<Settings, ConfigError> {
        let file = self.0.join("a.jwk");
        from(&format!("[[audience]]\nname = \"orders\"\nencrypt_to_file = {file:?}\n{more}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[test]
fn an_audience_has_a_key_and_an_encryption() {
    let folder = Folder::with("good", &format!("{{{PUBLIC}}}"));
    for (more, expected) in [
        ("", "A256GCM"),
        ("encrypt_with = \"A128GCM\"", "A128GCM"),
        ("encrypt_with = \"A256CBC-HS512\"", "A256CBC-HS512"),
    ] {
        let settings = folder.settings(more).unwrap();
        let key = settings.audiences[0].encryption().unwrap();
        assert_eq!((key.key_id().as_str(), key.encryption().name()), ("orders-1", expected));
    }
    assert!(from("[[audience]]\nname = \"a\"").unwrap().audiences[0].encryption().is_none());
}

/// Found at start, with the audience's name and what to do.
#[test]
fn a_wrong_key_is_named_with_its_audience() {
    let at = "v.toml:3:1: audience[0].encrypt_to_file: audience \"orders\": ";
    for (name, jwk, says) in [
        (
            "private",
            format!("{{{PUBLIC},\"d\":\"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw\"}}"),
            "carries private members; it belongs to the service alone",
        ),
        (
            "shared",
            r#"{"kty":"oct","alg":"A256KW","k":"AAAA"}"#.to_owned(),
            "a key to encrypt to is public: EC, OKP or RSA",
        ),
        (
            "signing",
            format!("{{{}}}", PUBLIC.replace("ECDH-ES", "ES256")),
            "alg is not supported; its `alg` is ECDH-ES or",
        ),
        ("nameless", format!("{{{}}}", PUBLIC.replace("\"alg\":\"ECDH-ES\",", "")), "needs an alg"),
        ("purpose", format!("{{{PUBLIC},\"use\":\"sig\"}}"), "not meant for encryption"),
        ("curve", format!("{{{}}}", PUBLIC.replace("e8ln", "e8lm")), "not a point on its curve"),
        ("twice", format!("{{{PUBLIC},\"kty\":\"EC\"}}"), "duplicate member name"),
        ("pem", "-----BEGIN PUBLIC KEY-----".to_owned(), "not valid JSON"),
    ] {
        let refusal = refusal(Folder::with(name, &jwk).settings(""));
        assert!(refusal.starts_with(at) && refusal.contains(says) && refusal.contains("a.jwk"), "{refusal}");
        assert!(!refusal.contains("VEmD"), "{refusal}");
    }
    let absent = from("[[audience]]\nname = \"orders\"\nencrypt_to_file = \"nowhere.jwk\"");
    assert!(refusal(absent).starts_with(&format!("{at}/srv/nowhere.jwk cannot be read: ")));
    let folder = from("[[audience]]\nname = \"orders\"\nencrypt_to_file = \".\"");
    assert!(refusal(folder).contains("is not a file"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = Folder::with("meant", &format!("{{{PUBLIC}}}"));
    let wrong = refusal(folder.settings("encrypt_with = \"A192GCM\""));
    let says = "audience[0].encrypt_with: audience \"orders\": \"A192GCM\" is no encryption; choose one of A128GCM, A256GCM, A256CBC-HS512";
    assert!(wrong.contains(says), "{wrong}");
    let idle = refusal(from("[[audience]]\nname = \"a\"\nencrypt_with = \"A256GCM\""));
    assert!(idle.contains("nothing is encrypted without `encrypt_to_file`"), "{idle}");
    let small = refusal(folder.settings("[tokens]\nlargest_jwt = 2048"));
    assert!(small.contains("`tokens.largest_jwt` is 2048"), "{small}");
}
