//! The example provider as a process: streaming RPCs, and RPCs before the provider is configured.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fs;

use tempfile::TempDir;
use terraform_plugin::protocol::tfplugin6 as tf;
use terraform_plugin::protocol::tfplugin6::invoke_action::event::Type as Event;
use terraform_plugin::protocol::tfplugin6::provider_client::ProviderClient;
use terraform_plugin::testing::process::ProviderProcess;
use terraform_plugin::value::{Type, Value, decode, encode};
use tonic::transport::Channel;

struct Notes {
    client: ProviderClient<Channel>,
    folder: TempDir,
    _process: ProviderProcess,
}

impl Notes {
    async fn start() -> Self {
        let test = std::env::current_exe().unwrap();
        let built = test.ancestors().nth(2).unwrap().join("examples/notes");
        let process = ProviderProcess::start(built).await.unwrap();
        Self {
            client: process.client().await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            _process: process,
        }
    }

    async fn configured() -> Self {
        let mut notes = Self::start().await;
        let folder = Value::string(notes.folder.path().display().to_string());
        let request = tf::configure_provider::Request {
            config: Some(texts([("folder", folder)])),
            ..Default::default()
        };
        let configured = notes.client.configure_provider(request).await.unwrap();
        assert!(configured.into_inner().diagnostics.is_empty());
        for name in ["honey", "milk", "money"] {
            fs::write(notes.path(&format!("{name}.txt")), name).unwrap();
        }
        notes
    }

    fn path(&self, file_name: &str) -> std::path::PathBuf {
        self.folder.path().join(file_name)
    }
}

fn dynamic(value: &Value, kind: &Type) -> tf::DynamicValue {
    tf::DynamicValue {
        msgpack: encode(value, kind).into(),
        ..Default::default()
    }
}

/// Encodes an object of strings.
fn texts<const N: usize>(attributes: [(&str, Value); N]) -> tf::DynamicValue {
    let types: BTreeMap<_, _> = attributes
        .iter()
        .map(|(name, _)| ((*name).to_owned(), Type::String))
        .collect();
    dynamic(&Value::object(attributes), &Type::Object(types))
}

#[tokio::test]
async fn a_function_works_before_the_provider_is_configured() {
    let mut notes = Notes::start().await;
    let request = tf::call_function::Request {
        name: "slug".to_owned(),
        arguments: vec![dynamic(&Value::string("Milk and Honey"), &Type::String)],
    };
    let called = notes.client.call_function(request).await.unwrap();
    let result = called.into_inner().result.unwrap();
    let result = decode(&result.msgpack, &Type::String).unwrap();
    assert_eq!(result.as_str(), Some("milk-and-honey"));
}

#[tokio::test]
async fn a_search_streams_objects_up_to_its_limit() {
    let mut notes = Notes::configured().await;
    let request = tf::list_resource::Request {
        type_name: "notes_note".to_owned(),
        config: Some(texts([("prefix", Value::string("m"))])),
        include_resource_object: true,
        limit: 1,
    };
    let mut events = notes
        .client
        .list_resource(request)
        .await
        .unwrap()
        .into_inner();
    let first = events.message().await.unwrap().unwrap();
    assert_eq!(first.display_name, "milk");
    assert!(first.identity.is_some() && first.resource_object.is_some());
    assert!(events.message().await.unwrap().is_none());
}

#[tokio::test]
async fn an_action_streams_its_progress_and_completion() {
    let mut notes = Notes::configured().await;
    let request = tf::invoke_action::Request {
        action_type: "notes_backup".to_owned(),
        config: Some(texts([("suffix", Value::Null)])),
        ..Default::default()
    };
    let mut events = notes
        .client
        .invoke_action(request)
        .await
        .unwrap()
        .into_inner();
    let mut seen = Vec::new();
    while let Some(event) = events.message().await.unwrap() {
        seen.push(match event.r#type.unwrap() {
            Event::Progress(progress) => progress.message,
            Event::Completed(completed) => format!("{} messages", completed.diagnostics.len()),
        });
    }
    assert_eq!(
        seen,
        [
            "copying honey",
            "copying milk",
            "copying money",
            "0 messages"
        ]
    );
    assert_eq!(fs::read_to_string(notes.path("milk.bak")).unwrap(), "milk");
}

#[tokio::test]
async fn an_ephemeral_resource_leaves_nothing_after_it_is_closed() {
    let mut notes = Notes::configured().await;
    let request = tf::open_ephemeral_resource::Request {
        type_name: "notes_draft".to_owned(),
        config: Some(texts([
            ("name", Value::string("d")),
            ("path", Value::Null),
            ("text", Value::string("t")),
        ])),
        ..Default::default()
    };
    let opened = notes.client.open_ephemeral_resource(request).await.unwrap();
    let opened = opened.into_inner();
    assert!(opened.diagnostics.is_empty());
    let drafts = || {
        let entries = fs::read_dir(notes.folder.path()).unwrap().flatten();
        entries
            .filter(|entry| entry.path().extension().is_some_and(|e| e == "draft"))
            .count()
    };
    assert_eq!(drafts(), 1);
    let request = tf::close_ephemeral_resource::Request {
        type_name: "notes_draft".to_owned(),
        private: opened.private,
    };
    let closed = notes.client.clone().close_ephemeral_resource(request).await;
    assert!(closed.unwrap().into_inner().diagnostics.is_empty());
    assert_eq!(drafts(), 0);
}
