use super::*;

const BASE: &str = "/srv/app";

fn parse(text: &str) -> Result<StoreUrl, NotAStoreUrl> {
    StoreUrl::parse(text, Path::new(BASE))
}

#[test]
fn a_file_is_below_the_base_unless_it_is_absolute() {
    for (text, file) in [
        ("sqlite:data/v.db", "/srv/app/data/v.db"),
        ("sqlite://data/v.db", "/srv/app/data/v.db"),
        ("sqlite:/var/v.db", "/var/v.db"),
        ("sqlite:///var/v.db", "/var/v.db"),
    ] {
        let url = parse(text).unwrap();
        assert_eq!(url.file(), Some(Path::new(file)), "{text}");
        assert_eq!(parse(&url.to_string()), Ok(url), "{text}: what is shown can be configured");
    }
}

#[test]
fn other_stores_are_named_without_their_passwords() {
    for (text, cause) in [
        ("sqlite:", NotAStoreUrl::NoFile),
        ("sqlite::memory:", NotAStoreUrl::NoFile),
        ("sqlite:v.db?mode=ro", NotAStoreUrl::NoFile),
        ("postgres://vestibule:secret@db/v", NotAStoreUrl::Later("PostgreSQL")),
        ("redis+cluster://:secret@cache", NotAStoreUrl::Later("Redis")),
        ("mysql://vestibule:secret@db/v", NotAStoreUrl::Unknown),
        ("v.db", NotAStoreUrl::Unknown),
    ] {
        assert_eq!(parse(text), Err(cause), "{text}");
        assert!(!cause.to_string().contains("secret"), "{cause}");
    }
}

/// Of a store that is new, one that holds an account, a key or a check value is told apart.
#[tokio::test]
async fn a_store_is_new_until_something_is_stored_in_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let url = StoreUrl::Sqlite(folder.path().join("vestibule.db"));
    assert!(url.is_missing());
    let stores = open(&url, SharedFiles::Refused).await.unwrap();
    assert!(!url.is_missing());
    assert!(stores.upkeep.is_new().await.unwrap());
    stores.upkeep.close().await.unwrap();
    // A start that came no further than this leaves a store that is new.
    let stores = open(&url, SharedFiles::Refused).await.unwrap();
    assert!(stores.upkeep.is_new().await.unwrap());
    stores.upkeep.keep_secret_check("pepper", [1; 32]).await.unwrap();
    assert!(!stores.upkeep.is_new().await.unwrap());
    stores.upkeep.close().await.unwrap();
}
