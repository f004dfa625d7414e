//! What signing out leaves in a real browser: the application's storage, unless the operator wants it emptied; and never a session.

use serde_json::{Value, json};

use crate::personas::Chromium;
use crate::world::Victim;

/// HD-03.
#[test]
fn signing_out_leaves_the_storage_of_the_application_alone() {
    assert_eq!(after_signing_out(&Victim::over_https()), json!(["kept", "kept", ["orders"]]));
}

#[test]
fn signing_out_empties_the_storage_where_the_operator_wants_it() {
    let victim = Victim::over_https_with("clear_storage = true");
    assert_eq!(after_signing_out(&victim), json!([null, null, []]));
}

/// What a page of the application finds of what it stored before.
fn after_signing_out(victim: &Victim) -> Value {
    let chromium = Chromium::start();
    victim.sign_in(&chromium);
    let stored = chromium.awaited(
        "localStorage.setItem('cart', 'kept');\
         await (await caches.open('offline')).put('/orders/offline', new Response('kept'));\
         await new Promise((done, failed) => { const open = indexedDB.open('orders');\
           open.onsuccess = () => { open.result.close(); done() }; open.onerror = failed });\
         return 'stored'",
    );
    assert_eq!(stored, "stored");
    chromium.open(&victim.url("/auth/logout"));
    chromium.click("button.primary");
    chromium.wait_until("that she is signed out", |page| page.text().contains("You are signed out"));
    assert!(chromium.session_cookie().is_none());

    victim.sign_in(&chromium);
    chromium.awaited(
        "const cached = await caches.match('/orders/offline');\
         return [localStorage.getItem('cart'), cached ? await cached.text() : null,\
           (await indexedDB.databases()).map(database => database.name)]",
    )
}
