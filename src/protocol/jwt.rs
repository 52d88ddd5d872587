//! JSON Web Tokens (RFC 7519) in compact form, signed with HMAC-SHA256 alone: no clock, no registry
//! of algorithms.
//!
//! ```text
//!  eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9 . eyJzdWIiOiJhQGIuYyIsImV4cCI6OX0 . dBjftJeZ4CVP…
//!  └ base64url({"typ":"JWT","alg":…})     └ base64url({"sub":…,"exp":…})    └ MAC of both
//! ```
//!
//! Does:   signs, verifies, and reads the expiry of tokens that others signed.
//! Takes:  claims as JSON, a [`Key`], the time as unix seconds.
//! Gives:  tokens, [`Claims`], or the [`JwtError`] that says what is wrong.
//! Why so: a verifier that looks the algorithm up can be talked into another one; this one knows
//!         HS256 and refuses all else, `none` among it.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

/// A longer token is not looked at: HTTP servers take 8 to 16 KiB of head.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// `{"typ":"JWT","alg":"HS256"}`
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

/// A secret, with the part of the MAC that depends on it alone done once.
#[derive(Clone)]
pub struct Key {
    mac: Hmac<Sha256>,
}

/// Says nothing of the secret.
impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key(***)")
    }
}

impl Key {
    /// A key of any length; below 32 bytes it is weaker than the hash (RFC 7518 section 3.2).
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 section 2)")]
    pub fn new(secret: &[u8]) -> Self {
        Self { mac: Hmac::new_from_slice(secret).expect("HMAC takes any key") }
    }

    /// The HMAC-SHA256 of the parts, one behind the other.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// Compares in constant time.
    fn verify(&self, signed: &str, signature: &[u8]) -> Result<(), JwtError> {
        let mut mac = self.mac.clone();
        mac.update(signed.as_bytes());
        mac.verify_slice(signature).map_err(|_| JwtError::Signature)
    }
}

/// Signs claims: a JSON object, usually with `sub`, `iat` and `exp`.
#[must_use]
pub fn sign(claims: &serde_json::Map<String, serde_json::Value>, key: &Key) -> String {
    let mut token = String::new();
    sign_json(&serde_json::json!(claims).to_string(), key, &mut token);
    token
}

/// Signs claims that are JSON text already, and appends the token.
pub fn sign_json(claims: &str, key: &Key, out: &mut String) {
    let start = out.len();
    out.push_str(HEADER);
    out.push('.');
    BASE64URL_NOPAD.encode_append(claims.as_bytes(), out);
    let signature = key.mac(&[out.get(start..).unwrap_or_default().as_bytes()]);
    out.push('.');
    BASE64URL_NOPAD.encode_append(&signature, out);
}

/// What a token says; claims of other names are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// Whom it is about.
    #[serde(default)]
    pub sub: Option<String>,
    /// The token's own name.
    #[serde(default)]
    pub jti: Option<String>,
    /// When it was made, in unix seconds.
    #[serde(default)]
    pub iat: Option<Seconds>,
    /// From when on it is void, in unix seconds.
    #[serde(default)]
    pub exp: Option<Seconds>,
}

/// Unix seconds, rounded down where a token has a fraction (RFC 7519 section 2, NumericDate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "serde_json::Number")]
pub struct Seconds(pub u64);

impl TryFrom<serde_json::Number> for Seconds {
    type Error = &'static str;

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is negative is refused, what is too large becomes the largest"
    )]
    fn try_from(number: serde_json::Number) -> Result<Self, Self::Error> {
        if let Some(whole) = number.as_u64() {
            return Ok(Self(whole));
        }
        let seconds = number.as_f64().filter(|seconds| *seconds >= 0.0);
        seconds.map(|seconds| Self(seconds as u64)).ok_or("a time before 1970")
    }
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not three parts of base64url with JSON in the first two.
    #[error("it is no JSON Web Token (RFC 7519, 3)")]
    Malformed,
    /// Its algorithm is another one, or none.
    #[error("its algorithm is not HS256 (RFC 8725, 3.1)")]
    Algorithm,
    /// Somebody else signed it, or it was changed.
    #[error("its signature is wrong")]
    Signature,
    /// It has no `exp`, so it would be good for ever.
    #[error("it has no expiry")]
    NoExpiry,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
}

