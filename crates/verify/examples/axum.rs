//! A service behind Vestibule that knows who is asking. Start it where a route's `upstream` points:
//!
//! ```text
//! cargo run -p vestibule-verify --features axum,client --example axum -- http://127.0.0.1:8080 orders 127.0.0.1:9000
//! ```

use std::{error::Error, sync::Arc};

use axum::{Json, Router, routing::get};
use serde::Deserialize;
use serde_json::{Value, json};
use vestibule_verify::axum::{InnerDoor, SignedIn};
use vestibule_verify::client::Discovery;

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
    let [issuer, audience, address] = &arguments[..] else {
        return Err("usage: axum ISSUER AUDIENCE ADDRESS".into());
    };
    // The service may start before Vestibule: until there are keys, whoever brings a JWT gets 503.
    // `Verifier::discover(issuer, audience).await?` waits for the keys, or fails.
    let verifier = Arc::new(Discovery::new(issuer, audience)?.start()?);
    let app = Router::new().route("/orders/", get(orders)).route("/public/", get(greeting));
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app.with_state(InnerDoor::new(verifier))).await?)
}
