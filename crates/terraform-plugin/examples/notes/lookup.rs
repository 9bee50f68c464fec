//! Existing notes: a data source that reads one, and a list resource that finds several.

use std::sync::Arc;

use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::list_resource::{ListResource, Listed, Listing};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::Path;

use crate::Folder;
use crate::note::{Note, NoteIdentity, NoteResource};

pub(crate) struct NoteDataSource;

impl DataSource for NoteDataSource {
    type Client = Folder;
    type Data = Note;
    const TYPE_NAME: &'static str = "notes_note";
    const DESCRIPTION: &'static str = "Reads a note.";
    const REQUIRED: &'static [&'static str] = &["name"];
    const OPTIONAL: &'static [&'static str] = &[];

    async fn read(
        &self,
        context: &mut Context<Folder>,
        config: PlanOf<Note>,
    ) -> Result<Note, Diagnostics> {
        let folder = context.client();
        let name = config.name.require_known("name")?;
        let text = folder.read(name)?.ok_or_else(|| {
            Diagnostic::error("There is no such note", format!("No note is named {name}."))
                .at(&Path::to("name"))
        })?;
        Ok(NoteResource::note(folder, name.clone(), text))
    }
}

/// Finds notes.
#[derive(Model)]
pub(crate) struct NoteFilter {
    /// Prefix of the names.
    prefix: Option<String>,
}

pub(crate) struct NoteList;

impl ListResource for NoteList {
    type Resource = NoteResource;
    type Config = NoteFilter;

    async fn list(
        &self,
        listing: &mut Listing<NoteResource>,
        filter: NoteFilter,
    ) -> Result<(), Diagnostics> {
        let folder = Arc::clone(listing.client());
        let prefix = filter.prefix.unwrap_or_default();
        for name in folder.names()? {
            // A note may be deleted while others are read.
            let Some(text) = folder.read(&name)?.filter(|_| name.starts_with(&prefix)) else {
                continue;
            };
            let state = listing
                .wants_state()
                .then(|| NoteResource::note(&folder, name.clone(), text));
            listing
                .push(Listed {
                    display_name: name.clone(),
                    identity: NoteIdentity { name },
                    state,
                })
                .await;
        }
        Ok(())
    }
}
