//! Runs of bytes that are alike, found many bytes at a time: megabytes go through here.

/// The numbers of bytes that are looked at together. The compiler makes a few instructions of each.
const STRIDE: usize = 32;
const STEP: usize = 8;

/// The number of bytes, from the first on, that are all wanted.
#[inline]
pub(crate) fn leading(bytes: &[u8], wanted: impl Fn(u8) -> bool + Copy) -> usize {
    // Many runs are very short: no stride pays for them.
    let length = one_by_one(&bytes[..bytes.len().min(STEP)], wanted);
    if length < STEP {
        return length;
    }
    let length = length + whole::<STRIDE>(&bytes[length..], wanted);
    let length = length + whole::<STEP>(&bytes[length..], wanted);
    length + one_by_one(&bytes[length..], wanted)
}

/// The number of bytes in the lots of so many, from the first on, that are all wanted.
fn whole<const LOT: usize>(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    let is_wanted = |lot: &&[u8; LOT]| lot.iter().fold(true, |all, byte| all & wanted(*byte));
    bytes.as_chunks::<LOT>().0.iter().take_while(is_wanted).count() * LOT
}

fn one_by_one(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| wanted(**byte)).count()
}

/// The number of bytes before the first one that is one of these, or a control character of ASCII.
#[inline]
pub(crate) fn before_any<const N: usize>(bytes: &[u8], ends: [u8; N]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    let (words, _) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The high bit of each byte that was less than the other, or borrowed from: never of one before the first.
        let less = |word: u64, than: u64| word.wrapping_sub(than * ONES) & !word & HIGH;
        let found = ends.iter().fold(less(word, 0x20), |found, end| found | less(word ^ (u64::from(*end) * ONES), 1));
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let whole = words.len() * 8;
    whole + one_by_one(&bytes[whole..], |byte| byte >= 0x20 && !ends.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_end_is_found_whatever_the_bytes_around_it_are() {
        for end in [b'"', b'\\', 0, b'\n', 0x1f] {
            for other in (0x20..=0xff).filter(|other| !b"\"\\".contains(other)) {
                for place in 0..20 {
                    let mut bytes = [other; 20];
                    assert_eq!(before_any(&bytes, [b'"', b'\\']), 20, "{other}");
                    bytes[place] = end;
                    assert_eq!(before_any(&bytes, [b'"', b'\\']), place, "{end} in {other}");
                    assert_eq!(before_any(&bytes[..place], [b'"', b'\\']), place, "{end} behind {other}");
                }
            }
        }
    }

    #[test]
    fn a_run_ends_at_the_first_byte_that_is_not_wanted() {
        for length in 0..=3 * STRIDE {
            let bytes = vec![b'a'; length];
            assert_eq!(leading(&bytes, |byte| byte == b'a'), length);
            for end in 0..length {
                let mut bytes = bytes.clone();
                bytes[end] = b'b';
                assert_eq!(leading(&bytes, |byte| byte == b'a'), end, "{end} of {length}");
            }
        }
    }
}
