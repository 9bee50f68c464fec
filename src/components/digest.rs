//! Digests of manifests.

use std::fmt;

use ring::digest::{SHA256, digest};

/// The SHA-256 digest of a file, displayed in hexadecimal.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Sha256([u8; 32]);

/// A text is not a digest.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a SHA-256 digest has 64 hexadecimal digits")]
pub struct InvalidSha256;

impl Sha256 {
    /// Computes the digest of some bytes.
    pub fn compute(bytes: &[u8]) -> Self {
        let mut value = [0; 32];
        value.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(value)
    }

    /// Parses 64 hexadecimal digits, with or without `sha256:` in front.
    pub const fn parse(text: &str) -> Result<Self, InvalidSha256> {
        let mut digits = text.as_bytes();
        if let Some((b"sha256:", rest)) = digits.split_first_chunk::<7>() {
            digits = rest;
        }
        if digits.len() != 64 {
            return Err(InvalidSha256);
        }
        let mut value = [0; 32];
        let mut bytes: &mut [u8] = &mut value;
        while let (Some((byte, later)), Some(([high, low], rest))) =
            (bytes.split_first_mut(), digits.split_first_chunk::<2>())
        {
            let (Some(high), Some(low)) = (hexadecimal(*high), hexadecimal(*low)) else {
                return Err(InvalidSha256);
            };
            *byte = high << 4 | low;
            bytes = later;
            digits = rest;
        }
        Ok(Self(value))
    }
}

const fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_that_of_the_standard() {
        assert_eq!(Sha256::compute(b"abc").to_string(), OF_ABC);
        assert_eq!(Sha256::parse(OF_ABC), Ok(Sha256::compute(b"abc")));
        let upper = format!("sha256:{}", OF_ABC.to_uppercase());
        assert_eq!(Sha256::parse(&upper), Ok(Sha256::compute(b"abc")));
    }

    #[test]
    fn anything_but_64_hexadecimal_digits_is_refused() {
        let texts = [
            "",
            "abc",
            "sha256:",
            &"g".repeat(64),
            &"a".repeat(63),
            &"a".repeat(65),
        ];
        for text in texts {
            assert_eq!(Sha256::parse(text), Err(InvalidSha256), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_displayed_digest_is_parsed_to_itself(bytes in any::<Vec<u8>>()) {
            let digest = Sha256::compute(&bytes);
            prop_assert_eq!(Sha256::parse(&digest.to_string()), Ok(digest));
        }
    }
}
