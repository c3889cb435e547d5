//! Rooms import only from rooms below them, by module path, and no two files import from each other.
//!
//! One row of [`CRATES`] holds for one crate. A file that belongs to no room fails the test: say in which one it
//! stands.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A crate and its rooms.
struct Rooms {
    /// The crate's sources, from this crate's folder.
    sources: &'static str,
    /// From the top to the bottom. Rooms on one floor don't import from each other.
    floors: &'static [&'static [&'static str]],
}

const CRATES: [Rooms; 1] = [Rooms {
    sources: "src",
    floors: &[
        &["providers::read"],
        &["providers::veriff", "providers::incode", "providers::treezor", "providers::wultra"],
        &["providers::provider"],
        &["proving"],
        &["delivery"],
        &["reading"],
        &["refusal", "digest"],
    ],
}];

/// A file's text, by its module path.
type Files = BTreeMap<String, String>;

#[test]
fn every_room_imports_only_from_rooms_below_it() {
    for Rooms { sources, floors } in CRATES {
        let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(sources));
        assert!(files.len() > 10, "{sources}: {} files", files.len());
        assert_eq!(wrong_ways(&files, floors), Vec::<String>::new(), "{sources}");
    }
}

#[test]
fn no_files_import_from_each_other() {
    for Rooms { sources, .. } in CRATES {
        let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(sources));
        assert_eq!(circle(&files), BTreeSet::new(), "{sources}");
    }
}

#[test]
fn a_wrong_way_is_seen() {
    const FLOORS: &[&[&str]] = &[&["roof"], &["left", "right"], &["cellar"]];
    for (module, text, expected) in [
        ("left", "use crate::cellar::Coal;", None),
        ("left::door", "use crate::{cellar::{Coal, wine::Red}, left::Key};\nuse super::lock::Bolt;", None),
        ("cellar", "/// [`Tile`](crate::roof::Tile)\nmod tests {\n    use super::*;\n}", None),
        ("cellar", "use crate::roof::Tile;", Some("cellar imports from roof::Tile")),
        (
            "cellar",
            "use std::fmt;\npub(crate) use crate::{\n    cellar::Coal,\n    roof::{self, Tile},\n};",
            Some("cellar imports from roof::Tile"),
        ),
        ("cellar::wine", "use super::super::left::Key;", Some("cellar::wine imports from left::Key")),
        ("left", "use crate::right::Key;", Some("left imports from right::Key")),
        ("left", "fn open() -> crate::roof::Tile {", Some("left imports from roof::Tile")),
        ("left", "use crate::Coal;", Some("left imports from Coal")),
        ("shed", "", Some("shed is in no room")),
    ] {
        let files = Files::from([(module.to_owned(), text.to_owned())]);
        assert_eq!(wrong_ways(&files, FLOORS).first().map(String::as_str), expected, "{text}");
    }
}

#[test]
fn a_circle_is_seen() {
    let files = |last: &str| {
        let files = [
            ("", "pub use a::B;"),
            ("a", "use crate::c;"),
            ("c", "use d::E;"),
            ("c::d", last),
            ("f", "use crate::a::B;"),
        ];
        Files::from(files.map(|(module, text)| (module.to_owned(), text.to_owned())))
    };
    assert_eq!(circle(&files("use super::x;")).len(), 2, "a child that needs its parent");
    assert_eq!(circle(&files("use crate::a::B;")), BTreeSet::from(["a", "c", "c::d"].map(str::to_owned)));
    assert_eq!(circle(&files("use std::fmt;")), BTreeSet::new());
}

