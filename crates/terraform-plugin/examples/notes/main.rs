//! A provider that keeps notes as text files in a directory, with one of each kind.
//!
//! Build it, add its directory to a `dev_overrides` block of the CLI configuration file, and write:
//!
//! ```hcl
//! terraform {
//!   required_providers {
//!     notes = { source = "example/notes" }
//!   }
//! }
//!
//! provider "notes" { folder = "/tmp/notes" }
//!
//! resource "notes_note" "milk" {
//!   name = provider::notes::slug("Milk and honey")
//!   text = "Buy some."
//! }
//! ```

mod backup;
mod draft;
mod lookup;
mod note;
mod slug;

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::provider::{ConfigureContext, Provider, Registry};
use terraform_plugin::server::{ServeOptions, serve};
use terraform_plugin::service::ProviderService;
use terraform_plugin::value::Path;

use backup::BackupAction;
use draft::DraftResource;
use lookup::{NoteDataSource, NoteList};
use note::NoteResource;
use slug::Slug;

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
    /// Directory of the notes. It must exist.
    #[tf(environment(["NOTES_FOLDER"]))]
    folder: Option<String>,
}

impl Provider for Notes {
    type Config = Configuration;
    type Client = Folder;

    async fn configure(
        &self,
        configuration: Configuration,
        _: &mut ConfigureContext,
    ) -> Result<Folder, Diagnostics> {
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
        registry
            .resource(NoteResource)
            .data_source(NoteDataSource)
            .list_resource(NoteList)
            .ephemeral_resource(DraftResource)
            .action(BackupAction)
            .function(Slug);
    }
}

/// The client: the directory of the notes.
struct Folder(PathBuf);

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.txt"))
    }

    /// Returns the text of a note, or `None` if it does not exist.
    fn read(&self, name: &str) -> Result<Option<String>, Diagnostics> {
        match fs::read_to_string(self.path(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", name, &error)),
        }
    }

    /// Returns the names of the notes, sorted.
    fn names(&self) -> Result<Vec<String>, Diagnostics> {
        let entries = fs::read_dir(&self.0).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.map_err(|error| failed("list", "folder", &error))?;
        let names = entries.iter().filter_map(|entry| {
            let file_name = entry.file_name().into_string().ok()?;
            Some(file_name.strip_suffix(".txt")?.to_owned())
        });
        let mut names: Vec<_> = names.collect();
        names.sort();
        Ok(names)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Diagnostics> {
        fs::write(self.path(name), text).map_err(|error| failed("write", name, &error))
    }
}

fn failed(verb: &str, name: &str, error: &std::io::Error) -> Diagnostics {
    let detail = format!("{error}. Check that the folder exists and is writable.");
    Diagnostic::error(format!("Cannot {verb} the note {name}"), detail).into()
}
