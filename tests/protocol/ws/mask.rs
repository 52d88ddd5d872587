//! Masking eight bytes at a time against masking one at a time.

use onslaught::protocol::ws::Key;
use onslaught::protocol::ws::mask::apply;
use onslaught::stdx::rng::Rng;

#[test]
fn any_length_offset_and_alignment_is_as_byte_by_byte() {
    let mut rng = Rng::stream(0x3a5c, 0);
    let bytes: Vec<u8> = (0..200).map(|_| rng.next_u64().to_le_bytes()[0]).collect();
    for start in 0..9 {
        for len in 0..=80 {
            for offset in [0, 1, 2, 3, 4, 7, 125, u64::MAX] {
                let [a, b, c, d, ..] = rng.next_u64().to_le_bytes();
                let key = [a, b, c, d];
                let plain = &bytes[start..start + len];
                let expected: Vec<u8> = (0_u64..)
                    .zip(plain)
                    .map(|(at, byte)| byte ^ key[(offset.wrapping_add(at) % 4) as usize])
                    .collect();
                let mut all = bytes.clone();
                apply(&mut all[start..start + len], Key(key), offset);
                assert_eq!(all[start..start + len], expected, "{start} {len} {offset}");
                assert_eq!(all[..start], bytes[..start], "nothing before");
                assert_eq!(all[start + len..], bytes[start + len..], "nothing behind");
            }
        }
    }
}

#[test]
fn pieces_are_masked_as_the_whole_is() {
    let plain: Vec<u8> = (0..60).collect();
    let key = Key([1, 20, 90, 255]);
    let mut whole = plain.clone();
    apply(&mut whole, key, 0);
    for cut in 0..=plain.len() {
        let mut pieces = plain.clone();
        let (left, right) = pieces.split_at_mut(cut);
        apply(left, key, 0);
        apply(right, key, cut as u64);
        assert_eq!(pieces, whole, "cut at {cut}");
    }
}
