//! DynamoDB's expressions: conditions and updates, as far as functions and their peers write them.
//!
//! The grammar: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>

use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// An item with DynamoDB's types: `{"pk": {"S": "…"}, …}`.
pub(crate) type Item = Map<String, Value>;

/// What an expression says that isn't understood.
#[derive(Debug)]
pub(crate) struct Unknown(pub(crate) String);

/// Whether a condition holds of an item, whose names and values the request explains.
pub(crate) fn holds(condition: &str, item: Option<&Item>, request: &Value) -> Result<bool, Unknown> {
    let mut reader = Reader::new(condition, item, request);
    let holds = reader.any()?;
    reader.end()?;
    Ok(holds)
}

/// Changes an item as an update says.
pub(crate) fn update(update: &str, item: &mut Item, request: &Value) -> Result<(), Unknown> {
    let before = item.clone();
    let mut reader = Reader::new(update, Some(&before), request);
    while let Some(section) = reader.next() {
        loop {
            let name = reader.name()?;
            match section {
                "SET" => {
                    reader.expect("=")?;
                    let value = reader.sum()?.ok_or_else(|| Unknown(update.to_owned()))?;
                    item.insert(name, value);
                }
                "REMOVE" => drop(item.remove(&name)),
                "ADD" => {
                    let plus = reader.operand()?;
                    let sum = number(before.get(&name)).unwrap_or(0.0) + number(plus.as_ref()).unwrap_or(0.0);
                    item.insert(name, json!({"N": sum.to_string()}));
                }
                _ => return Err(Unknown(update.to_owned())),
            }
            if !reader.takes(",") {
                break;
            }
        }
    }
    Ok(())
}

/// The members of an item that a list of names, with commas between them, leaves.
pub(crate) fn project(names: &str, item: &Item, request: &Value) -> Item {
    let names = names.split(',').map(|name| real_name(name.trim(), request));
    names.filter_map(|name| item.get(&name).map(|value| (name, value.clone()))).collect()
}

/// The value that an attribute must have by the first comparison of a key condition: its partition.
pub(crate) fn partition<'r>(condition: &str, request: &'r Value) -> Option<(String, &'r Value)> {
    let tokens = tokens(condition);
    let [name, "=", value, ..] = tokens[..] else { return None };
    Some((real_name(name, request), &request["ExpressionAttributeValues"][value]))
}

fn real_name(name: &str, request: &Value) -> String {
    request["ExpressionAttributeNames"][name].as_str().unwrap_or(name).to_owned()
}

fn tokens(expression: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while !rest.is_empty() {
        let is_word = |c: char| c.is_alphanumeric() || "_#:.-".contains(c);
        let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let length = match word {
            0 if ["<>", "<=", ">="].iter().any(|two| rest.starts_with(two)) => 2,
            0 => rest.chars().next().map_or(1, char::len_utf8),
            word => word,
        };
        let (token, later) = rest.split_at(length);
        tokens.push(token);
        rest = later.trim_start();
    }
    tokens
}

/// Reads an expression, and says at once what is true of the item.
struct Reader<'e> {
    expression: &'e str,
    /// Those that aren't read yet, the next one last.
    tokens: Vec<&'e str>,
    item: Option<&'e Item>,
    request: &'e Value,
}

impl<'e> Reader<'e> {
    fn new(expression: &'e str, item: Option<&'e Item>, request: &'e Value) -> Self {
        let mut tokens = tokens(expression);
        tokens.reverse();
        Self { expression, tokens, item, request }
    }

