//! Documents that grow.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

/// The beginning of an image's base64 that stays, with what says that it is one.
const HEAD: usize = 64;

/// The shortest base64 that is taken for an image.
const SHORTEST: usize = 256;

/// The same JSON object with about so many bytes: its images grow if it has any, otherwise copies of it are added in a
/// list.
pub(crate) fn grown(object: &str, size: usize) -> String {
    let images = images(object);
    if images.is_empty() { with_copies(object, size) } else { with_larger_images(object, &images, size) }
}

/// The images in a document, each in base64.
pub(crate) fn images(document: &str) -> Vec<String> {
    let mut images = Vec::new();
    collect(&serde_json::from_str(document).unwrap(), &mut images);
    images
}

fn collect(value: &Value, images: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST && BASE64_STANDARD.decode(text).is_ok() => {
            images.push(text.clone());
        }
        Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, images)),
        Value::Object(members) => members.values().for_each(|value| collect(value, images)),
        _ => {}
    }
}

fn with_copies(object: &str, size: usize) -> String {
    let copies = size.saturating_sub(object.len()) / (object.len() + 1);
    let start = object.trim_end().strip_suffix('}').unwrap();
    format!(r#"{start},"more":[{}]}}"#, vec![object; copies].join(","))
}

/// Each place of an image gets another image, and all of them the same length.
fn with_larger_images(object: &str, images: &[String], size: usize) -> String {
    let rest = object.len() - images.iter().map(String::len).sum::<usize>();
    let length = size.saturating_sub(rest) / images.len() / 4 * 4;
    let mut random = fastrand::Rng::with_seed(1);
    let (mut out, mut left) = (String::with_capacity(size), object);
    while let Some((at, image)) = first(left, images) {
        let bytes: Vec<u8> = (0..(length - HEAD) / 4 * 3).map(|_| random.u8(..)).collect();
        out.extend([&left[..at], &image[..HEAD], &BASE64_STANDARD.encode(bytes)]);
        left = &left[at + image.len()..];
    }
    out + left
}

/// The first image in a text, and its place.
fn first<'i>(text: &str, images: &'i [String]) -> Option<(usize, &'i str)> {
    images.iter().filter_map(|image| Some((text.find(image.as_str())?, image.as_str()))).min()
}
