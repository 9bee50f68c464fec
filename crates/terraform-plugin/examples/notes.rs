//! A provider that keeps notes as text files in a folder: a resource with everything that one usually needs, and a
//! data source.
//!
//! Build it, name its folder in a `dev_overrides` block of the command line's configuration file, and write:
//!
//! ```hcl
//! provider "notes" { folder = "/tmp/notes" }
//!
//! resource "notes_note" "milk" {
//!   name = "milk"
//!   text = "Buy some."
//! }
//! ```

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::provider::{Provider, Registry};
use terraform_plugin::resource::{ImportTarget, Operation, Resource, Timeouts};
use terraform_plugin::schema::Validator;
use terraform_plugin::server::{ServeOptions, serve};
use terraform_plugin::service::ProviderService;
use terraform_plugin::value::{Known, Path, Tf};

fn main() -> ExitCode {
    let options = ServeOptions {
        address: "registry.terraform.io/example/notes",
        version: env!("CARGO_PKG_VERSION"),
        log_targets: &["notes"],
        debug: std::env::args().any(|argument| argument == "--debug"),
    };
    serve(&options, ProviderService::new(Notes))
}

struct Notes;

/// Keeps notes as text files.
#[derive(Model)]
struct Configuration {
    /// Folder that holds the notes; it must exist.
    #[tf(environment(["NOTES_FOLDER"]))]
    folder: Option<String>,
}

impl Provider for Notes {
    type Config = Configuration;
    type Client = Folder;

    async fn configure(&self, configuration: Configuration) -> Result<Folder, Diagnostics> {
        let folder = configuration.folder.ok_or_else(|| {
            Diagnostic::error(
                "No folder",
                "Set folder, or the environment variable NOTES_FOLDER.",
            )
            .at(&Path::to("folder"))
        })?;
        Ok(Folder(folder.into()))
    }

    fn register(&self, registry: &mut Registry<Folder>) {
        registry.resource(NoteResource).data_source(NoteDataSource);
    }
}

/// What resources and data sources share.
struct Folder(PathBuf);

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.txt"))
    }

    /// Returns the text of a note; `None` if there is no such note.
    fn read(&self, name: &str) -> Result<Option<String>, Diagnostics> {
        match fs::read_to_string(self.path(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", name, &error)),
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Diagnostics> {
        fs::write(self.path(name), text).map_err(|error| failed("write", name, &error))
    }
}

fn failed(verb: &str, name: &str, error: &std::io::Error) -> Diagnostics {
    let detail = format!("{error}. Check that the folder exists and is writable.");
    Diagnostic::error(format!("Cannot {verb} the note {name}"), detail).into()
}

/// A note.
#[derive(Model)]
struct Note {
    /// Name of the note, unique in the folder.
    #[tf(replace, validate(plain_name()))]
    name: String,
    /// Text of the note.
    #[tf(default(String::new()))]
    text: String,
    /// How long operations may take.
    timeouts: Option<Timeouts>,
    /// Where the note lies.
    #[tf(stable)]
    path: Tf<String>,
}

/// What identifies a note.
#[derive(Model)]
struct NoteIdentity {
    /// Name of the note.
    name: String,
}

fn plain_name() -> Validator {
    Validator::new("Letters, digits, `-` and `_`.", |name: &String| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if !name.is_empty() && name.chars().all(plain) {
            Ok(())
        } else {
            Err(format!(
                "{name:?} cannot be the name of a file: use letters, digits, - and _."
            ))
        }
    })
}

struct NoteResource;

impl NoteResource {
    fn note(folder: &Folder, name: String, text: String) -> Note {
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
        // A note that equals the plan is one that an earlier, interrupted creation wrote.
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

struct NoteDataSource;

impl DataSource for NoteDataSource {
    type Client = Folder;
    type Data = Note;
    const TYPE_NAME: &'static str = "notes_note";
    const DESCRIPTION: &'static str = "Reads a note.";
    const REQUIRED: &'static [&'static str] = &["name"];
    const OPTIONAL: &'static [&'static str] = &[];

    async fn read(&self, folder: &Arc<Folder>, config: PlanOf<Note>) -> Result<Note, Diagnostics> {
        let name = config.name.expect_known("name")?;
        let text = folder.read(name)?.ok_or_else(|| {
            Diagnostic::error("There is no such note", format!("No note is named {name}."))
                .at(&Path::to("name"))
        })?;
        Ok(NoteResource::note(folder, name.clone(), text))
    }
}
