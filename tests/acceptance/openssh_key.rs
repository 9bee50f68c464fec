//! OpenSSH private keys on the curve P-256, written and read according to `PROTOCOL.key` of OpenSSH, with the arithmetic
//! of ring. It shares no code with the provider's key generation.

use anyhow::{Context, Error, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};

use crate::test_env::Case;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
const END: &str = "-----END OPENSSH PRIVATE KEY-----\n";
const MAGIC: &[u8] = b"openssh-key-v1\0";
const ALGORITHM: &str = "ecdsa-sha2-nistp256";
const CURVE: &str = "nistp256";

/// The position of the private scalar in ring's PKCS #8 documents of this curve.
const SCALAR_IN_PKCS8: std::ops::Range<usize> = 36..68;

/// A key pair in text form.
pub(crate) struct KeyPairText {
    /// PEM with a final line break, not encrypted.
    pub(crate) private: String,
    /// `ecdsa-sha2-nistp256 AAAA… comment`.
    pub(crate) public: String,
}

/// Generates a key pair like `ssh-keygen -t ecdsa -N "" -C <comment>`.
pub(crate) fn generate(comment: &str) -> anyhow::Result<KeyPairText> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(Error::msg)?;
    let point = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).map_err(Error::msg)?;
    let point = point.public_key().as_ref();
    let scalar = pkcs8.as_ref().get(SCALAR_IN_PKCS8);
    let scalar = scalar.context("the PKCS #8 document has no private scalar")?;

    let public = public_blob(point);
    let mut check = [0; 4];
    random.fill(&mut check).map_err(Error::msg)?;
    let mut secret = [check, check].concat();
    secret.extend(&public);
    put(&mut secret, &encode_number(scalar));
    put(&mut secret, comment.as_bytes());
    secret.extend((1..=255).take(secret.len().next_multiple_of(8) - secret.len()));

    let mut file = MAGIC.to_vec();
    put(&mut file, b"none");
    put(&mut file, b"none");
    put(&mut file, b"");
    file.extend(1_u32.to_be_bytes());
    put(&mut file, &public);
    put(&mut file, &secret);
    let text = STANDARD.encode(file);
    let lines = text.as_bytes().chunks(70).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\n");
    Ok(KeyPairText {
        private: format!("{BEGIN}{lines}\n{END}"),
        public: format!("{ALGORITHM} {} {comment}", STANDARD.encode(public)),
    })
}

/// Checks that a private key belongs to a public one: both have the same point, and the public key verifies a
/// signature of the private one.
pub(crate) fn check_pair(private: &str, public: &str) -> Case {
    let mut words = public.split_whitespace();
    ensure!(
        words.next() == Some(ALGORITHM),
        "{public} has another algorithm"
    );
    let blob = STANDARD.decode(words.next().context("the public key has no second word")?)?;
    let mut rest = blob.as_slice();
    ensure!(take(&mut rest)? == ALGORITHM.as_bytes() && take(&mut rest)? == CURVE.as_bytes());
    let point = take(&mut rest)?;

    // Fails unless the public key is the one that ring derives from the private key.
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let scalar = scalar(private)?;
    let signer = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &scalar, point, &random);
    let signer = signer.map_err(Error::msg)?;
    let signature = signer.sign(&random, b"git-receive-pack");
    let signature = signature.map_err(Error::msg)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(b"git-receive-pack", signature.as_ref())
        .map_err(Error::msg)
}

/// Returns the lines between the header and the footer of a private key.
pub(crate) fn lines(private: &str) -> Vec<String> {
    let lines = private.lines().filter(|line| !line.starts_with("-----"));
    lines.map(str::to_owned).collect()
}

/// Returns the private scalar of an unencrypted key, padded with leading zeros.
fn scalar(private: &str) -> anyhow::Result<Vec<u8>> {
    ensure!(private.starts_with(BEGIN) && private.ends_with(END));
    let file = STANDARD.decode(lines(private).concat())?;
    let mut rest = file
        .strip_prefix(MAGIC)
        .context("the file has no magic text")?;
    ensure!(take(&mut rest)? == b"none", "the key is encrypted");
    ensure!(take(&mut rest)? == b"none" && take(&mut rest)?.is_empty());
    ensure!(
        rest.split_off(..4) == Some(&[0, 0, 0, 1]),
        "expected one key"
    );
    let public = take(&mut rest)?;
    let mut rest = take(&mut rest)?;
    let checks = rest
        .split_off(..8)
        .context("the key has no check numbers")?;
    let [one, other] = [checks.get(..4), checks.get(4..)];
    ensure!(one == other, "the check numbers differ");
    ensure!(rest.split_off(..public.len()) == Some(public));
    let number = take(&mut rest)?;
    let _comment = take(&mut rest)?;
    ensure!(rest.len() < 8 && rest.iter().zip(1..).all(|(byte, count)| *byte == count));
    let digits = without_leading_zeros(number);
    let zeros = 32_usize.checked_sub(digits.len());
    let zeros = vec![0; zeros.context("the scalar is too long")?];
    Ok([zeros.as_slice(), digits].concat())
}

fn public_blob(point: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    put(&mut blob, ALGORITHM.as_bytes());
    put(&mut blob, CURVE.as_bytes());
    put(&mut blob, point);
    blob
}

/// Encodes a positive number: without leading zeros, except one before a high bit.
fn encode_number(digits: &[u8]) -> Vec<u8> {
    let digits = without_leading_zeros(digits);
    let has_high_bit = digits.first().is_some_and(|byte| *byte >= 0x80);
    let zero: &[u8] = if has_high_bit { &[0] } else { &[] };
    [zero, digits].concat()
}

fn without_leading_zeros(mut digits: &[u8]) -> &[u8] {
    while let Some(rest) = digits.strip_prefix(&[0]) {
        digits = rest;
    }
    digits
}

fn put(file: &mut Vec<u8>, text: &[u8]) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    file.extend(length.to_be_bytes());
    file.extend(text);
}

fn take<'a>(rest: &mut &'a [u8]) -> anyhow::Result<&'a [u8]> {
    let length = rest.split_off(..4).context("a length is missing")?;
    let length = u32::from_be_bytes(length.try_into()?);
    rest.split_off(..usize::try_from(length)?)
        .context("a text is shorter than its length")
}

#[test]
fn a_generated_pair_matches_and_keys_of_different_pairs_do_not() -> Case {
    // One in 256 private scalars has a leading zero.
    for _ in 0..512 {
        let pair = generate("repo-1-readonly")?;
        check_pair(&pair.private, &pair.public)?;
    }
    let (one, other) = (generate("one")?, generate("other")?);
    assert!(check_pair(&one.private, &other.public).is_err());
    Ok(())
}
