//! The one stylesheet, under a name that changes with its content, so that browsers may keep it for a year.
//! In: a file name. Out: CSS, or nothing under any other name.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

const CSS: &str = include_str!("../templates/portal.css");

static NAME: LazyLock<String> = LazyLock::new(|| {
    let mut digest = HEXLOWER.encode(&Sha256::digest(CSS));
    digest.truncate(16);
    format!("portal-{digest}.css")
});

/// Where pages find it.
pub(crate) fn path() -> String {
    format!("/auth/static/{}", *NAME)
}

/// `GET /auth/static/{file}`.
pub(crate) async fn serve(Path(file): Path<String>) -> Result<Response, Problem> {
    if file != *NAME {
        return Err(Problem::NotFound);
    }
    let head =
        [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((head, CSS).into_response())
}
