//! Why a component cannot be installed as wanted.

use std::path::PathBuf;

use kubernetes_apply::object::{ManifestError, ObjectError};

use super::catalogue::Component;
use super::digest::{InvalidSha256, Sha256};
use super::version::{InvalidVersion, Version};
use crate::backends::download;

/// Why a component cannot be installed as wanted.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// A version is none.
    #[error("`{text}` is not a version of {component}")]
    Version {
        /// The component.
        component: Component,
        /// What was given.
        text: String,
        /// What a version looks like.
        source: InvalidVersion,
    },
    /// A digest is none.
    #[error("`{text}` is not the digest of a manifest of {component}")]
    Digest {
        /// The component.
        component: Component,
        /// What was given.
        text: String,
        /// What a digest looks like.
        source: InvalidSha256,
    },
    /// An address leads to no manifest.
    #[error(
        "`{url}` cannot be the manifest of {component}: `url` is an address that begins with https://, or the \
         absolute path of a file"
    )]
    Url {
        /// The component.
        component: Component,
        /// What was given.
        url: String,
    },
    /// A manifest from elsewhere has no digest to be checked against.
    #[error(
        "the manifest of {component} at {location} needs `sha256`: only a manifest whose content is known is applied \
         with the rights of a cluster administrator; `sha256sum FILE` prints it"
    )]
    MissingDigest {
        /// The component.
        component: Component,
        /// The address or file.
        location: String,
    },
    /// The component has no manifest that could come from elsewhere.
    #[error(
        "{component} has no manifest, because the provider builds its objects; remove `{attribute}`, and set `version` \
         and `image_registry` to choose its image"
    )]
    NoManifest {
        /// The component.
        component: Component,
        /// The attribute that has no meaning.
        attribute: &'static str,
    },
    /// The component has to be in another namespace.
    #[error(
        "{component} cannot be installed in the namespace {namespace}: its manifest names {} in bindings, webhooks and \
         certificates; remove `namespace`",
        component.namespace()
    )]
    Namespace {
        /// The component.
        component: Component,
        /// The namespace that was given.
        namespace: String,
    },
    /// A mirror is none.
    #[error(
        "`{text}` is not a registry of images: it is a host, with a port and a path if it needs them, such as \
         registry.example.com/mirror, without https://"
    )]
    ImageRegistry {
        /// What was given.
        text: String,
    },
    /// The event bus cannot have so many replicas.
    #[error(
        "the event bus of Argo Events cannot have {replicas} replicas: set `replicas` to 1, or to 3 or more, of which a \
         majority elects a leader"
    )]
    BusReplicas {
        /// The number that was given.
        replicas: i64,
    },
    /// The controller does not know a version of the event bus.
    #[error(
        "Argo Events does not know version {version} of its event bus; it knows {}",
        known.join(", ")
    )]
    BusVersion {
        /// The version that was given.
        version: String,
        /// Those that the manifest lists.
        known: Vec<String>,
    },
    /// A manifest could not be downloaded.
    #[error(
        "cannot download the manifest of {component} {version}; check that this version exists and that this machine \
         reaches the address, or set `url` to a copy that it reaches, and `sha256`"
    )]
    Download {
        /// The component.
        component: Component,
        /// Its version.
        version: Version,
        /// Why.
        source: download::Error,
    },
    /// A file with a manifest could not be read.
    #[error(
        "cannot read the manifest of {component} in {}; the file must be on the machine that runs Terraform",
        file.display()
    )]
    Unreadable {
        /// The component.
        component: Component,
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is larger than any manifest.
    #[error("the manifest of {component} in {} is larger than {limit} bytes", file.display())]
    TooLarge {
        /// The component.
        component: Component,
        /// The file.
        file: PathBuf,
        /// The most that is read.
        limit: usize,
    },
    /// A manifest is not the one that is expected.
    #[error(
        "the manifest of {component} at {location} is not the expected one: its SHA-256 digest is {found} instead of \
         {expected}; nothing was applied. If you have checked what has changed, set `sha256` to the new digest"
    )]
    OtherDigest {
        /// The component.
        component: Component,
        /// The address or file.
        location: String,
        /// The digest that it should have.
        expected: Sha256,
        /// The digest that it has.
        found: Sha256,
    },
    /// A manifest is no text.
    #[error("the manifest of {component} at {location} is not text in UTF-8")]
    NotText {
        /// The component.
        component: Component,
        /// The address or file.
        location: String,
    },
    /// A manifest is no text of Kubernetes objects.
    #[error("cannot read the manifest of {component}")]
    Manifest {
        /// The component.
        component: Component,
        /// Why.
        source: ManifestError,
    },
    /// A manifest lacks an object without which the component cannot work.
    #[error(
        "the manifest of {component} has no {kind} {name}; check that it is the install manifest of {component}, and of a \
         version that this provider knows"
    )]
    MissingObject {
        /// The component.
        component: Component,
        /// The kind of the object.
        kind: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// A component with a manifest was to be built without it, or the result is no object.
    #[error(
        "the objects of {component} could not be built; this is a defect of the provider, please report it"
    )]
    Build {
        /// The component.
        component: Component,
        /// What is wrong, if it is about one object.
        source: Option<ObjectError>,
    },
}

impl ComponentError {
    /// Returns the attribute of the slot that is at fault, if it is one alone.
    pub const fn attribute(&self) -> Option<&'static str> {
        match self {
            Self::Version { .. } => Some("version"),
            Self::Digest { .. } | Self::MissingDigest { .. } | Self::OtherDigest { .. } => {
                Some("sha256")
            }
            Self::Url { .. } | Self::Unreadable { .. } | Self::TooLarge { .. } => Some("url"),
            Self::NoManifest { attribute, .. } => Some(attribute),
            Self::Namespace { .. } => Some("namespace"),
            Self::ImageRegistry { .. } => Some("image_registry"),
            Self::BusReplicas { .. } => Some("replicas"),
            Self::BusVersion { .. }
            | Self::Download { .. }
            | Self::NotText { .. }
            | Self::Manifest { .. }
            | Self::MissingObject { .. }
            | Self::Build { .. } => None,
        }
    }
}
