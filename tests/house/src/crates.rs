//! Crates depend downwards, as their manifests say: code can name no crate that its manifest doesn't list.

use crate::{
    plan::{CRATES, OWNERS, PURE},
    sources::{crates, root, rust_files},
};
use std::{collections::BTreeMap, fs, process::Command};

/// The crates of the plan, each with its floor; the top floor is 0.
fn floors() -> BTreeMap<String, usize> {
    let planned =
        CRATES.iter().enumerate().flat_map(|(floor, planned)| planned.iter().map(move |folder| (folder, floor)));
    planned.flat_map(|(folder, floor)| crates(folder).into_iter().map(move |folder| (folder, floor))).collect()
}

/// A crate's name in its manifest.
fn name(folder: &str) -> String {
    let manifest = manifest(folder);
    manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap().to_owned()
}

fn manifest(folder: &str) -> String {
    fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap()
}

/// What a manifest lists under `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.trim_start().starts_with('#'));
    let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

#[test]
fn each_crate_depends_only_on_crates_below_it() {
    let floors = floors();
    assert!(floors.len() > 10, "{floors:?}");
    for (folder, floor) in &floors {
        for (other, _) in floors.iter().filter(|(_, other)| *other <= floor) {
            assert!(!depends_on(folder, &name(other)), "{folder} depends on {other}");
        }
    }
}

#[test]
fn a_dependency_of_one_crate_is_no_other_crates() {
    for (dependency, owner) in OWNERS {
        let users: Vec<String> = floors().into_keys().filter(|folder| depends_on(folder, dependency)).collect();
        assert_eq!(users, [owner], "{dependency}");
    }
}

/// Schemas are made by the contract's tests. What is deployed is built from one function's package alone, and a function
/// has only what all of them together have.
#[test]
fn no_function_is_built_with_what_makes_schemas() {
    let functions: Vec<String> = crates("functions/*").iter().map(|folder| name(folder)).collect();
    assert!(functions.len() > 5, "{functions:?}");
    let built = built_with(&functions);
    assert!(built.contains("\nverdict_sessions \n"), "{built}");
    let contract = built_with(&[name("tests/contract")]);
    for of_schemas in ["\nverdict_sessions schema", "\nschemars "] {
        assert!(contract.contains(of_schemas) && !built.contains(of_schemas), "{of_schemas}: {built}");
    }
}

/// What packages are built with if nothing else is built beside them: each dependency with its features.
fn built_with(packages: &[String]) -> String {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(root()).args(["tree", "--offline", "--locked", "--prefix=none", "--format={lib} {f}"]);
    tree.args(["--edges=normal", "--target=all"]);
    let output = tree.args(packages.iter().flat_map(|package| ["--package", package])).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn depends_on(folder: &str, dependency: &str) -> bool {
    dependencies(&manifest(folder)).iter().any(|listed| listed == dependency)
}

#[test]
fn pure_crates_know_neither_aws_nor_http_nor_a_runtime() {
    for (folder, impure) in PURE {
        let listed = dependencies(&manifest(folder));
        assert!(!listed.is_empty(), "{folder}");
        let wrong: Vec<_> = listed.iter().filter(|name| impure.iter().any(|begin| name.starts_with(begin))).collect();
        assert!(wrong.is_empty(), "{folder} depends on {wrong:?}");
    }
}

/// The log drops lines of other targets. In a function's own crate, the target has to be named.
#[test]
fn what_a_function_logs_is_heard() {
    for folder in crates("functions/*") {
        for (path, text) in rust_files(&root().join(&folder).join("src")) {
            for (macro_at, _) in text.match_indices("tracing::") {
                let call = &text[macro_at..];
                let is_heard = call.split_once('(').is_some_and(|(_, inside)| inside.starts_with("target: \"verdict"));
                assert!(is_heard, "{folder}/src/{}: name a target that begins with `verdict`", path.display());
            }
        }
    }
}

#[test]
fn a_manifests_dependencies_are_read() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\n# why\nserde.workspace = true\ntokio = { workspace = true }\n\n[lints]\nworkspace = true\n";
    assert_eq!(dependencies(manifest), ["serde", "tokio"]);
    assert_eq!(dependencies("[package]\n"), [""; 0]);
}