/// What a token says, if it was signed with this key and its time is not over at `now`, in unix
/// seconds.
///
/// # Errors
/// The first of what is wrong, the signature before the claims.
pub fn verify(token: &str, key: &Key, now: u64) -> Result<Claims, JwtError> {
    let Parts { header, claims, signature } = Parts::of(token).ok_or(JwtError::Malformed)?;
    if header != HEADER {
        let header: Header = json(header).ok_or(JwtError::Malformed)?;
        if header.alg != "HS256" {
            return Err(JwtError::Algorithm);
        }
    }
    let signature =
        BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| JwtError::Malformed)?;
    let signed = token.get(..header.len() + 1 + claims.len()).unwrap_or_default();
    key.verify(signed, &signature)?;
    let claims: Claims = json(claims).ok_or(JwtError::Malformed)?;
    match claims.exp {
        None => Err(JwtError::NoExpiry),
        Some(Seconds(exp)) if exp <= now => Err(JwtError::Expired),
        Some(_) => Ok(claims),
    }
}

/// When a token expires, in unix seconds, whoever signed it in whichever way. What is no token, or
/// has no expiry, gives none.
#[must_use]
pub fn expiry(token: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Expiry {
        exp: Seconds,
    }
    let parts = Parts::of(token)?;
    let _: Header = json(parts.header)?;
    json(parts.claims).map(|Expiry { exp: Seconds(exp) }| exp)
}

/// Compact form (RFC 7515 section 3.1).
struct Parts<'a> {
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn of(token: &'a str) -> Option<Self> {
        let mut parts = Some(token).filter(|token| token.len() <= TOKEN_BYTES_MAX)?.split('.');
        let parsed =
            Self { header: parts.next()?, claims: parts.next()?, signature: parts.next()? };
        parts.next().is_none().then_some(parsed)
    }
}

/// The one field of the header that is looked at; each token has it (RFC 7515 section 4.1.1).
#[derive(Deserialize)]
struct Header {
    alg: String,
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
    // An array would pass for an object whose fields stand in order.
    let object = bytes.trim_ascii_start().starts_with(b"{");
    serde_json::from_slice(&bytes).ok().filter(|_| object)
}

#[cfg(test)]
mod tests {
    use super::{
        BASE64URL_NOPAD, Claims, HEADER, JwtError, Key, Seconds, TOKEN_BYTES_MAX, expiry, sign,
        sign_json, verify,
    };

    /// RFC 7515, A.1: the token and the key as they stand there.
    const RFC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0\
        cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const RFC_KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4h\
        cgUuTwjAzZr1Z9CAow";
    const RFC_EXPIRY: u64 = 1_300_819_380;

    fn rfc_key() -> Key {
        Key::new(&BASE64URL_NOPAD.decode(RFC_KEY.as_bytes()).unwrap())
    }

