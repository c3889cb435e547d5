//! The parameters of a query, read strictly: what a reader misspells must not silently widen the answer.

use std::fmt;

/// The problem of a query, as text for the caller. It names parameters that are known, and repeats nothing else of the
/// request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryProblem {
    /// A parameter is none of those that are known.
    Unknown(&'static [&'static str]),
    /// A parameter stands there more than once.
    Repeated(&'static str),
    /// A parameter has no value.
    Blank(&'static str),
}

impl fmt::Display for QueryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown([]) => f.write_str("this path takes no parameters; leave them out"),
            Self::Unknown(known) => {
                write!(f, "a parameter is unknown; this path takes {}", listed(known, "and"))
            }
            Self::Repeated(name) => write!(f, "`{name}` stands there more than once; send it once"),
            Self::Blank(name) => write!(f, "`{name}` has no value; give it one, or leave it out"),
        }
    }
}

/// Words as a choice for a reader: `` `a`, `b` or `c` ``.
#[must_use]
pub fn either(words: &[&str]) -> String {
    listed(words, "or")
}

fn listed(words: &[&str], before_last: &str) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match &*words {
        [words @ .., last] if !words.is_empty() => format!("{} {before_last} {last}", words.join(", ")),
        words => words.concat(),
    }
}

/// A query's parameters: each is known, has a value, and stands there once.
#[derive(Debug)]
pub struct Parameters<'q>(Vec<(&'static str, &'q str)>);

impl<'q> Parameters<'q> {
    /// Reads a query of which these parameters are known. Those of a presigned request (`X-Amz-…`) are left out.
    ///
    /// # Errors
    /// [`QueryProblem`].
    pub fn read(query: &'q [(String, String)], known: &'static [&'static str]) -> Result<Self, QueryProblem> {
        let mut parameters = Vec::new();
        for (name, value) in query.iter().filter(|(name, _)| !is_of_signature(name)) {
            let name = *known.iter().find(|known| *known == name).ok_or(QueryProblem::Unknown(known))?;
            if parameters.iter().any(|(there, _)| *there == name) {
                return Err(QueryProblem::Repeated(name));
            }
            if value.trim().is_empty() {
                return Err(QueryProblem::Blank(name));
            }
            parameters.push((name, value.as_str()));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter, if it is there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'q str> {
        self.0.iter().find(|(there, _)| *there == name).map(|(_, value)| *value)
    }
}

/// A presigned request carries its signature in its query.
fn is_of_signature(name: &str) -> bool {
    name.get(..6).is_some_and(|beginning| beginning.eq_ignore_ascii_case("x-amz-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["session", "event"];

    fn read(pairs: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let query: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let read = Parameters::read(&query, KNOWN).map_err(|problem| problem.to_string())?;
        Ok(KNOWN.iter().filter_map(|name| Some(((*name).to_owned(), read.get(name)?.to_owned()))).collect())
    }

    #[test]
    fn a_parameter_is_known_has_a_value_and_stands_there_once() {
        let both = [("session".to_owned(), "s".to_owned()), ("event".to_owned(), " e ".to_owned())];
        assert_eq!(read(&[("event", " e "), ("session", "s")]).unwrap(), both);
        assert_eq!(read(&[]).unwrap(), []);
        for (query, problem) in [
            (&[("session", "s"), ("canary", "x")][..], "a parameter is unknown; this path takes `session` and `event`"),
            (&[("Session", "s")], "a parameter is unknown; this path takes `session` and `event`"),
            (&[("", "")], "a parameter is unknown; this path takes `session` and `event`"),
            (&[("session", "s"), ("session", "s")], "`session` stands there more than once; send it once"),
            (&[("session", " \t")], "`session` has no value; give it one, or leave it out"),
        ] {
            assert_eq!(read(query).unwrap_err(), problem, "{query:?}");
        }
        assert_eq!(QueryProblem::Unknown(&[]).to_string(), "this path takes no parameters; leave them out");
    }

    #[test]
    fn the_parameters_of_a_signature_are_none_of_ours() {
        let signed = [("X-Amz-Signature", "0"), ("x-amz-date", ""), ("X-Amz-Date", ""), ("session", "s")];
        assert_eq!(read(&signed).unwrap(), [("session".to_owned(), "s".to_owned())]);
        for near in ["x-amz", "X-Amzn", "é-amz-x", "xx-amz-date"] {
            assert!(read(&[(near, "x")]).is_err(), "{near}");
        }
    }
}
