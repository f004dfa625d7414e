//! Which path is answered by whom: the table of contents of this crate. In: the portal. Out: an axum router over full paths.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::problem::Problem;
use crate::{Portal, answer, api, key_set, pages, static_file};

/// Everything under `/auth`, and `/.well-known/jwks.json`. Every answer, errors included, leaves through one layer that puts
/// problems into words and sets the security headers.
pub fn router(portal: Arc<Portal>) -> Router {
    Router::new()
        .route("/auth", get(home))
        .route("/auth/", get(home))
        .route("/auth/login", get(pages::login::show).post(pages::login::submit))
        .route("/auth/logout", get(pages::logout::show).post(pages::logout::submit))
        .route("/auth/account", get(pages::account::show))
        .route("/auth/static/{file}", get(static_file::serve))
        .route("/auth/api/v1/login", post(api::login::submit))
        .route("/auth/api/v1/logout", post(api::logout::submit))
        .route("/auth/api/v1/session", get(api::session::current))
        .route("/auth/api/v1/sessions", get(api::session::all))
        .route("/auth/api/v1/csrf", get(api::csrf::issue))
        .route("/.well-known/jwks.json", get(key_set::serve))
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(from_fn_with_state(Arc::clone(&portal), answer::finish))
        .with_state(portal)
}

async fn home() -> Redirect {
    Redirect::to("/auth/account")
}
