//! Paths of git over HTTP.

/// A service of git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Serves fetches.
    UploadPack,
    /// Takes pushes.
    ReceivePack,
}

impl Service {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack]
            .into_iter()
            .find(|service| service.name() == name)
    }
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// The references; the query names the service.
    InfoRefs,
    /// One round of a service.
    Rpc(Service),
}

/// A parsed path of git over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GitPath {
    /// The full path of the project.
    pub(super) project: String,
    /// Whether `.git` follows the project path.
    pub(super) has_suffix: bool,
    pub(super) endpoint: Endpoint,
}

/// Parses a path; `None` if it is not one of git's.
pub(super) fn parse(path: &str) -> Option<GitPath> {
    let path = path.trim_start_matches('/');
    let endpoints = [
        ("/info/refs", Endpoint::InfoRefs),
        ("/git-upload-pack", Endpoint::Rpc(Service::UploadPack)),
        ("/git-receive-pack", Endpoint::Rpc(Service::ReceivePack)),
    ];
    let (project, endpoint) = endpoints
        .into_iter()
        .find_map(|(end, endpoint)| Some((path.strip_suffix(end)?, endpoint)))?;
    let (project, has_suffix) = match project.strip_suffix(".git") {
        Some(project) => (project, true),
        None => (project, false),
    };
    let project = percent_encoding::percent_decode_str(project)
        .decode_utf8()
        .ok()?
        .into_owned();
    Some(GitPath {
        project,
        has_suffix,
        endpoint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_parsed() {
        let parsed = parse("/a/b.git/info/refs").unwrap();
        assert_eq!(parsed.project, "a/b");
        assert!(parsed.has_suffix);
        assert_eq!(parsed.endpoint, Endpoint::InfoRefs);
        let parsed = parse("/a/b/git-receive-pack").unwrap();
        assert!(!parsed.has_suffix);
        assert_eq!(parsed.endpoint, Endpoint::Rpc(Service::ReceivePack));
        assert_eq!(parse("/a/b"), None);
    }
}
