//! Which version of a component is installed, and where its manifest is.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::catalogue::{Component, Origin};
use super::digest::Sha256;
use super::error::ComponentError;
use super::version::Version;

/// What a user chooses of a component; everything unset is left to the provider.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides<'o> {
    /// `version`
    pub version: Option<&'o str>,
    /// `url`: an address, or the path of a file.
    pub url: Option<&'o str>,
    /// `sha256`
    pub sha256: Option<&'o str>,
    /// `namespace`
    pub namespace: Option<&'o str>,
}

/// What was installed last time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Installed {
    /// The version.
    pub version: Version,
    /// The digest of its manifest; `None` if the provider built the objects.
    pub sha256: Option<Sha256>,
}

/// What is to be installed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Release {
    /// The component.
    pub component: Component,
    /// The version. It stays the same until the user chooses another one.
    pub version: Version,
    /// The namespace.
    pub namespace: String,
    /// The manifest; `None` if the provider builds the objects.
    pub manifest: Option<Source>,
}

/// A manifest that is to be fetched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// Where it is.
    pub location: Location,
    /// The digest that it must have. `None` only for a version that was never installed here, from its
    /// official address: then the digest of what comes is recorded, and must not change any more.
    pub sha256: Option<Sha256>,
}

/// Where a manifest is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Location {
    /// At an `https` address.
    Address(Url),
    /// In a file of this machine.
    File(PathBuf),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(url) => url.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Release {
    /// Decides what is to be installed. It needs no network, so its errors are those of a plan.
    ///
    /// A version that the user does not choose is the installed one, or the default for a first
    /// installation.
    pub fn resolve(
        component: Component,
        overrides: Overrides<'_>,
        installed: Option<&Installed>,
    ) -> Result<Self, ComponentError> {
        let version = match (overrides.version, installed) {
            (Some(text), _) => parse_version(component, text)?,
            (None, Some(installed)) => installed.version.clone(),
            (None, None) => component.default_version(),
        };
        let namespace = overrides.namespace.unwrap_or(component.namespace());
        if namespace != component.namespace() && component != Component::ArgoCd {
            let namespace = namespace.to_owned();
            return Err(ComponentError::Namespace {
                component,
                namespace,
            });
        }
        let manifest = match component.origin() {
            Origin::Manifest { url, sha256 } => {
                let official = Source {
                    location: Location::parse(component, &at_version(url, &version))?,
                    sha256: recorded(&version, installed)
                        .or(sha256.filter(|_| version == component.default_version())),
                };
                Some(official.with(component, overrides)?)
            }
            Origin::BuiltIn => {
                require_unset(component, "url", overrides.url)?;
                require_unset(component, "sha256", overrides.sha256)?;
                None
            }
        };
        Ok(Self {
            component,
            version,
            namespace: namespace.to_owned(),
            manifest,
        })
    }
}

impl Source {
    /// Returns the source that the user chose, or the official one.
    fn with(self, component: Component, overrides: Overrides<'_>) -> Result<Self, ComponentError> {
        let chosen = overrides
            .sha256
            .map(|text| parse_digest(component, text))
            .transpose()?;
        let Some(url) = overrides.url else {
            return Ok(Self {
                sha256: chosen.or(self.sha256),
                ..self
            });
        };
        let location = Location::parse(component, url)?;
        if chosen.is_none() {
            let location = location.to_string();
            return Err(ComponentError::MissingDigest {
                component,
                location,
            });
        }
        Ok(Self {
            location,
            sha256: chosen,
        })
    }
}

