//! JSON for people: one member on a line, except that an object with a single member, such as DynamoDB's types, takes
//! no line of its own.

use serde_json::Value;

const INDENT: &str = "  ";

/// The text of a value, its members in alphabetical order.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = String::new();
    write(value, "\n", &mut text);
    text
}

/// Writes a value; `line` is what begins a line of its own level.
fn write(value: &Value, line: &str, text: &mut String) {
    match value {
        Value::Object(members) if members.len() > 1 => {
            write_lines(members.iter().map(|(name, member)| (label(name), member)), ['{', '}'], line, text);
        }
        Value::Object(members) => {
            text.push('{');
            for (name, member) in members {
                text.push_str(&label(name));
                write(member, line, text);
            }
            text.push('}');
        }
        Value::Array(items) if !items.is_empty() => {
            write_lines(items.iter().map(|item| (String::new(), item)), ['[', ']'], line, text);
        }
        _ => text.push_str(&value.to_string()),
    }
}

fn label(name: &str) -> String {
    format!("{}: ", Value::from(name))
}

/// Writes values between brackets, each with its label on a line of its own.
fn write_lines<'v>(
    values: impl Iterator<Item = (String, &'v Value)>,
    [open, close]: [char; 2],
    line: &str,
    text: &mut String,
) {
    text.push(open);
    let inner = format!("{line}{INDENT}");
    for (number, (label, value)) in values.enumerate() {
        text.push_str(if number > 0 { "," } else { "" });
        text.push_str(&inner);
        text.push_str(&label);
        write(value, &inner, text);
    }
    text.push_str(line);
    text.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_wraps_one_value_takes_no_line() {
        let item = json!({"pk": {"S": "p"}, "session": {"M": {"a": {"N": "1"}, "b": {"L": [{"S": "\"é"}]}}}});
        let text = "{\n  \"pk\": {\"S\": \"p\"},\n  \"session\": {\"M\": {\n    \"a\": {\"N\": \"1\"},\n    \
                    \"b\": {\"L\": [\n      {\"S\": \"\\\"é\"}\n    ]}\n  }}\n}";
        assert_eq!(pretty(&item), text);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), item);
        assert_eq!(pretty(&json!([{}, []])), "[\n  {},\n  []\n]");
    }
}
