//! Paths without what differs from user to user.

/// What stands for a number, a UUID or a hexadecimal id.
pub const ID: &str = "{id}";

/// A path with [`ID`] for each segment that is one; its query is left out.
#[must_use]
pub fn template(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for (at, segment) in without_query(path).split('/').enumerate() {
        if at > 0 {
            out.push('/');
        }
        out.push_str(if is_id(segment) { ID } else { segment });
    }
    out
}

/// A path up to its query or fragment.
#[must_use]
pub fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or_default()
}

/// Whether a segment is made of digits, is a UUID, or a hexadecimal number of 8 digits or more.
#[must_use]
pub fn is_id(segment: &str) -> bool {
    const HEX_LEAST: usize = 8;
    const UUID: [usize; 5] = [8, 4, 4, 4, 12];
    let bytes = segment.as_bytes();
    if bytes.is_empty() {
        return false;
    }
    let hex = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
    // A word such as "facade" has no digit in it.
    let digit = bytes.iter().any(u8::is_ascii_digit);
    let plain = bytes.iter().all(u8::is_ascii_digit);
    let parts = segment.split('-');
    let uuid = parts.clone().map(str::len).eq(UUID) && parts.clone().all(|it| hex(it.as_bytes()));
    plain || uuid || (digit && bytes.len() >= HEX_LEAST && hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn ids_become_one() {
        for (path, expected) in [
            ("/", "/"),
            ("/orders/17/items/4", "/orders/{id}/items/{id}"),
            ("/u/3f2a9c01-11aa-4bcd-8eef-001122334455/x", "/u/{id}/x"),
            ("/blob/deadbeef01?size=3", "/blob/{id}"),
            ("/facade/decade", "/facade/decade"),
            ("/v2/users/", "/v2/users/"),
            ("//7", "//{id}"),
            ("/files/report-2024.pdf#top", "/files/report-2024.pdf"),
        ] {
            assert_eq!(template(path), expected, "{path}");
        }
    }
}
