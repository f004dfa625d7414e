//! A service behind Vestibule that knows who is asking. Fetch the keys and start it where a route's `upstream` points:
//!
//! ```text
//! curl -so jwks.json http://127.0.0.1:8080/.well-known/jwks.json
//! cargo run -p vestibule-verify --features axum --example axum -- http://127.0.0.1:8080 orders jwks.json 127.0.0.1:9000
//! ```

use std::{error::Error, sync::Arc, time::Duration};

use axum::{Json, Router, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};
use vestibule_verify::axum::{InnerDoor, SignedIn};
use vestibule_verify::{KeySet, Verifier};

/// What the audience's `claims` tell this service; a trait that an account lacks is left out.
#[derive(Deserialize)]
struct Orders {
    email: String,
    department: Option<String>,
}

async fn orders(me: SignedIn<Orders>) -> Json<Value> {
    let (methods, own): (Vec<&str>, _) = (me.amr().collect(), me.own());
    let known = json!({ "subject": me.sub(), "session": me.sid(), "signed_in_at": me.auth_time(), "by": methods, "assurance": me.acr() });
    Json(json!({ "known": known, "email": own.email, "department": own.department }))
}

async fn greeting(visitor: Option<SignedIn>) -> String {
    visitor.map_or("Hello, stranger".to_owned(), |me| format!("Hello, {}", me.sub()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [issuer, audience, jwks, address] = &arguments[..] else {
        return Err("usage: axum ISSUER AUDIENCE JWKS_FILE ADDRESS".into());
    };
    let verifier = Arc::new(Verifier::new(issuer, audience, KeySet::default()));
    tokio::spawn(read_keys(Arc::clone(&verifier), jwks.clone()));
    let app = Router::new().route("/orders/", get(orders)).route("/public/", get(greeting));
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app.with_state(InnerDoor::new(verifier))).await?)
}

/// New keys are published a day before they sign. A file that cannot be read leaves the keys as they are.
async fn read_keys(verifier: Arc<Verifier>, file: String) {
    loop {
        if let Ok(Ok(keys)) = tokio::fs::read_to_string(&file).await.map(|jwks| KeySet::from_jwks(&jwks)) {
            verifier.replace_keys(keys);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