/// A crate's files. The root's module path is empty.
fn files(sources: &Path) -> Files {
    let mut files = Files::new();
    let mut folders: Vec<PathBuf> = vec![sources.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let module = path.strip_prefix(sources).unwrap().with_extension("");
                let parts = module.iter().map(|part| part.to_str().unwrap());
                let parts: Vec<_> = parts.filter(|part| !["lib", "main", "mod"].contains(part)).collect();
                files.insert(parts.join("::"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// What each file imports that it must not. The root re-exports for other crates, and may import from anywhere.
fn wrong_ways(files: &Files, floors: &[&[&str]]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (module, text) in files.iter().filter(|(module, _)| !module.is_empty()) {
        let imports = imports(module, text);
        let Some((room, floor)) = room(module, floors) else {
            let is_above_rooms = floors.iter().flat_map(|rooms| *rooms).any(|room| is_within(room, module));
            if !is_above_rooms || !imports.is_empty() {
                wrong.push(format!("{module} is in no room"));
            }
            continue;
        };
        let is_right =
            |import: &String| self::room(import, floors).is_some_and(|(other, below)| other == room || below > floor);
        wrong.extend(
            imports.iter().filter(|import| !is_right(import)).map(|import| format!("{module} imports from {import}")),
        );
    }
    wrong
}

/// The room that a path leads to, and its floor.
fn room<'r>(path: &str, floors: &[&[&'r str]]) -> Option<(&'r str, usize)> {
    let rooms = floors.iter().enumerate().flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor)));
    rooms.filter(|(room, _)| is_within(path, room)).max_by_key(|(room, _)| room.len())
}

fn is_within(path: &str, room: &str) -> bool {
    path.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The files that import from each other, if only by way of others.
fn circle(files: &Files) -> BTreeSet<String> {
    let file = |path: &str| files.keys().filter(|module| is_within(path, module)).max_by_key(|module| module.len());
    let mut left: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (module, text) in files.iter().filter(|(module, _)| !module.is_empty()) {
        let children = uses(text).into_iter().map(|path| format!("{module}::{path}"));
        let found = imports(module, text).into_iter().chain(children).filter_map(|path| file(&path).cloned());
        left.insert(module.clone(), found.filter(|other| other != module).collect());
    }
    loop {
        let before = left.len();
        let modules: BTreeSet<_> = left.keys().cloned().collect();
        // Files that import from none that is left are in no circle; nor are those that none imports from.
        left.retain(|_, found| !found.is_disjoint(&modules));
        let needed: BTreeSet<_> = left.values().flatten().cloned().collect();
        left.retain(|module, _| needed.contains(module));
        if left.len() == before {
            return left.into_keys().collect();
        }
    }
}

/// The paths within the crate that a file names, from the crate's root.
fn imports(module: &str, text: &str) -> BTreeSet<String> {
    let code = code(text);
    let named = code.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
        rest[..end].trim_end_matches(':').to_owned()
    });
    let named = named.filter(|path| !path.is_empty());
    let used = uses(text).into_iter().filter_map(|path| {
        let up = path.split("::").take_while(|part| *part == "super").count();
        match path.strip_prefix("crate::") {
            Some(path) => Some(path.to_owned()),
            None if up > 0 => Some(from_above(module, up, &path["super::".len() * up..])),
            None => None,
        }
    });
    used.chain(named).collect()
}

/// A path from the module so many steps up.
fn from_above(module: &str, up: usize, path: &str) -> String {
    let parts: Vec<_> = module.split("::").collect();
    [&parts[..parts.len() - up], &[path]].concat().join("::")
}

/// The paths in the `use` lines at the outermost level of a file: what stands in a module within sees that module.
fn uses(text: &str) -> Vec<String> {
    let code = format!("\n{}", code(text));
    let statement = |rest: &str| flat(rest.split(';').next().unwrap());
    let starts = ["\nuse ", "\npub use ", "\npub(crate) use ", "\npub(super) use "];
    starts.iter().flat_map(|start| code.split(start).skip(1)).flat_map(statement).collect()
}

/// A file without its comments.
fn code(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n")
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn flat(tree: &str) -> Vec<String> {
    let Some((start, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inner = &rest[..rest.rfind('}').unwrap()];
    branches(inner).iter().flat_map(|branch| flat(branch)).map(|path| format!("{}{path}", start.trim())).collect()
}

/// The parts between the commas that stand in no inner braces.
fn branches(text: &str) -> Vec<String> {
    let mut branches = vec![String::new()];
    let mut depth = 0;
    for character in text.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match branches.last_mut() {
            Some(last) if character != ',' || depth > 0 => last.push(character),
            _ => branches.push(String::new()),
        }
    }
    branches.retain(|branch| !branch.trim().is_empty());
    branches
}
