//! Published vectors, which are kept beside the project.

use std::path::PathBuf;

use serde_json::Value;

/// A folder of published vectors. Without it nothing is shown, so its absence is a failure.
pub(crate) fn folder(name: &str) -> PathBuf {
    let workspace = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let places = [workspace.join("tests/vectors"), workspace.join("../shared/vectors")];
    let found = places.iter().map(|place| place.join(name)).find(|folder| folder.is_dir());
    found.unwrap_or_else(|| {
        panic!("the published vectors are missing: put them into tests/vectors/{name} or ../shared/vectors/{name}")
    })
}

/// Every file of a folder and the folders in it, by its path from there, in order.
pub(crate) fn files(name: &str) -> Vec<String> {
    let top = folder(name);
    let (mut found, mut open) = (Vec::new(), vec![top.clone()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// One JSON file of a folder.
pub(crate) fn json(name: &str, file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder(name).join(file)).unwrap()).unwrap()
}
