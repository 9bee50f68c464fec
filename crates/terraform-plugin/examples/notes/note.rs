//! The resource of notes.

use std::fs;
use std::io::ErrorKind;

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::resource::{ImportTarget, Operation, Resource, Timeouts};
use terraform_plugin::schema::Validator;
use terraform_plugin::value::{Known, Path, Tf};

use crate::{Folder, failed};

/// A note.
#[derive(Model)]
pub(crate) struct Note {
    /// Name of the note, unique in the directory.
    #[tf(replace, validate(plain_name()))]
    pub(crate) name: String,
    /// Text of the note.
    #[tf(default(String::new()))]
    text: String,
    /// Time limits of operations.
    timeouts: Option<Timeouts>,
    /// Path of the note.
    #[tf(stable)]
    path: Tf<String>,
}

/// Identity of a note.
#[derive(Model)]
pub(crate) struct NoteIdentity {
    /// Name of the note.
    pub(crate) name: String,
}

pub(crate) fn plain_name() -> Validator {
    Validator::new("Letters, digits, `-` and `_`.", |name: &String| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if !name.is_empty() && name.chars().all(plain) {
            Ok(())
        } else {
            Err(format!(
                "{name:?} is not a valid name. Use letters, digits, - and _."
            ))
        }
    })
}

pub(crate) struct NoteResource;

impl NoteResource {
    pub(crate) fn note(folder: &Folder, name: String, text: String) -> Note {
        let path = folder.path(&name).display().to_string();
        Note {
            name,
            text,
            timeouts: None,
            path: Known(path),
        }
    }
}

impl Resource for NoteResource {
    type Client = Folder;
    type State = Note;
    type Identity = NoteIdentity;
    const TYPE_NAME: &'static str = "notes_note";

    async fn create(
        &self,
        operation: &mut Operation<Folder>,
        planned: Note,
    ) -> Result<Note, Diagnostics> {
        let folder = operation.client();
        // A note with the planned text may come from an earlier creation that was interrupted.
        if folder
            .read(&planned.name)?
            .is_some_and(|text| text != planned.text)
        {
            let detail = format!(
                "Import it (terraform import <address> {}), or choose another name.",
                planned.name
            );
            return Err(Diagnostic::error("The note exists", detail)
                .at(&Path::to("name"))
                .into());
        }
        folder.write(&planned.name, &planned.text)?;
        let path = Known(folder.path(&planned.name).display().to_string());
        Ok(Note { path, ..planned })
    }

    async fn read(
        &self,
        operation: &mut Operation<Folder>,
        state: Note,
    ) -> Result<Option<Note>, Diagnostics> {
        let text = operation.client().read(&state.name)?;
        Ok(text.map(|text| Note { text, ..state }))
    }

    async fn update(
        &self,
        operation: &mut Operation<Folder>,
        _: Note,
        planned: Note,
    ) -> Result<Note, Diagnostics> {
        operation.client().write(&planned.name, &planned.text)?;
        Ok(planned)
    }

    async fn delete(
        &self,
        operation: &mut Operation<Folder>,
        state: Note,
    ) -> Result<(), Diagnostics> {
        match fs::remove_file(operation.client().path(&state.name)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("delete", &state.name, &error)),
        }
    }

    fn identity(&self, state: &Note) -> Option<NoteIdentity> {
        Some(NoteIdentity {
            name: state.name.clone(),
        })
    }

    async fn import(
        &self,
        operation: &mut Operation<Folder>,
        target: ImportTarget<NoteIdentity>,
    ) -> Result<Option<Note>, Diagnostics> {
        let name = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => identity.name,
        };
        let folder = operation.client();
        let text = folder.read(&name)?;
        Ok(text.map(|text| Self::note(folder, name, text)))
    }
}
