//! UTF-8 in pieces of any size (RFC 3629): a fault is found with the first byte that no valid text
//! goes on with.

/// Whether all of it is valid. Looking for ASCII first, as most JSON is, takes a whole text frame
/// of 64 bytes from 481 instructions to 284 (callgrind, `Connection::receive` and its loop).
#[inline]
pub(super) fn is_valid(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

/// Text so far: valid, and perhaps in the middle of a character.
///
/// Invariant: `begun` is a proper prefix of some valid character.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Utf8 {
    begun: [u8; 4],
    len: u8,
}

/// The bytes are no UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotUtf8;

impl Utf8 {
    /// Takes the next piece.
    pub(super) fn receive(&mut self, piece: &[u8]) -> Result<(), NotUtf8> {
        let mut rest = piece;
        while self.len > 0 {
            let Some((byte, behind)) = rest.split_first() else { return Ok(()) };
            rest = behind;
            self.add(*byte)?;
        }
        if rest.is_ascii() {
            return Ok(());
        }
        let Err(error) = std::str::from_utf8(rest) else { return Ok(()) };
        if error.error_len().is_some() {
            return Err(NotUtf8);
        }
        let (_, begun) = rest.split_at_checked(error.valid_up_to()).unwrap_or((rest, &[]));
        begun.iter().try_for_each(|byte| self.add(*byte))
    }

    /// Whether no character is left unfinished.
    pub(super) const fn is_whole(self) -> bool {
        self.len == 0
    }

    /// One byte more of a character that is not whole.
    fn add(&mut self, byte: u8) -> Result<(), NotUtf8> {
        let place = self.begun.get_mut(usize::from(self.len)).ok_or(NotUtf8)?;
        *place = byte;
        self.len += 1;
        let begun = self.begun.get(..usize::from(self.len)).unwrap_or_default();
        match std::str::from_utf8(begun) {
            Ok(_) => self.len = 0,
            Err(error) if error.error_len().is_some() => return Err(NotUtf8),
            Err(_) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{NotUtf8, Utf8};
    use crate::stdx::rng::Rng;

    /// The number of bytes before the one that makes it wrong, if one does.
    fn first_wrong(bytes: &[u8]) -> Option<usize> {
        let mut utf8 = Utf8::default();
        bytes.iter().position(|byte| utf8.receive(&[*byte]) == Err(NotUtf8))
    }

    #[test]
    fn every_character_in_any_pieces() {
        let text: String = (0..=0x10_ffff).step_by(7).filter_map(char::from_u32).collect();
        for size in [1, 2, 3, 5, 8, 1021] {
            let mut utf8 = Utf8::default();
            for piece in text.as_bytes().chunks(size) {
                assert_eq!(utf8.receive(piece), Ok(()), "pieces of {size}");
            }
            assert!(utf8.is_whole());
        }
    }

    #[test]
    fn faults_are_found_with_their_first_byte() {
        for (bytes, at) in [
            (&b"\x80"[..], Some(0)),
            (b"a\xc3(", Some(2)),
            (b"\xc0", Some(0)),
            (b"\xc1", Some(0)),
            (b"\xe0\x9f", Some(1)),
            (b"\xed\xa0", Some(1)),
            (b"\xf0\x8f", Some(1)),
            (b"\xf4\x90", Some(1)),
            (b"\xf5", Some(0)),
            (b"\xff", Some(0)),
            (b"\xf4\x8f\xbf\xbf", None),
            (b"\xed\x9f\xbf", None),
            (b"\xf0\x90\x80", None),
        ] {
            assert_eq!(first_wrong(bytes), at, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn pieces_come_to_what_the_whole_comes_to() {
        const BYTES: &[u8] = b"az\xc2\xa3\xe0\xa0\x80\xed\xf0\x90\xf4\x8f\xbf\xff";
        for seed in 0..20_000 {
            let mut rng = Rng::stream(0x8f8, seed);
            let mut byte = || BYTES.get(usize::try_from(rng.below(BYTES.len() as u64)).ok()?);
            let bytes: Vec<u8> = (0..6).filter_map(|_| byte().copied()).collect();
            assert_eq!(bytes.len(), 6);
            let expected = match std::str::from_utf8(&bytes) {
                Ok(_) => Ok(true),
                Err(error) if error.error_len().is_none() => Ok(false),
                Err(_) => Err(NotUtf8),
            };
            for cut in 0..=bytes.len() {
                let mut utf8 = Utf8::default();
                let (left, right) = bytes.split_at(cut);
                let found = utf8.receive(left).and_then(|()| utf8.receive(right));
                assert_eq!(found.map(|()| utf8.is_whole()), expected, "{bytes:x?} at {cut}");
            }
        }
    }
}