    fn next(&mut self) -> Option<&'e str> {
        self.tokens.pop()
    }

    fn takes(&mut self, token: &str) -> bool {
        self.tokens.pop_if(|next| next.eq_ignore_ascii_case(token)).is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), Unknown> {
        if self.takes(token) { Ok(()) } else { Err(self.unknown()) }
    }

    fn end(&self) -> Result<(), Unknown> {
        if self.tokens.is_empty() { Ok(()) } else { Err(self.unknown()) }
    }

    fn unknown(&self) -> Unknown {
        Unknown(format!("{}: not understood from the end back to {:?}", self.expression, self.tokens.last()))
    }

    fn any(&mut self) -> Result<bool, Unknown> {
        let mut holds = self.all()?;
        while self.takes("OR") {
            holds |= self.all()?;
        }
        Ok(holds)
    }

    fn all(&mut self) -> Result<bool, Unknown> {
        let mut holds = self.term()?;
        while self.takes("AND") {
            holds &= self.term()?;
        }
        Ok(holds)
    }

    fn term(&mut self) -> Result<bool, Unknown> {
        if self.takes("NOT") {
            return Ok(!self.term()?);
        }
        if self.takes("(") {
            let holds = self.any()?;
            self.expect(")")?;
            return Ok(holds);
        }
        for (function, is_wanted) in [("attribute_exists", true), ("attribute_not_exists", false)] {
            if self.takes(function) {
                self.expect("(")?;
                let is_there = self.operand()?.is_some();
                self.expect(")")?;
                return Ok(is_there == is_wanted);
            }
        }
        if self.takes("begins_with") {
            self.expect("(")?;
            let text = self.operand()?;
            self.expect(",")?;
            let start = self.operand()?;
            self.expect(")")?;
            return Ok(string(text.as_ref())
                .zip(string(start.as_ref()))
                .is_some_and(|(text, start)| text.starts_with(start)));
        }
        self.comparison()
    }

    /// Of what is absent, no comparison holds, except that it isn't equal to anything.
    fn comparison(&mut self) -> Result<bool, Unknown> {
        let left = self.operand()?;
        let comparator = self.next().ok_or_else(|| self.unknown())?;
        let right = self.operand()?;
        let order = order(left.as_ref(), right.as_ref());
        Ok(match comparator {
            "=" => left.is_some() && left == right,
            "<>" => left != right,
            "<" => order == Some(Ordering::Less),
            ">" => order == Some(Ordering::Greater),
            "<=" => order.is_some_and(Ordering::is_le),
            ">=" => order.is_some_and(Ordering::is_ge),
            between if between.eq_ignore_ascii_case("BETWEEN") => {
                self.expect("AND")?;
                let upper = self.operand()?;
                order.is_some_and(Ordering::is_ge)
                    && self::order(left.as_ref(), upper.as_ref()).is_some_and(Ordering::is_le)
            }
            _ => return Err(self.unknown()),
        })
    }

    /// An operand, plus or minus another.
    fn sum(&mut self) -> Result<Option<Value>, Unknown> {
        let left = self.operand()?;
        let sign = if self.takes("+") {
            1.0
        } else if self.takes("-") {
            -1.0
        } else {
            return Ok(left);
        };
        let right = self.operand()?;
        let sum = number(left.as_ref()).zip(number(right.as_ref())).map(|(left, right)| left + sign * right);
        Ok(sum.map(|sum| json!({"N": sum.to_string()})))
    }

    /// A value of the request's, or of the item's, if it has such an attribute.
    fn operand(&mut self) -> Result<Option<Value>, Unknown> {
        if self.takes("if_not_exists") {
            self.expect("(")?;
            let there = self.operand()?;
            self.expect(",")?;
            let otherwise = self.operand()?;
            self.expect(")")?;
            return Ok(there.or(otherwise));
        }
        let token = self.next().ok_or_else(|| self.unknown())?;
        if token.starts_with(':') {
            return self.request["ExpressionAttributeValues"]
                .get(token)
                .cloned()
                .map(Some)
                .ok_or_else(|| self.unknown());
        }
        let mut names = token.split('.').map(|name| real_name(name, self.request));
        let first = names.next().and_then(|name| self.item?.get(&name));
        Ok(names.fold(first, |value, name| value?.get("M")?.get(&name)).cloned())
    }

    /// The name of an attribute, which stands for itself.
    fn name(&mut self) -> Result<String, Unknown> {
        self.next().map(|name| real_name(name, self.request)).ok_or_else(|| self.unknown())
    }
}

fn order(left: Option<&Value>, right: Option<&Value>) -> Option<Ordering> {
    match (string(left), string(right)) {
        (Some(left), Some(right)) => Some(left.cmp(right)),
        _ => number(left)?.partial_cmp(&number(right)?),
    }
}

fn string(typed: Option<&Value>) -> Option<&str> {
    typed?.get("S")?.as_str()
}

fn number(typed: Option<&Value>) -> Option<f64> {
    typed?.get("N")?.as_str()?.parse().ok()
}
