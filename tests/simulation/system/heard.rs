//! Requests as the system reads them.

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) method: String,
    /// Without the query.
    pub(super) path: String,
    pub(super) query: String,
    /// Behind `Bearer`, or in the query.
    pub(super) token: Option<String>,
    /// Who the client says that it speaks for.
    pub(super) user: Option<String>,
    pub(super) body: serde_json::Value,
    pub(super) upgrade: bool,
}

impl Heard {
    /// The request at the front of these bytes, and its length, once it is all there.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&bytes[..end]).expect("a head of a request is text");
        let mut lines = head.lines();
        let mut first = lines.next().expect("a request line").split(' ');
        let method = first.next().expect("a method").to_owned();
        let target = first.next().expect("a target");
        assert_eq!(first.next(), Some("HTTP/1.1"), "{head}");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let field = |name: &str| {
            let of = |line: &'_ str| {
                let (key, value) = line.split_once(": ")?;
                key.eq_ignore_ascii_case(name).then(|| value.to_owned())
            };
            lines.clone().find_map(of)
        };
        let parameter = |name: &str| {
            let mut parts = query.split('&').filter_map(|part| part.split_once('='));
            let found = parts.find(|(key, _)| *key == name);
            found.map(|(_, value)| value.replace("%40", "@"))
        };
        let length = field("Content-Length").map_or(0, |text| text.parse().expect("a length"));
        let body = bytes.get(end..end + length)?;
        let bearer = field("Authorization");
        let bearer = bearer.and_then(|it| it.strip_prefix("Bearer").map(|it| it.trim().to_owned()));
        let heard = Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            token: bearer.or_else(|| parameter("token")),
            user: field("X-User").or_else(|| parameter("user")),
            body: serde_json::from_slice(body).unwrap_or_default(),
            upgrade: field("Upgrade").is_some(),
        };
        Some((heard, end + length))
    }

    /// A text of the body.
    pub(super) fn text(&self, key: &str) -> &str {
        let found = self.body.get(key).and_then(serde_json::Value::as_str);
        found.unwrap_or_else(|| panic!("no {key} in {self:?}"))
    }
}
