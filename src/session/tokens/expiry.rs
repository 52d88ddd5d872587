//! When a JWT (RFC 7519) says that it ends.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

/// The claim `exp`: seconds since 1970. None if the token is no JWT, or has no such claim. The
/// signature is the target's business.
pub(super) fn expiry(token: &str) -> Option<u64> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let json = BASE64URL_NOPAD.decode(payload.trim_end_matches('=').as_bytes()).ok()?;
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    // NumericDate (section 2): seconds, fractions allowed.
    let seconds = std::time::Duration::try_from_secs_f64(claims.exp?).ok()?;
    Some(seconds.as_secs())
}

#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::expiry;

    #[test]
    fn exp_of_a_jwt() {
        // The payload of RFC 7519 section 3.1.
        let rfc = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MT\
                   kzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uh\
                   bUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(expiry(rfc), Some(1_300_819_380));
        // {"exp":1.5e9}, {"exp":-1}, {"sub":"a"}, no JSON.
        assert_eq!(expiry("e30.eyJleHAiOjEuNWU5fQ.x"), Some(1_500_000_000));
        assert_eq!(expiry("e30.eyJleHAiOi0xfQ.x"), None);
        assert_eq!(expiry("e30.eyJzdWIiOiJhIn0.x"), None);
        assert_eq!(expiry("e30.e.x"), None);
        for token in ["", "opaque", "a.b", "a.b.c", "a.eyJleHAiOjF9.b.c", "..", "é.é.é"] {
            assert_eq!(expiry(token), None, "{token}");
        }
    }
}
