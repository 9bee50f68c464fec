//! Reading one entity with as few calls as the state of the branch allows.

use std::fmt;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::manifest::Manifest;

use crate::backends::gitlab;
use crate::error_chain::error_chain;

use super::branch_cache::BranchCache;
use super::change::is_path_of;
use super::snapshot::{Snapshot, VerifiedAt};

/// What reading an entity found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reading {
    /// The branch is at the commit at which the entity was last verified, so nothing was read:
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
    /// The entity; `None` if its manifest is, byte for byte, the one last verified, or cannot be
    /// parsed.
    pub entity: Option<Entity>,
    /// The path of its manifest.
    pub path: String,
    /// Where it is verified now.
    pub verified: VerifiedAt,
    /// What is wrong with it beyond its fields; saving it again repairs all of these.
    pub drift: Vec<Drift>,
}

/// Something wrong with a manifest that no field of its entity shows.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Drift {
    /// The kustomization does not list it, so nothing applies it.
    NotListed,
    /// It lies in a folder where Nautes does not look for it.
    Misplaced(String),
    /// It cannot be parsed as the manifest of its entity, for this reason.
    Unreadable(String),
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListed => write!(f, "not listed in the kustomization"),
            Self::Misplaced(path) => write!(f, "the manifest lies in a wrong folder: {path}"),
            Self::Unreadable(reason) => write!(f, "manifest not readable: {reason}"),
        }
    }
}

impl BranchCache {
    /// Reads an entity.
    pub(super) async fn read(
        &self,
        key: &EntityKey,
        verified: Option<&VerifiedAt>,
    ) -> Result<Reading, gitlab::Error> {
        let cached = self.cached();
        let Some(head) = self.head(&cached).await? else {
            return Ok(Reading::Absent);
        };
        if verified.is_some_and(|verified| verified.commit == head) {
            return Ok(Reading::Unchanged);
        }
        if let Some(snapshot) = cached.known_snapshot() {
            return Ok(find(snapshot, key));
        }
        let listing = self.listing(&cached, &head).await?;
        let Some(path) = listing.path_of(key) else {
            // It may lie elsewhere, which only the content of the files tells.
            return Ok(find(&*self.snapshot(&cached).await?, key));
        };
        let blob = listing.blob(path).unwrap_or_default();
        let mut drift = Vec::new();
        let entry = self.layout.kustomization_entry(path);
        let kustomization = self.kustomization(&cached, &listing).await?;
        if !kustomization.is_some_and(|found| found.resources.contains(&entry)) {
            drift.push(Drift::NotListed);
        }
        let mut entity = None;
        let mut is_readable = true;
        if verified.map(|verified| verified.blob_id.as_str()) != Some(blob) {
            let text = self.content(blob).await?;
            match Manifest::parse(&text, self.layout.product()) {
                Ok(manifest) if manifest.key() == *key => entity = Some(manifest.entity().clone()),
                parsed => {
                    is_readable = false;
                    drift.push(Drift::Unreadable(match parsed {
                        Ok(manifest) => format!("it describes {}", manifest.key()),
                        Err(error) => error_chain(&error),
                    }));
                }
            }
        }
        Ok(Reading::Present(Box::new(Present {
            entity,
            path: path.to_owned(),
            verified: VerifiedAt::new(head, Some(blob.to_owned()).filter(|_| is_readable)),
            drift,
        })))
    }
}

fn find(snapshot: &Snapshot, key: &EntityKey) -> Reading {
    let tree = snapshot.tree();
    if let (Some((path, manifest)), Some(verified)) = (tree.find(key), snapshot.verified(key)) {
        let mut drift = Vec::new();
        if !tree.is_listed(key) {
            drift.push(Drift::NotListed);
        }
        if !tree.repository().allows(manifest.entity(), path) {
            drift.push(Drift::Misplaced(path.to_owned()));
        }
        return Reading::Present(Box::new(Present {
            entity: Some(manifest.entity().clone()),
            path: path.to_owned(),
            verified,
            drift,
        }));
    }
    let broken = tree.invalid_files().find(|(path, _)| is_path_of(path, key));
    let (Some((path, error)), Some(commit)) = (broken, snapshot.commit()) else {
        return Reading::Absent;
    };
    Reading::Present(Box::new(Present {
        entity: None,
        path: path.to_owned(),
        verified: VerifiedAt::new(commit.to_owned(), None),
        drift: vec![Drift::Unreadable(error_chain(error))],
    }))
}
