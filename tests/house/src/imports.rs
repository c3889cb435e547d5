//! What a Rust file imports, by its text. This is no parser of Rust: it reads paths that begin with a known name, in
//! `use` lines and elsewhere, in code that `rustfmt` has laid out.

/// The first names behind `crate::` in a file: the rooms that it takes something from.
pub(crate) fn rooms(text: &str) -> Vec<String> {
    let code = without_comments(text);
    let mut rooms: Vec<String> = code.split("crate::").skip(1).flat_map(first_names).collect();
    rooms.sort();
    rooms.dedup();
    rooms
}

/// A file's text without comments, which may name what they like.
pub(crate) fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The first name of a path, or of each path in a list such as `{a::B, c::{D, E}}`.
fn first_names(path: &str) -> Vec<String> {
    if !path.starts_with('{') {
        return vec![first_name(path)];
    }
    let mut depth = 0;
    let mut names = Vec::new();
    let mut is_start = false;
    for (at, character) in path.char_indices() {
        match character {
            '{' | '}' => {
                depth = if character == '{' { depth + 1 } else { depth - 1 };
                is_start = depth == 1 && character == '{';
            }
            ',' => is_start = depth == 1,
            _ if is_start && !character.is_whitespace() => {
                names.push(first_name(&path[at..]));
                is_start = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

#[test]
fn the_first_names_of_paths_are_found_wherever_they_stand() {
    let text = "
        //! Not `crate::comment`.
        use crate::{
            // nor crate::this
            store::table::{
                SessionsTable,
                error::TableError,
            },
            time::{backoff::Pauses, deadline::Deadline},
            Line,
        };
        use crate::telemetry;
        use super::sibling::Thing;
        pub(in crate::polling) fn f() -> crate::lambda::gateway::Request {}
    ";
    assert_eq!(rooms(text), ["Line", "lambda", "polling", "store", "telemetry", "time"]);
}
