//! Which path is answered by whom: the table of contents of this crate. In: the portal. Out: an axum router over full paths.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{MethodRouter, delete, get, post, put};

use crate::problem::Problem;
use crate::{Portal, answer, api, key_set, metadata, oauth, openapi, pages, static_file};

/// Everything under `/auth`, and of `/.well-known` the key set, the metadata and `change-password`. Every answer, errors included, leaves
/// through one layer that puts problems into words and sets the security headers.
pub fn router(portal: Arc<Portal>) -> Router {
    let registration = if portal.registration.is_some() { Registration::Open } else { Registration::Closed };
    rooms(registration)
        .router
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(from_fn_with_state(Arc::clone(&portal), answer::finish))
        .with_state(portal)
}

/// Where password managers look.
const CHANGE_PASSWORD: &str = "/.well-known/change-password";

/// All that is ours of `/.well-known/`, which belongs to the application (RFC 8615): what is not listed here is not ours to answer.
pub const WELL_KNOWN: [&str; 3] = [CHANGE_PASSWORD, key_set::PATH, metadata::PATH];

/// Whether strangers may ask for an account.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Registration {
    Closed,
    Open,
}

/// Routes, and the addresses that they are at: a router cannot be asked for its own.
#[derive(Default)]
struct Rooms {
    router: Router<Arc<Portal>>,
    addresses: Vec<&'static str>,
}

impl Rooms {
    fn route(mut self, address: &'static str, methods: MethodRouter<Arc<Portal>>) -> Self {
        self.addresses.push(address);
        Self { router: self.router.route(address, methods), ..self }
    }
}

fn rooms(registration: Registration) -> Rooms {
    let rooms = match registration {
        // Where registration is closed there is nothing at its addresses.
        Registration::Closed => Rooms::default(),
        Registration::Open => Rooms::default()
            .route("/auth/register", get(pages::register::show).post(pages::register::submit))
            .route("/auth/api/v1/register", post(api::register::submit)),
    };
    rooms
        .route("/auth", get(home))
        .route("/auth/", get(home))
        .route("/auth/login", get(pages::login::show).post(pages::login::submit))
        .route("/auth/logout", get(pages::logout::show).post(pages::logout::submit))
        .route("/auth/account", get(pages::account::show))
        .route("/auth/account/password", get(pages::password::show).post(pages::password::submit))
        .route("/auth/account/sessions/end", post(pages::account::end))
        .route("/auth/account/sessions/end-others", post(pages::account::end_others))
        .route("/auth/cookies/delete", post(pages::conflict::submit))
        .route("/auth/confirm", get(pages::confirm::show).post(pages::confirm::submit))
        .route("/auth/error/{status}", get(pages::refusal::show))
        .route("/auth/static/{file}", get(static_file::serve))
        .route("/auth/api/v1/login", post(api::login::submit))
        .route("/auth/api/v1/logout", post(api::logout::submit))
        .route("/auth/api/v1/session", get(api::session::current))
        .route("/auth/api/v1/sessions", get(api::session::all).delete(api::session::end_others))
        .route("/auth/api/v1/sessions/{id}", delete(api::session::end))
        .route("/auth/api/v1/confirm", post(api::confirm::submit))
        .route("/auth/api/v1/password", put(api::password::submit))
        .route("/auth/api/v1/csrf", get(api::csrf::issue))
        .route("/auth/api/v1/refresh", post(api::refresh::submit))
        .route(openapi::PATH, get(openapi::serve))
        .route(oauth::introspect::PATH, post(oauth::introspect::submit))
        .route(oauth::revoke::PATH, post(oauth::revoke::submit))
        .route(oauth::token::PATH, post(oauth::token::submit))
        .route(CHANGE_PASSWORD, get(pages::password::well_known))
        .route(key_set::PATH, get(key_set::serve))
        .route(metadata::PATH, get(metadata::serve))
}

/// Every address there can be.
#[cfg(test)]
pub(crate) fn addresses() -> Vec<&'static str> {
    rooms(Registration::Open).addresses
}

async fn home() -> Redirect {
    Redirect::to("/auth/account")
}
