//! OpenSSH's private keys on the curve P-256, written and read by the format's own description (`PROTOCOL.key` of
//! OpenSSH), with the arithmetic of ring: nothing of it is what the provider makes its keys with.

use anyhow::{Context, Error, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};

use crate::harness::Case;

const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
const END: &str = "-----END OPENSSH PRIVATE KEY-----\n";
const MAGIC: &[u8] = b"openssh-key-v1\0";
const ALGORITHM: &str = "ecdsa-sha2-nistp256";
const CURVE: &str = "nistp256";

/// Where ring's PKCS #8 documents of this curve hold the private number.
const SCALAR_IN_PKCS8: std::ops::Range<usize> = 36..68;

/// A key pair as two texts.
pub(crate) struct KeyTexts {
    /// PEM with a final line break, not encrypted.
    pub(crate) private: String,
    /// `ecdsa-sha2-nistp256 AAAA… comment`.
    pub(crate) public: String,
}

/// Makes what `ssh-keygen -t ecdsa -N "" -C <comment>` makes.
pub(crate) fn generate(comment: &str) -> anyhow::Result<KeyTexts> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(Error::msg)?;
    let point = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).map_err(Error::msg)?;
    let point = point.public_key().as_ref();
    let scalar = pkcs8.as_ref().get(SCALAR_IN_PKCS8);
    let scalar = scalar.context("a PKCS #8 document holds the private number")?;

    let public = public_blob(point);
    let mut check = [0; 4];
    random.fill(&mut check).map_err(Error::msg)?;
    let mut secret = [check, check].concat();
    secret.extend(&public);
    put(&mut secret, &positive(scalar));
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
    Ok(KeyTexts {
        private: format!("{BEGIN}{lines}\n{END}"),
        public: format!("{ALGORITHM} {} {comment}", STANDARD.encode(public)),
    })
}

/// Checks that a private key is the half of a public one: that it has the same point, and that what is signed with
/// the one is verified with the other.
pub(crate) fn expect_pair(private: &str, public: &str) -> Case {
    let mut words = public.split_whitespace();
    ensure!(
        words.next() == Some(ALGORITHM),
        "{public} is of another kind"
    );
    let blob = STANDARD.decode(words.next().context("a public key has two words")?)?;
    let mut rest = blob.as_slice();
    ensure!(take(&mut rest)? == ALGORITHM.as_bytes() && take(&mut rest)? == CURVE.as_bytes());
    let point = take(&mut rest)?;

    // It derives the public half from the private one, and refuses another one than that.
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

/// The lines of the private key's own text, without the frame.
pub(crate) fn lines(private: &str) -> Vec<String> {
    let lines = private.lines().filter(|line| !line.starts_with("-----"));
    lines.map(str::to_owned).collect()
}

/// The private number in a key that is not encrypted, with all leading zeros.
fn scalar(private: &str) -> anyhow::Result<Vec<u8>> {
    ensure!(private.starts_with(BEGIN) && private.ends_with(END));
    let file = STANDARD.decode(lines(private).concat())?;
    let mut rest = file.strip_prefix(MAGIC).context("the file has its name")?;
    ensure!(take(&mut rest)? == b"none", "the key is encrypted");
    ensure!(take(&mut rest)? == b"none" && take(&mut rest)?.is_empty());
    ensure!(rest.split_off(..4) == Some(&[0, 0, 0, 1]), "one key");
    let public = take(&mut rest)?;
    let mut rest = take(&mut rest)?;
    let checks = rest.split_off(..8).context("two check numbers")?;
    let [one, other] = [checks.get(..4), checks.get(4..)];
    ensure!(one == other, "the check numbers differ");
    ensure!(rest.split_off(..public.len()) == Some(public));
    let number = take(&mut rest)?;
    let _comment = take(&mut rest)?;
    ensure!(rest.len() < 8 && rest.iter().zip(1..).all(|(byte, count)| *byte == count));
    let digits = without_zeros(number);
    let zeros = 32_usize.checked_sub(digits.len());
    let zeros = vec![0; zeros.context("the number is too long")?];
    Ok([zeros.as_slice(), digits].concat())
}

fn public_blob(point: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    put(&mut blob, ALGORITHM.as_bytes());
    put(&mut blob, CURVE.as_bytes());
    put(&mut blob, point);
    blob
}

/// A number as the format writes it: no leading zeros, but for one before a high bit.
fn positive(digits: &[u8]) -> Vec<u8> {
    let digits = without_zeros(digits);
    let has_high_bit = digits.first().is_some_and(|byte| *byte >= 0x80);
    let zero: &[u8] = if has_high_bit { &[0] } else { &[] };
    [zero, digits].concat()
}

fn without_zeros(mut digits: &[u8]) -> &[u8] {
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
    let length = rest.split_off(..4).context("a length")?;
    let length = u32::from_be_bytes(length.try_into()?);
    rest.split_off(..usize::try_from(length)?)
        .context("a text of that length")
}

#[test]
fn a_generated_pair_fits_and_two_halves_of_different_pairs_do_not() -> Case {
    // One in 256 private numbers has a leading zero.
    for _ in 0..512 {
        let pair = generate("repo-1-readonly")?;
        expect_pair(&pair.private, &pair.public)?;
    }
    let (one, other) = (generate("one")?, generate("other")?);
    assert!(expect_pair(&one.private, &other.public).is_err());
    Ok(())
}
