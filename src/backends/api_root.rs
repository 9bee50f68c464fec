//! Where the API of a server is, given what users know of it: its root, with or without the API's own path.

use url::Url;

/// A URL that cannot be the address of a server.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is no URL.
    #[error("{url:?} is not a URL")]
    Syntax {
        /// What was given.
        url: String,
        /// Why it cannot be read.
        source: url::ParseError,
    },
    /// It is a URL of something else.
    #[error("{url:?} must start with https:// or http:// and name a host")]
    Scheme {
        /// What was given.
        url: String,
    },
    /// It holds a user name, a query or a fragment.
    #[error("the URL must have no user name, password, query or fragment")]
    Surplus,
}

/// Leaves out what stands before an `@`: somebody may have put a token there.
fn without_login(given: &str) -> String {
    match given.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => given.to_owned(),
    }
}

/// Reads `https://host[:port][/relative/root][<path>][/]`, and returns it with `path`, which is the API's own, such as
/// `/v1`, and without a slash at the end.
pub(super) fn api_root(given: &str, path: &str) -> Result<Url, AddressError> {
    let mut api = Url::parse(given.trim()).map_err(|source| AddressError::Syntax {
        url: without_login(given),
        source,
    })?;
    if !matches!(api.scheme(), "http" | "https") || api.host_str().is_none() {
        return Err(AddressError::Scheme {
            url: without_login(given),
        });
    }
    let surplus = !api.username().is_empty()
        || api.password().is_some()
        || api.query().is_some()
        || api.fragment().is_some();
    if surplus {
        return Err(AddressError::Surplus);
    }
    let root = api.path().trim_end_matches('/');
    let root = root.strip_suffix(path).unwrap_or(root);
    api.set_path(&format!("{root}{path}"));
    Ok(api)
}
