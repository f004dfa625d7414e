//! The Rust of the pages, so that it compiles: this repository's README.md and this crate's. `cargo xtask docs --check` looks for each
//! block of theirs here.

#![expect(dead_code, unused_imports, unused_variables, reason = "shown on pages, not run")]

use std::{error::Error, sync::Arc};

use serde::Deserialize;
use vestibule_verify::{KeySet, Verifier, axum::InnerDoor, axum::SignedIn};

fn main() {}

fn in_the_service(bearer: &str, keys: KeySet) -> Result<(), Box<dyn Error>> {
    let verifier = vestibule_verify::Verifier::new("https://app.example.com", "orders", keys);
    let claims = verifier.verify(bearer)?;
    Ok(())
}

mod handlers {
    use super::{Deserialize, SignedIn};

    #[derive(Deserialize)]
    struct Orders {
        department: Option<String>,
    }

    async fn orders(me: SignedIn<Orders>) -> String {
        format!("{} of {:?}", me.sub(), me.own().department)
    }
    async fn greeting(visitor: Option<SignedIn>) -> String {
        visitor.map_or("Hello, stranger".to_owned(), |me| format!("Hello, {}", me.sub()))
    }
}

async fn discovering(jwt: &str) -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::discover("https://app.example.com", "orders").await?;
    let claims = verifier.verify_asking(jwt).await?;
    Ok(())
}

async fn decrypting() -> Result<(), Box<dyn Error>> {
    use vestibule_verify::{Verifier, jwe::DecryptionKeys};

    let keys = DecryptionKeys::from_text(&std::fs::read_to_string("orders.private.jwk")?)?;
    let verifier = Verifier::discover("https://app.example.com", "orders").await?.nested(keys);
    Ok(())
}

#[rustfmt::skip]
fn application(keys: KeySet) {
    use axum::{Router, routing::get};
    use vestibule_verify::{KeySet, Verifier, axum::{InnerDoor, SignedIn}};

    #[derive(Deserialize)]
    struct Orders {
        department: Option<String>,
    }

    async fn orders(me: SignedIn<Orders>) -> String {
        format!("{} of {:?}", me.sub(), me.own().department)
    }

    let verifier = Arc::new(Verifier::new("https://app.example.com", "orders", keys));
    let app = Router::new()
        .route("/orders/", get(orders))
        .with_state(InnerDoor::new(verifier));
    let app: Router = app;
}

#[rustfmt::skip]
async fn layered<S>(orders: S) -> Result<(), Box<dyn Error>> {
    use tower::ServiceBuilder;
    use vestibule_verify::tower::VerifyLayer;

    let door = InnerDoor::new(Arc::new(Verifier::discover("https://app.example.com", "orders").await?));
    let service = ServiceBuilder::new()
        .layer(VerifyLayer::new(door).with_scope("orders:read"))
        .service(orders);
    Ok(())
}