impl Location {
    fn parse(component: Component, text: &str) -> Result<Self, ComponentError> {
        let refused = || ComponentError::Url {
            component,
            url: text.to_owned(),
        };
        if Path::new(text).is_absolute() {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let url = Url::parse(text).map_err(|_| refused())?;
        let has_login = !url.username().is_empty() || url.password().is_some();
        match url.scheme() {
            "https" if url.has_host() && !has_login => Ok(Self::Address(url)),
            "file" => url.to_file_path().map(Self::File).map_err(|()| refused()),
            _ => Err(refused()),
        }
    }
}

/// Returns the digest of a version that was installed before.
fn recorded(version: &Version, installed: Option<&Installed>) -> Option<Sha256> {
    let same = installed.filter(|installed| installed.version == *version);
    same.and_then(|installed| installed.sha256)
}

fn at_version(url: &str, version: &Version) -> String {
    url.replace("{version}", &version.to_string())
}

fn parse_version(component: Component, text: &str) -> Result<Version, ComponentError> {
    Version::parse(text).map_err(|source| ComponentError::Version {
        component,
        text: text.to_owned(),
        source,
    })
}

fn parse_digest(component: Component, text: &str) -> Result<Sha256, ComponentError> {
    Sha256::parse(text).map_err(|source| ComponentError::Digest {
        component,
        text: text.to_owned(),
        source,
    })
}

fn require_unset(
    component: Component,
    attribute: &'static str,
    value: Option<&str>,
) -> Result<(), ComponentError> {
    match value {
        Some(_) => Err(ComponentError::NoManifest {
            component,
            attribute,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn resolve(
        component: Component,
        overrides: Overrides<'_>,
        installed: Option<&Installed>,
    ) -> (String, String, Option<String>) {
        let release = Release::resolve(component, overrides, installed).unwrap();
        let manifest = release.manifest.unwrap();
        (
            release.version.to_string(),
            manifest.location.to_string(),
            manifest.sha256.map(|digest| digest.to_string()),
        )
    }

    fn refusal(component: Component, overrides: Overrides<'_>) -> String {
        let refused = Release::resolve(component, overrides, None).unwrap_err();
        refused.to_string()
    }

    #[test]
    fn without_a_choice_it_is_the_default_version_from_its_official_address() {
        let (version, location, digest) =
            resolve(Component::ArgoEvents, Overrides::default(), None);
        assert_eq!(version, "v1.9.11");
        assert_eq!(
            location,
            "https://github.com/argoproj/argo-events/releases/download/v1.9.11/install.yaml"
        );
        assert_eq!(digest.unwrap()[..8], *"affaae84");
    }

    #[test]
    fn an_installed_version_stays_and_its_manifest_must_be_the_same() {
        let installed = Installed {
            version: Version::new(1, 9, 8),
            sha256: Some(Sha256::parse(DIGEST).unwrap()),
        };
        let (version, _, digest) = resolve(
            Component::ArgoEvents,
            Overrides::default(),
            Some(&installed),
        );
        assert_eq!(
            (version.as_str(), digest.as_deref()),
            ("v1.9.8", Some(DIGEST))
        );
    }

    #[test]
    fn a_chosen_version_changes_address_and_digest() {
        let installed = Installed {
            version: Version::new(1, 9, 11),
            sha256: Some(Sha256::parse(DIGEST).unwrap()),
        };
        let chosen = Overrides {
            version: Some("1.9.12"),
            ..Overrides::default()
        };
        let (version, location, digest) = resolve(Component::ArgoEvents, chosen, Some(&installed));
        assert_eq!(version, "v1.9.12");
        assert!(location.contains("/v1.9.12/"));
        assert_eq!(digest, None);
    }

    #[test]
    fn a_manifest_from_elsewhere_needs_its_digest() {
        let copy = "https://mirror.example.com/argo-events.yaml";
        let chosen = Overrides {
            url: Some(copy),
            sha256: Some(DIGEST),
            ..Overrides::default()
        };
        let (version, location, digest) = resolve(Component::ArgoEvents, chosen, None);
        assert_eq!(
            (version.as_str(), location.as_str(), digest.as_deref()),
            ("v1.9.11", copy, Some(DIGEST))
        );
        let chosen = Overrides {
            url: Some("/srv/argo-events.yaml"),
            ..Overrides::default()
        };
        assert!(refusal(Component::ArgoEvents, chosen).contains("needs `sha256`"));
    }

    #[test]
    fn a_file_is_named_by_its_path_or_its_url() {
        for url in ["/srv/a.yaml", "file:///srv/a.yaml"] {
            let chosen = Overrides {
                url: Some(url),
                sha256: Some(DIGEST),
                ..Overrides::default()
            };
            assert_eq!(resolve(Component::ArgoCd, chosen, None).1, "/srv/a.yaml");
        }
    }

    #[test]
    fn what_is_no_safe_address_is_refused() {
        for url in [
            "http://example.com/a.yaml",
            "https://user:word@example.com/a.yaml",
            "ftp://example.com/a.yaml",
            "a.yaml",
            "",
        ] {
            let chosen = Overrides {
                url: Some(url),
                sha256: Some(DIGEST),
                ..Overrides::default()
            };
            let refused = refusal(Component::ArgoCd, chosen);
            assert!(
                refused.contains("cannot be the manifest of Argo CD"),
                "{refused}"
            );
        }
    }

    #[test]
    fn built_in_components_have_no_address_and_no_digest() {
        for (attribute, overrides) in [
            (
                "url",
                Overrides {
                    url: Some("/srv/a.yaml"),
                    ..Overrides::default()
                },
            ),
            (
                "sha256",
                Overrides {
                    sha256: Some(DIGEST),
                    ..Overrides::default()
                },
            ),
        ] {
            let refused = refusal(Component::Traefik, overrides);
            assert!(
                refused.contains(&format!("remove `{attribute}`")),
                "{refused}"
            );
        }
    }

    #[test]
    fn only_argo_cd_may_be_in_another_namespace() {
        let elsewhere = Overrides {
            namespace: Some("tools"),
            ..Overrides::default()
        };
        let release = Release::resolve(Component::ArgoCd, elsewhere, None).unwrap();
        assert_eq!(release.namespace, "tools");
        assert_eq!(
            refusal(Component::ArgoEvents, elsewhere),
            "Argo Events cannot be installed in the namespace tools: its manifest names argo-events in bindings, \
             webhooks and certificates; remove `namespace`"
        );
    }

    #[test]
    fn what_is_no_version_or_digest_is_quoted() {
        let chosen = Overrides {
            version: Some("latest"),
            ..Overrides::default()
        };
        assert_eq!(
            refusal(Component::ArgoCd, chosen),
            "`latest` is not a version of Argo CD"
        );
        let chosen = Overrides {
            sha256: Some("abc"),
            ..Overrides::default()
        };
        assert_eq!(
            refusal(Component::ArgoCd, chosen),
            "`abc` is not the digest of a manifest of Argo CD"
        );
    }
}
