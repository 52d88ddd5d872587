//! Masking (RFC 6455 section 5.3): payload XOR a repeated key of four bytes.
//!
//! It keeps intermediaries from taking a client's payload for something else; it is its own
//! inverse, and it hides nothing. The key is fresh for each frame and comes from the caller.

/// A frame's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub [u8; 4]);

/// Masks or unmasks bytes that lie `offset` bytes into their frame's payload, eight at a time.
pub fn apply(bytes: &mut [u8], key: Key, offset: u64) {
    let wide = repeated(key, offset);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_le_bytes(*word) ^ wide).to_le_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(wide.to_le_bytes()) {
        *byte ^= mask;
    }
}

/// The key twice, beginning with the byte that masks the payload's byte at `offset`.
const fn repeated(key: Key, offset: u64) -> u64 {
    let Key([a, b, c, d]) = key;
    let narrow = match offset % 4 {
        0 => [a, b, c, d],
        1 => [b, c, d, a],
        2 => [c, d, a, b],
        _ => [d, a, b, c],
    };
    let narrow = u32::from_le_bytes(narrow) as u64;
    narrow << 32 | narrow
}
