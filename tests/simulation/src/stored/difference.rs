//! Differences between two JSON values, member by member.

use serde_json::Value;
use std::collections::BTreeMap;

/// Returns the losses between two values: each member of `before` that is gone in `after`, or has another value there.
/// A member that only `after` has isn't a loss, nor is an attribute that held DynamoDB's null and is now left out.
#[must_use]
pub fn lost(before: &Value, after: &Value) -> Vec<String> {
    let after_leaves = leaves(after);
    let is_lost = |(path, _): &(String, String)| !is_null_left_out(path, &after_leaves);
    gone_or_changed(before, after).into_iter().filter(is_lost).map(|(_, lost)| lost).collect()
}

/// Returns each member of `before` that is gone or changed, and each that only `after` has.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let known = leaves(before);
    let new = leaves(after).into_iter().filter(|(path, _)| !known.contains_key(path));
    let lost = gone_or_changed(before, after).into_iter().map(|(_, lost)| lost);
    lost.chain(new.map(|(path, is)| format!("{path}: {is} is new"))).collect()
}

/// The members of `before` that are gone or have another value in `after`: the path of each, and what became of it.
fn gone_or_changed(before: &Value, after: &Value) -> Vec<(String, String)> {
    let after = leaves(after);
    let lost = leaves(before).into_iter().filter_map(|(path, was)| match after.get(&path) {
        None => Some((path.clone(), format!("{path}: {was} is gone"))),
        Some(is) if *is != was => Some((path.clone(), format!("{path}: {was} is now {is}"))),
        Some(_) => None,
    });
    lost.collect()
}

/// Returns whether a path is that of an attribute's null, and nothing stands in its place.
fn is_null_left_out(path: &str, after: &BTreeMap<String, &Value>) -> bool {
    let is_in = |attribute: &str| {
        after.range(attribute.to_owned()..).next().is_some_and(|(path, _)| {
            path.strip_prefix(attribute).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    path.strip_suffix(".NULL").is_some_and(|attribute| !is_in(attribute))
}

/// The values that hold no others, by their paths.
fn leaves(value: &Value) -> BTreeMap<String, &Value> {
    let mut leaves = BTreeMap::new();
    collect(value, String::new(), &mut leaves);
    leaves
}

fn collect<'v>(value: &'v Value, path: String, leaves: &mut BTreeMap<String, &'v Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, member)| collect(member, format!("{path}.{name}"), leaves));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(index, item)| collect(item, format!("{path}[{index}]"), leaves));
        }
        _ => {
            leaves.insert(path, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_member_that_is_gone_or_changed_is_lost_and_a_new_one_is_a_difference() {
        let before = json!({"a": {"b": 1, "c": null}, "d": [{}, "x"]});
        assert_eq!(lost(&before, &before), [""; 0]);
        let after = json!({"a": {"b": 2}, "d": [{"e": 3}, "x"]});
        assert_eq!(lost(&before, &after), [".a.b: 1 is now 2", ".a.c: null is gone", ".d[0]: {} is gone"]);
        assert_eq!(differences(&before, &after)[3..], [".d[0].e: 3 is new"]);
    }

    #[test]
    fn an_attribute_that_held_null_may_be_left_out_and_not_hold_something_else() {
        let of = |attributes: Value| json!({"M": attributes});
        let before = of(json!({"a": {"NULL": true}, "ab": {"S": "x"}}));
        let left_out = of(json!({"ab": {"S": "x"}}));
        assert_eq!(lost(&before, &left_out), [""; 0]);
        assert_eq!(differences(&before, &left_out), [".M.a.NULL: true is gone"], "it is another form");
        assert_eq!(lost(&before, &of(json!({"a": {"S": "y"}, "ab": {"S": "x"}}))), [".M.a.NULL: true is gone"]);
        assert_eq!(lost(&before, &of(json!({"a": {"M": {}}, "ab": {"S": "x"}}))), [".M.a.NULL: true is gone"]);
    }
}
