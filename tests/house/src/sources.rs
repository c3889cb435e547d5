//! The code as it is: the crates, and the Rust files in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The crates that a folder of the plan stands for: itself, or with `*` each in it.
pub(crate) fn crates(planned: &str) -> Vec<String> {
    let Some(parent) = planned.strip_suffix("/*") else { return vec![planned.to_owned()] };
    let mut crates: Vec<String> = entries(&root().join(parent))
        .into_iter()
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| format!("{parent}/{}", path.file_name().unwrap().to_str().unwrap()))
        .collect();
    crates.sort();
    crates
}

/// The Rust files under a folder, by their paths in it, each with its text.
pub(crate) fn rust_files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for path in entries(&next) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(folder).unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
