//! How bytes of a text are written where they stand.

use crate::plan::Encoding;

/// Appends a text.
pub(super) fn text(text: &str, encoding: Encoding, out: &mut Vec<u8>) {
    let quote = quote(encoding);
    out.extend_from_slice(quote);
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| !is_plain(byte, encoding)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        if let [byte, behind @ ..] = special {
            escape(*byte, encoding, out);
            rest = behind;
        }
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(quote);
}

/// Encodes what stands raw in `out` from `start` on.
pub(super) fn tail(out: &mut Vec<u8>, start: usize, encoding: Encoding) {
    let quote = quote(encoding);
    let Some(raw) = out.get(start..) else { return };
    if raw.iter().all(|&byte| is_plain(byte, encoding)) {
        out.extend_from_slice(quote);
        if let Some(raw) = out.get_mut(start..) {
            raw.rotate_right(quote.len());
        }
        out.extend_from_slice(quote);
        return;
    }
    // Written behind the raw bytes, then moved over them: no memory but that of `out`.
    let end = out.len();
    out.extend_from_slice(quote);
    for at in start..end {
        match out.get(at) {
            Some(&byte) if is_plain(byte, encoding) => out.push(byte),
            Some(&byte) => escape(byte, encoding, out),
            None => break,
        }
    }
    out.extend_from_slice(quote);
    out.drain(start..end);
}

/// What stands around a text.
const fn quote(encoding: Encoding) -> &'static [u8] {
    match encoding {
        Encoding::Json => b"\"",
        Encoding::Raw | Encoding::JsonText | Encoding::Percent | Encoding::Header => b"",
    }
}

/// Whether a byte stands for itself. All bytes of a character beyond ASCII are alike in this, so
/// that none is torn.
const fn is_plain(byte: u8, encoding: Encoding) -> bool {
    match encoding {
        Encoding::Raw => true,
        Encoding::Json | Encoding::JsonText => byte >= b' ' && byte != b'"' && byte != b'\\',
        Encoding::Percent => {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
        }
        Encoding::Header => !byte.is_ascii_control(),
    }
}

/// Appends what stands for a byte that is not plain.
fn escape(byte: u8, encoding: Encoding, out: &mut Vec<u8>) {
    match encoding {
        Encoding::Raw => out.push(byte),
        Encoding::Json | Encoding::JsonText => match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                hex(byte, b"0123456789abcdef", out);
            }
        },
        Encoding::Percent => {
            out.push(b'%');
            hex(byte, b"0123456789ABCDEF", out);
        }
        Encoding::Header => {}
    }
}

/// Appends a byte as two digits.
pub(super) fn hex(byte: u8, digits: &[u8; 16], out: &mut Vec<u8>) {
    out.extend([byte >> 4, byte & 15].map(|digit| digits[usize::from(digit)]));
}
