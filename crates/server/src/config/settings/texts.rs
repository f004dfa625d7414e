//! What the pages say. In: a folder of an operator's. Out: all texts, parsed and judged, so that a typo is found by `config check` and
//! not by the first visitor.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use vestibule_portal::texts::{TextFile, Texts};

use crate::config::Wrong;
use crate::config::raw;
use crate::host::text_file;

/// Ours have some ten KiB; a folder of other things is not read whole.
const MOST_BYTES: usize = 512 * 1024;

/// Judges the section; a relative folder starts at `base`.
pub(super) fn texts(raw: &raw::Texts, base: &Path) -> Result<Arc<Texts>, Wrong> {
    let files = match raw.folder.as_deref() {
        Some(folder) => files(&base.join(folder)).map_err(|what| Wrong::new("texts.folder", what))?,
        None => Vec::new(),
    };
    // Which file is no good is said by the files' own message; what is left is the default.
    Texts::with(&files, "en").map_err(|cause| Wrong::new("texts.folder", cause.to_string()))?;
    let texts = Texts::with(&files, &raw.default_language);
    texts.map(Arc::new).map_err(|cause| Wrong::new("texts.default_language", cause.to_string()))
}

/// The files of a folder, by name. Hidden ones are passed over: Kubernetes and editors put some there.
fn files(folder: &Path) -> Result<Vec<TextFile>, String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        let Some(language) = name.strip_suffix(".ftl") else {
            let what = "is no file of texts; name it like fr.ftl, or put it elsewhere";
            return Err(format!("{} {what}", path.display()));
        };
        // Follows links: a ConfigMap is a folder of them.
        let text = text_file::read(&path, MOST_BYTES).map_err(|what| format!("{} {what}", path.display()))?;
        let (name, language) = (path.display().to_string(), language.to_owned());
        files.push(TextFile { name, language, text: (*text).clone() });
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}