    fn token(header: &str, claims: &str, key: &Key) -> String {
        let [header, claims] = [header, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes()));
        let signed = format!("{header}.{claims}");
        let mac = key.mac(&[signed.as_bytes()]);
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac))
    }

    #[test]
    fn the_example_of_the_rfc() {
        let claims = Claims { exp: Some(Seconds(RFC_EXPIRY)), ..Claims::default() };
        assert_eq!(verify(RFC, &rfc_key(), RFC_EXPIRY - 1), Ok(claims));
        assert_eq!(verify(RFC, &rfc_key(), RFC_EXPIRY), Err(JwtError::Expired));
        assert_eq!(expiry(RFC), Some(RFC_EXPIRY));
    }

    /// `jsonwebtoken` 9.0.3 of npm made it with
    /// `jwt.sign({sub: "a@b.c", exp: 4e9, jti: "1"}, "secret", {noTimestamp: true})`.
    #[test]
    fn another_implementation_agrees() {
        let theirs = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
            eyJzdWIiOiJhQGIuYyIsImV4cCI6NDAwMDAwMDAwMCwianRpIjoiMSJ9.\
            Qop3Zct9Ltsy_PBAjOxdon2PHmJNR6W8r58X-B1Pe3s";
        let claims = Claims {
            sub: Some("a@b.c".to_owned()),
            jti: Some("1".to_owned()),
            iat: None,
            exp: Some(Seconds(4_000_000_000)),
        };
        assert_eq!(verify(theirs, &Key::new(b"secret"), 0), Ok(claims));
    }

    #[test]
    fn what_is_signed_is_verified() {
        let key = Key::new(b"secret");
        let serde_json::Value::Object(claims) =
            serde_json::json!({"sub": "ö\"@b.c", "iat": 5, "exp": 9, "role": ["a"]})
        else {
            panic!("an object")
        };
        let token = sign(&claims, &key);
        let read = verify(&token, &key, 8).unwrap();
        assert_eq!((read.sub.as_deref(), read.iat), (Some("ö\"@b.c"), Some(Seconds(5))));
        assert_eq!(verify(&token, &Key::new(b"Secret"), 8), Err(JwtError::Signature));
        let mut behind = String::from("x");
        sign_json(&serde_json::json!(claims).to_string(), &key, &mut behind);
        assert_eq!(behind, format!("x{token}"));
        assert_eq!(BASE64URL_NOPAD.decode(HEADER.as_bytes()).unwrap(), HEADER_TEXT);
    }

    const HEADER_TEXT: &[u8] = b"{\"typ\":\"JWT\",\"alg\":\"HS256\"}";

    #[test]
    fn no_byte_may_be_changed() {
        let key = Key::new(b"secret");
        let token = token("{\"alg\":\"HS256\"}", "{\"exp\":9}", &key);
        assert!(verify(&token, &key, 8).is_ok());
        for at in 0..token.len() {
            let mut other = token.clone();
            other.replace_range(at..=at, if &token[at..=at] == "A" { "B" } else { "A" });
            assert!(verify(&other, &key, 8).is_err(), "byte {at} of {token}");
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        let key = Key::new(b"secret");
        let hs256 = "{\"alg\":\"HS256\"}";
        for (header, claims, fault) in [
            ("{\"alg\":\"none\"}", "{\"exp\":9}", JwtError::Algorithm),
            ("{\"alg\":\"HS512\"}", "{\"exp\":9}", JwtError::Algorithm),
            ("{}", "{\"exp\":9}", JwtError::Malformed),
            (hs256, "{}", JwtError::NoExpiry),
            (hs256, "[]", JwtError::Malformed),
            (hs256, "{\"exp\":\"9\"}", JwtError::Malformed),
            (hs256, "{\"exp\":-1}", JwtError::Malformed),
            (hs256, "{\"exp\":9,\"exp\":10}", JwtError::Malformed),
            (hs256, "{\"exp\":8.9}", JwtError::Expired),
        ] {
            assert_eq!(verify(&token(header, claims, &key), &key, 8), Err(fault), "{claims}");
        }
        for broken in ["", ".", "..", "a.b", "a.b.c.d", "Bearer x.y.z", &RFC.replace('.', "")] {
            assert_eq!(verify(broken, &key, 8), Err(JwtError::Malformed), "{broken}");
        }
    }

    #[test]
    fn an_expiry_is_read_whoever_signed() {
        let other = Key::new(b"nobody knows");
        let expiry_of = |header: &str, claims: &str| expiry(&token(header, claims, &other));
        let rs256 = "{\"alg\":\"RS256\",\"kid\":\"1\"}";
        assert_eq!(expiry_of(rs256, "{\"exp\":1300819380}"), Some(RFC_EXPIRY));
        assert_eq!(expiry_of(rs256, "{\"exp\":1300819380.7,\"x\":[{}]}"), Some(RFC_EXPIRY));
        assert_eq!(expiry_of(rs256, "{\"exp\":1e300}"), Some(u64::MAX));
        for claims in ["{}", "7", "{\"exp\":null}", "{\"exp\":\"1\"}", "{\"exp\":-1}", "{\"exp\":"]
        {
            assert_eq!(expiry_of(rs256, claims), None, "{claims}");
        }
        assert_eq!(expiry_of("{}", "{\"exp\":1}"), None, "a header without algorithm");
        let deep = format!("{{\"a\":{}{},\"exp\":1}}", "[".repeat(5000), "]".repeat(5000));
        assert_eq!(expiry_of(rs256, &deep), Some(1), "however deep, the stack holds");
        for cut in 0..RFC.len() {
            let part = &RFC[..cut];
            let signed = part.bytes().filter(|byte| *byte == b'.').count() == 2;
            assert_eq!(expiry(part).is_some(), signed, "{part}");
        }
        for text in ["", "opaque", "a.b.c", "é.é.é", "\0.\0.\0", " eyJ9.eyJ9.x"] {
            assert_eq!(expiry(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_beyond_the_bound_is_none() {
        let key = Key::new(b"secret");
        let sized = |pad: usize| {
            let pad = "x".repeat(pad);
            token("{\"alg\":\"HS256\"}", &format!("{{\"exp\":9,\"pad\":\"{pad}\"}}"), &key)
        };
        let pad = (0..20_000).rev().find(|pad| sized(*pad).len() <= TOKEN_BYTES_MAX).unwrap();
        assert_eq!(expiry(&sized(pad)), Some(9));
        assert_eq!(expiry(&sized(pad + 2)), None);
        assert_eq!(verify(&sized(pad + 2), &key, 0), Err(JwtError::Malformed));
    }

    #[test]
    fn a_key_keeps_its_secret() {
        assert_eq!(format!("{:?}", Key::new(b"secret")), "Key(***)");
    }
}
