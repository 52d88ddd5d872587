//! FNV-1a, 64 bits: a stable name for a piece of text, no protection against malice.

/// A hash that grows by what is written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fnv {
    state: u64,
}

/// Offset basis and prime of the 64-bit variant (Fowler, Noll, Vo).
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

impl Fnv {
    /// The hash of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: BASIS }
    }

    /// Adds a part. Parts do not run together: `ab`, `c` is another text than `a`, `bc`.
    pub fn part(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
        self.bytes(&(bytes.len() as u64).to_le_bytes());
    }

    /// Adds bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.state = (self.state ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }

    /// The hash of all that was written.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.state
    }
}

impl Default for Fnv {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::Fnv;

    #[test]
    fn published_vectors() {
        for (text, expected) in [
            ("", 0xcbf2_9ce4_8422_2325),
            ("a", 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            let mut hash = Fnv::new();
            hash.bytes(text.as_bytes());
            assert_eq!(hash.value(), expected, "{text}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let hash = |parts: [&[u8]; 2]| {
            let mut hash = Fnv::new();
            parts.iter().for_each(|part| hash.part(part));
            hash.value()
        };
        assert_ne!(hash([b"ab", b"c"]), hash([b"a", b"bc"]));
    }
}
