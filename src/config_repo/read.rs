//! Reading one entity with as few calls as the state of the branch allows.

use std::fmt;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::manifest::Manifest;

use crate::backends::gitlab;
use crate::causes::causes;

use super::change::is_place_of;
use super::object_id::ObjectFormat;
use super::remote::Remote;
use super::snapshot::{Snapshot, VerifiedAt};

/// What reading an entity found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// The branch is at the commit at which the entity was last verified: nothing was read, and
    /// everything is as it was then.
    Unchanged,
    /// There is no such entity.
    Absent,
    /// There is one.
    Present(Box<Present>),
}

/// An entity that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Present {
    /// The entity; none if its manifest is, byte for byte, the one last verified, or cannot be
    /// read.
    pub entity: Option<Entity>,
    /// Where it is verified now.
    pub verified: VerifiedAt,
    /// What is wrong with it beyond its fields; saving it again repairs all of them.
    pub drift: Vec<Drift>,
}

/// Something wrong with a manifest that no field of its entity shows.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Drift {
    /// The kustomization does not list it, so that nothing applies it.
    NotListed,
    /// It cannot be read as the manifest of its entity; the reason follows.
    Unreadable(String),
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListed => write!(f, "not listed in the kustomization"),
            Self::Unreadable(reason) => write!(f, "manifest not readable: {reason}"),
        }
    }
}

impl Remote {
    /// Reads an entity.
    pub(super) async fn read(
        &self,
        key: &EntityKey,
        verified: Option<&VerifiedAt>,
    ) -> Result<Reading, gitlab::Error> {
        let view = self.view();
        let Some(head) = self.head(&view).await? else {
            return Ok(Reading::Absent);
        };
        if verified.is_some_and(|verified| verified.commit == head) {
            return Ok(Reading::Unchanged);
        }
        if let Some(snapshot) = view.known_snapshot() {
            return Ok(find(snapshot, key));
        }
        let listing = self.listing(&view, &head).await?;
        let known_blob = verified.map(|verified| verified.blob_id.as_str());
        let Some(path) = listing.place(key, known_blob) else {
            return Ok(Reading::Absent);
        };
        let blob = listing.blob(path).unwrap_or_default();
        let mut drift = Vec::new();
        let entry = self.layout.kustomization_entry(path);
        let kustomization = self.kustomization(&view, &listing).await?;
        if !kustomization.is_some_and(|found| found.resources.contains(&entry)) {
            drift.push(Drift::NotListed);
        }
        let mut entity = None;
        if known_blob != Some(blob) {
            let text = self.content(blob).await?;
            match Manifest::parse(&text, self.layout.product()) {
                Ok(manifest) if manifest.key() == *key => {
                    entity = Some(manifest.entity().clone());
                }
                Ok(manifest) => {
                    drift.push(Drift::Unreadable(format!(
                        "it describes {}",
                        manifest.key()
                    )));
                }
                Err(error) => drift.push(Drift::Unreadable(causes(&error))),
            }
        }
        let is_readable = !drift
            .iter()
            .any(|found| matches!(found, Drift::Unreadable(_)));
        let verified = VerifiedAt {
            commit: head,
            // What cannot be read is looked at again each time, so that it stays drift.
            blob_id: if is_readable {
                blob.to_owned()
            } else {
                String::new()
            },
        };
        Ok(Reading::Present(Box::new(Present {
            entity,
            verified,
            drift,
        })))
    }
}

fn find(snapshot: &Snapshot, key: &EntityKey) -> Reading {
    let tree = snapshot.tree();
    if let (Some(entity), Some(verified)) = (snapshot.get(key), snapshot.verified(key)) {
        let drift = if tree.lists(key) {
            Vec::new()
        } else {
            vec![Drift::NotListed]
        };
        return Reading::Present(Box::new(Present {
            entity: Some(entity.clone()),
            verified,
            drift,
        }));
    }
    let broken = tree.broken_files().find(|(path, _)| is_place_of(path, key));
    let (Some((path, error)), Some(commit)) = (broken, snapshot.commit()) else {
        return Reading::Absent;
    };
    let text = tree.file(path).unwrap_or_default();
    let blob_id = ObjectFormat::of(commit).blob_id(text.as_bytes());
    let verified = VerifiedAt {
        commit: commit.to_owned(),
        blob_id,
    };
    let drift = vec![Drift::Unreadable(causes(error))];
    Reading::Present(Box::new(Present {
        entity: None,
        verified,
        drift,
    }))
}
