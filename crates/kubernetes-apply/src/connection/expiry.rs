//! When a credential ends, as far as it says so itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode as _, SliceReader, Tag, Tagged as _};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;

use super::Access;

impl Access {
    /// Returns when the client certificate or the token ends; `None` if it does not say so.
    pub fn expires_at(&self) -> Option<SystemTime> {
        let auth = &self.config().auth_info;
        let token = auth.token.as_ref();
        let of_token = token.and_then(|token| token_end(token.expose_secret()));
        let certificate = auth.client_certificate_data.as_ref();
        let of_certificate = certificate.and_then(|data| certificate_end(data));
        match (of_token, of_certificate) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// Whether the credential is a client certificate.
    pub fn has_client_certificate(&self) -> bool {
        self.config().auth_info.client_certificate_data.is_some()
    }
}

/// Reads the claim `exp` of a JSON web token. Its signature is the API server's concern.
fn token_end(token: &str) -> Option<SystemTime> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    let seconds = claims.get("exp")?.as_u64()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Reads `notAfter` of the first certificate, which is that of the client (RFC 5280, section 4.1).
fn certificate_end(data: &str) -> Option<SystemTime> {
    let data: String = data.split_whitespace().collect();
    let pem = STANDARD.decode(data).ok()?;
    let certificate = CertificateDer::pem_slice_iter(&pem).next()?.ok()?;
    not_after(&certificate).ok()?
}

fn not_after(certificate: &[u8]) -> der::Result<Option<SystemTime>> {
    let certificate = AnyRef::from_der(certificate)?;
    let mut certificate = SliceReader::new(certificate.value())?;
    let to_be_signed = AnyRef::decode(&mut certificate)?;
    let mut fields = SliceReader::new(to_be_signed.value())?;
    // The version is optional: the serial number, the algorithm and the issuer come before the validity.
    let first = AnyRef::decode(&mut fields)?;
    let before = if first.tag() == Tag::Integer { 2 } else { 3 };
    for _ in 0..before {
        AnyRef::decode(&mut fields)?;
    }
    let validity = AnyRef::decode(&mut fields)?;
    let mut times = SliceReader::new(validity.value())?;
    AnyRef::decode(&mut times)?;
    let end = AnyRef::decode(&mut times)?;
    Ok(match end.tag() {
        Tag::UtcTime => Some(end.decode_as::<UtcTime>()?.to_system_time()),
        Tag::GeneralizedTime => Some(end.decode_as::<GeneralizedTime>()?.to_system_time()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let key = rcgen::KeyPair::generate().unwrap();
        for year in [2049, 2051] {
            let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
            parameters.not_after = rcgen::date_time_ymd(year, 3, 4);
            let certificate = parameters.self_signed(&key).unwrap().pem();
            let access = Access::new("https://a").unwrap();
            let secret = SecretString::from("key".to_owned());
            let access = access.with_client_certificate(&certificate, &secret);
            let end = humantime::format_rfc3339(access.expires_at().unwrap()).to_string();
            assert_eq!(end, format!("{year}-03-04T00:00:00Z"));
            assert!(access.has_client_certificate());
        }
    }

    #[test]
    fn the_end_of_a_token_is_read_and_none_is_invented() {
        let access = |token: &str| {
            let token = SecretString::from(token.to_owned());
            Access::new("https://a").unwrap().with_token(token)
        };
        let payload = URL_SAFE_NO_PAD.encode(r#"{"exp":1900000000}"#);
        let end = access(&format!("a.{payload}.b")).expires_at().unwrap();
        assert_eq!(
            end.duration_since(UNIX_EPOCH).unwrap().as_secs(),
            1_900_000_000
        );
        assert_eq!(access("opaque").expires_at(), None);
        let endless = URL_SAFE_NO_PAD.encode(r#"{"sub":"a"}"#);
        assert_eq!(access(&format!("a.{endless}.b")).expires_at(), None);
    }
}
