//! Rooms import downwards, by the module's path.

use crate::{
    imports,
    plan::ROOMS,
    sources::{root, rust_files},
};
use std::path::{Component, Path, PathBuf};

type Files = Vec<(PathBuf, String)>;

#[test]
fn each_room_imports_only_from_rooms_below_it() {
    for (folder, rooms) in ROOMS {
        let files = rust_files(&root().join(folder).join("src"));
        assert!(files.len() > rooms.len(), "{folder}: {} files", files.len());
        let departures = departures(rooms, &files);
        assert!(departures.is_empty(), "{folder} leaves the plan:\n{}", departures.join("\n"));
    }
}

/// What in some files leaves the plan.
fn departures(rooms: &[&str], files: &Files) -> Vec<String> {
    let mut departures = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| path != Path::new("lib.rs")) {
        let own = room_of(path);
        let Some(floor) = rooms.iter().position(|room| *room == own) else {
            departures.push(format!("{}: the room `{own}` is not in the plan", path.display()));
            continue;
        };
        for imported in imports::rooms(text) {
            match rooms.iter().position(|room| *room == imported) {
                None => departures.push(format!("{}: `crate::{imported}` is no room", path.display())),
                Some(other) if other < floor => {
                    departures.push(format!("{}: `{own}` imports upwards from `{imported}`", path.display()));
                }
                Some(_) => {}
            }
        }
        if climbs(path, text) {
            departures.push(format!("{}: `super::` leaves the room; say `crate::`", path.display()));
        }
    }
    departures
}

/// The first folder of a path, or its file's name.
fn room_of(path: &Path) -> String {
    let first = path.components().next().map(Component::as_os_str).unwrap_or_default();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// Whether `super::` may lead out of the room. Tests in a file take everything from it.
fn climbs(path: &Path, text: &str) -> bool {
    let code = imports::without_comments(text).replace("use super::*;", "");
    code.contains("super::super") || (path.components().count() == 1 && code.contains("super::"))
}

#[test]
fn an_import_that_leaves_the_plan_is_seen() {
    let rooms = ["top", "middle", "ground"];
    let seen = |path: &str, text: &str| departures(&rooms, &vec![(path.into(), text.into())]);
    for fine in
        ["use crate::ground::Thing;", "use crate::middle::other;", "use super::other;", "mod tests { use super::*; }"]
    {
        assert_eq!(seen("middle/file.rs", fine), [""; 0], "{fine}");
    }
    for (path, text, departure) in [
        ("middle/file.rs", "use crate::top::Thing;", "middle/file.rs: `middle` imports upwards from `top`"),
        (
            "middle/file.rs",
            "use crate::{ground::A, top::{B, C}};",
            "middle/file.rs: `middle` imports upwards from `top`",
        ),
        ("ground.rs", "fn f() { crate::middle::g() }", "ground.rs: `ground` imports upwards from `middle`"),
        ("top.rs", "use crate::Thing;", "top.rs: `crate::Thing` is no room"),
        ("attic/file.rs", "", "attic/file.rs: the room `attic` is not in the plan"),
        ("ground/file.rs", "use super::super::top::Thing;", "ground/file.rs: `super::` leaves the room; say `crate::`"),
        ("ground.rs", "use super::top::Thing;", "ground.rs: `super::` leaves the room; say `crate::`"),
    ] {
        assert_eq!(seen(path, text), [departure], "{text}");
    }
    assert_eq!(seen("lib.rs", "pub use crate::top::Thing;"), [""; 0]);
}
