//! Fixtures of what Verdict stores: the items and messages that a release writes, as text, under
//! `tests/stored/{release}/`.
//!
//! [`today()`] makes them with the functions' own code; `tests/stored_items/` holds every release's against today's
//! code. What the files are, and what to do if the form changes: `tests/stored/README.md`.

mod difference;
mod misread;
mod stories;
mod text;
mod today;

pub use difference::{differences, lost};
pub use misread::misread;
pub use today::{as_read, today};

use crate::DynamoDb;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../stored");

/// The folder of the sessions that earlier releases misread, by release.
pub const MISREAD: &str = "misread";

/// The folder of the table's items.
const TABLE: &str = "table";
/// The name of the file that says how the items or the message beside it were read.
const EXPECTED: &str = "expected";

/// The releases that are out, each with the digest of its fixtures, which must not change any more.
const RELEASED: [(&str, &str); 2] = [
    ("0.1", "0b5137b75583c999b6b1a2ed012ef8f2f77d4be97e087e3c3183a6854a1ed963"),
    ("misread/0.1", "6e03188cda5bef83c71f5376cc86aec71d923ff1be21532d69b589a8d65ecfff"),
];

/// The fixtures of one release: the text of each file, by its path in the release's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixtures(BTreeMap<String, String>);

/// A session's partition of the table.
#[derive(Debug)]
pub struct Partition {
    /// The folder's name, which says what the session went through.
    pub name: String,
    /// The items with DynamoDB's types, by file name: the sort key, with the event's number in place of its id.
    pub items: BTreeMap<String, Value>,
    /// The session and its events as the release that wrote them read them.
    pub expected: Value,
}

/// The names of all releases that have fixtures, oldest first.
#[must_use]
pub fn releases() -> Vec<String> {
    let entries = fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let folders = entries.filter(|path| path.is_dir()).map(|path| file_name(&path));
    let mut releases: Vec<String> = folders.filter(|name| name != MISREAD).collect();
    releases.sort_by_key(|release| release.split('.').map(|part| part.parse::<u64>().unwrap()).collect::<Vec<_>>());
    releases
}

/// The digest of a release's fixtures, as it was when the release went out; `None` while it isn't out.
#[must_use]
pub fn released_digest(release: &str) -> Option<&'static str> {
    RELEASED.into_iter().find(|(name, _)| *name == release).map(|(_, digest)| digest)
}

impl Fixtures {
    /// Reads a release's fixtures.
    ///
    /// # Panics
    /// If they can't be read.
    #[must_use]
    pub fn of(release: &str) -> Self {
        let folder = folder(release);
        let files = files_under(&folder).into_iter().map(|file| {
            let path = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            (path, fs::read_to_string(&file).unwrap())
        });
        Self(files.collect())
    }

    /// Writes them as a release's fixtures, in the place of those there are.
    ///
    /// # Panics
    /// If they can't be written.
    pub fn save(&self, release: &str) {
        let folder = folder(release);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        for (path, text) in &self.0 {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
    }

    /// Each file's path and text.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// A file's text.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The SHA-256 of all names and texts, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for (path, text) in &self.0 {
            digest.update(format!("{path}\0{}\0{text}", text.len()));
        }
        digest.finalize().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    }

    /// The sessions' partitions.
    #[must_use]
    pub fn partitions(&self) -> Vec<Partition> {
        let folders = self.folders(TABLE).into_iter();
        folders
            .map(|(name, mut items)| {
                let expected = items.remove(EXPECTED).unwrap_or_else(|| panic!("{name} has no {EXPECTED}.json"));
                Partition { name, items, expected }
            })
            .collect()
    }

    /// The JSON of the files of each folder in a folder, by file name without its ending.
    #[must_use]
    pub fn folders(&self, of: &str) -> BTreeMap<String, BTreeMap<String, Value>> {
        let mut folders: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for (path, text) in self.files() {
            if let [first, folder, file] = path.split('/').collect::<Vec<_>>()[..]
                && first == of
            {
                let name = file.strip_suffix(".json").unwrap().to_owned();
                folders.entry(folder.to_owned()).or_default().insert(name, serde_json::from_str(text).unwrap());
            }
        }
        folders
    }

    fn insert(&mut self, path: String, text: String) {
        match self.0.entry(path) {
            Entry::Vacant(free) => _ = free.insert(text),
            Entry::Occupied(taken) => panic!("two fixtures are called {}", taken.key()),
        }
    }

    fn insert_json(&mut self, path: String, value: &Value) {
        self.insert(path, format!("{}\n", text::pretty(value)));
    }
}

impl Partition {
    /// Puts the items in a table.
    pub fn put(&self, table: &DynamoDb) {
        self.items.values().for_each(|item| table.put(item));
    }
}

fn folder(release: &str) -> PathBuf {
    Path::new(FOLDER).join(release)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}
