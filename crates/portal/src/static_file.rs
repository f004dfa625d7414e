//! The stylesheet, the script and the logo, from memory. In: a file name that changes with the content, so that browsers may keep it for a
//! year. Out: the file, or nothing under any other name.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

use crate::Portal;
use crate::problem::Problem;

/// An SVG image opened by itself is a document: it may colour itself, and do nothing else.
const IMAGE_ALONE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'none'",
);

/// `GET /static/{file}`.
pub(crate) async fn serve(
    State(portal): State<Arc<Portal>>,
    file: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(file) = file.map_err(|_| Problem::NotFound)?;
    let asset = portal.theme.asset(&file).ok_or(Problem::NotFound)?;
    let head = [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    let mut response = (head, asset.bytes.clone()).into_response();
    if asset.media_type.starts_with("image/") {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, IMAGE_ALONE);
    }
    Ok(response)
}
