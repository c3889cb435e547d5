//! An input as an HTTP request: a first line, headers, an empty line, and the body. That way a mutation of the text is a
//! mutation of one of its parts, and a find can be read.

use verdict_webhooks::Delivery;

/// A request, as far as a delivery holds it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// The query's parameters.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Takes any bytes for a request. Without an empty line they are all body.
    #[must_use]
    pub fn parse(input: &[u8]) -> Self {
        let end_of_head = input.windows(2).position(|bytes| bytes == b"\n\n");
        let (head, body) = end_of_head.map_or((&input[..0], input), |end| (&input[..end], &input[end + 2..]));
        let head = String::from_utf8_lossy(head);
        let mut lines = head.split('\n');
        let first = lines.next().unwrap_or_default();
        let (method, target) = first.split_once(' ').unwrap_or((first, ""));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs(query.split('&'), "="),
            headers: pairs(lines, ": "),
            body: body.to_owned(),
        }
    }

    /// The same with another body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The same with this value for a header, and no other.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same with this value for a query parameter, and no other.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.query.retain(|(known, _)| known != name);
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The request as a proof gets it.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        let headers = self.headers.iter().cloned().collect();
        Delivery::new(&self.method, &self.path, headers, self.body.clone()).with_query(self.query.clone())
    }
}

fn pairs<'t>(texts: impl Iterator<Item = &'t str>, separator: &str) -> Vec<(String, String)> {
    texts
        .filter(|text| !text.is_empty())
        .map(|text| text.split_once(separator).unwrap_or((text, "")))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
