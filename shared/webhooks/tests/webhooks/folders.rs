//! Every provider has a folder of tests, and every file of tests is declared: the compiler doesn't miss one that isn't.

use std::{fs, path::Path};
use verdict_sessions::Provider;

fn tests() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/webhooks"))
}

/// The modules in a folder that the file at its root doesn't declare.
fn undeclared(folder: &Path, root: &str) -> Vec<String> {
    let declared = fs::read_to_string(folder.join(root)).unwrap();
    let is_declared = |name: &str| declared.lines().any(|line| line.ends_with(&format!("mod {name};")));
    let mut undeclared = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_folder = path.join("mod.rs").is_file();
        let is_file = path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with(root);
        if (is_folder || is_file) && !is_declared(name) {
            undeclared.push(path.display().to_string());
        }
        if is_folder {
            undeclared.extend(self::undeclared(&path, "mod.rs"));
        }
    }
    undeclared
}

#[test]
fn every_file_of_tests_is_declared() {
    assert_eq!(undeclared(tests(), "main.rs"), [""; 0]);
}

#[test]
fn every_provider_has_a_folder_of_tests() {
    for provider in Provider::ALL {
        assert!(tests().join(provider.as_str()).join("mod.rs").is_file(), "{provider}");
    }
}
