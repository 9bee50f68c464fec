//! By which name servers know the provider.

use http::HeaderValue;

/// The name and the version of the provider.
const PROVIDER: &str = concat!("terraform-provider-nautes/", env!("CARGO_PKG_VERSION"));

/// The value of the header `User-Agent`.
#[derive(Clone, Debug)]
pub struct UserAgent(HeaderValue);

impl UserAgent {
    /// Names the provider and the version of Terraform that runs it: `terraform-provider-nautes/0.1.0
    /// Terraform/1.14.0`. A version that no header can carry is left out.
    pub fn new(terraform_version: &str) -> Self {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte);
        if terraform_version.is_empty() || !terraform_version.bytes().all(is_token) {
            return Self::default();
        }
        let text = format!("{PROVIDER} Terraform/{terraform_version}");
        HeaderValue::try_from(text).map_or_else(|_| Self::default(), Self)
    }

    pub(in crate::backends) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl Default for UserAgent {
    fn default() -> Self {
        Self(HeaderValue::from_static(PROVIDER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_terraform_follows_that_of_the_provider() {
        let text = |version: &str| UserAgent::new(version).0.to_str().unwrap().to_owned();
        for version in ["1.14.0", "1.11.0-rc1", "1.10.0+dev"] {
            assert_eq!(text(version), format!("{PROVIDER} Terraform/{version}"));
        }
        for version in ["", "1.14\n", "1.14 evil/1", "é"] {
            assert_eq!(text(version), PROVIDER);
        }
    }
}
