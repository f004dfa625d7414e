//! Which path is answered by whom: the table of contents of this crate. In: the portal. Out: an axum router over paths as they arrive.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{MethodRouter, delete, get, post, put};

use vestibule_core::wire::Paths;

use crate::address::{
    ACCOUNT, API_CONFIRM, API_LOGIN, API_LOGOUT, CONFIRM, IDENTIFIER, LOGIN, LOGOUT, PASSWORD, REGISTER,
    STATIC,
};
use crate::problem::Problem;
use crate::{Portal, answer, api, key_set, metadata, oauth, openapi, pages, static_file};

/// Everything below the prefix, and of `/.well-known` the key set, the metadata and `change-password`. Every answer, errors included, leaves
/// through one layer that puts problems into words and sets the security headers.
pub fn router(portal: Arc<Portal>) -> Router {
    let offer =
        Offer { registration: portal.registration.is_some(), renaming: portal.identifier_change.is_some() };
    rooms(offer, &portal.paths)
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

/// What an operator may leave out. There is nothing at the addresses of what is not offered.
#[derive(Clone, Copy)]
struct Offer {
    /// Strangers may ask for an account.
    registration: bool,
    /// Owners may change their identifier.
    renaming: bool,
}

/// Routes, and the paths that requests for them arrive by: a router cannot be asked for its own.
struct Rooms<'a> {
    paths: &'a Paths,
    router: Router<Arc<Portal>>,
    arriving: Vec<String>,
}

impl<'a> Rooms<'a> {
    fn none(paths: &'a Paths) -> Self {
        Self { paths, router: Router::new(), arriving: Vec::new() }
    }

    /// Below the prefix.
    fn route(self, address: &str, methods: MethodRouter<Arc<Portal>>) -> Self {
        let path = self.paths.arriving(address);
        self.at(path, methods)
    }

    /// By this path, whatever the prefix is.
    fn at(mut self, path: String, methods: MethodRouter<Arc<Portal>>) -> Self {
        self.router = self.router.route(&path, methods);
        self.arriving.push(path);
        self
    }
}

fn rooms(offer: Offer, paths: &Paths) -> Rooms<'_> {
    let mut rooms = Rooms::none(paths);
    if offer.registration {
        rooms = rooms
            .route(REGISTER, get(pages::register::show).post(pages::register::submit))
            .route("/api/v1/register", post(api::register::submit));
    }
    if offer.renaming {
        rooms = rooms
            .route(IDENTIFIER, get(pages::identifier::show).post(pages::identifier::submit))
            .route("/api/v1/identifier", put(api::identifier::submit));
    }
    // Without a prefix there is no path that is shorter than `/`.
    let rooms = if paths.is_stripped() { rooms } else { rooms.route("", get(home)) };
    rooms
        .route("/", get(home))
        .route(LOGIN, get(pages::login::show).post(pages::login::submit))
        .route(LOGOUT, get(pages::logout::show).post(pages::logout::submit))
        .route(ACCOUNT, get(pages::account::show))
        .route(PASSWORD, get(pages::password::show).post(pages::password::submit))
        .route("/account/sessions/end", post(pages::account::end))
        .route("/account/sessions/end-others", post(pages::account::end_others))
        .route("/cookies/delete", post(pages::conflict::submit))
        .route(CONFIRM, get(pages::confirm::show).post(pages::confirm::submit))
        .route("/error/{status}", get(pages::refusal::show))
        .route(&format!("{STATIC}/{{file}}"), get(static_file::serve))
        .route(API_LOGIN, post(api::login::submit))
        .route(API_LOGOUT, post(api::logout::submit))
        .route("/api/v1/session", get(api::session::current))
        .route("/api/v1/sessions", get(api::session::all).delete(api::session::end_others))
        .route("/api/v1/sessions/{id}", delete(api::session::end))
        .route(API_CONFIRM, post(api::confirm::submit))
        .route("/api/v1/password", put(api::password::submit))
        .route("/api/v1/csrf", get(api::csrf::issue))
        .route("/api/v1/refresh", post(api::refresh::submit))
        .route(openapi::PATH, get(openapi::serve))
        .route(oauth::introspect::PATH, post(oauth::introspect::submit))
        .route(oauth::revoke::PATH, post(oauth::revoke::submit))
        .route(oauth::token::PATH, post(oauth::token::submit))
        .at(CHANGE_PASSWORD.to_owned(), get(pages::password::well_known))
        .at(key_set::PATH.to_owned(), get(key_set::serve))
        .at(metadata::PATH.to_owned(), get(metadata::serve))
}

/// Every path that there can be, as requests arrive.
#[cfg(test)]
pub(crate) fn arriving(paths: &Paths) -> Vec<String> {
    rooms(Offer { registration: true, renaming: true }, paths).arriving
}

async fn home(State(portal): State<Arc<Portal>>) -> Redirect {
    Redirect::to(&portal.home())
}
