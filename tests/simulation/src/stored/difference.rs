//! Differences between two JSON values, member by member.

use serde_json::Value;
use std::collections::BTreeMap;

/// Returns the losses between two values: each member of `before` that is gone in `after`, or has another value there.
/// A member that only `after` has isn't a loss.
#[must_use]
pub fn lost(before: &Value, after: &Value) -> Vec<String> {
    let after = leaves(after);
    let lost = leaves(before).into_iter().filter_map(|(path, was)| match after.get(&path) {
        None => Some(format!("{path}: {was} is gone")),
        Some(is) if *is != was => Some(format!("{path}: {was} is now {is}")),
        Some(_) => None,
    });
    lost.collect()
}

/// Returns the losses, and each member that only `after` has.
#[must_use]
pub fn differences(before: &Value, after: &Value) -> Vec<String> {
    let known = leaves(before);
    let new = leaves(after).into_iter().filter(|(path, _)| !known.contains_key(path));
    lost(before, after).into_iter().chain(new.map(|(path, is)| format!("{path}: {is} is new"))).collect()
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
}
