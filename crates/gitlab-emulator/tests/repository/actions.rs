//! Compares actions with a simple model.

use std::collections::BTreeMap;

use gitlab_emulator::git::action::{Action, ActionError};
use gitlab_emulator::git::commit::NewCommit;
use gitlab_emulator::git::{Repositories, Repository};
use proptest::prelude::*;

use crate::{git, signature};

/// The files of a tree: content, and whether they are executable.
type Model = BTreeMap<String, (Vec<u8>, bool)>;

const PATHS: [&str; 8] = ["a", "b", "d/a", "d/b", "d/e/a", "d/e/b", "d", "d/e"];

fn is_folder(model: &Model, path: &str) -> bool {
    let prefix = format!("{path}/");
    model.keys().any(|known| known.starts_with(&prefix))
}

/// Puts a file at a path. Replaces what is there, and any file that is in the way of a folder.
fn put(model: &mut Model, path: &str, content: Vec<u8>, is_executable: bool) {
    let prefix = format!("{path}/");
    model.retain(|known, _| !known.starts_with(&prefix) && !path.starts_with(&format!("{known}/")));
    model.insert(path.to_owned(), (content, is_executable));
}

fn apply(model: &mut Model, action: &Action) -> Result<(), ActionError> {
    match action {
        Action::Create {
            path,
            content,
            is_executable,
        } => {
            if model.contains_key(path) {
                return Err(ActionError::Exists);
            }
            put(model, path, content.clone(), *is_executable);
        }
        Action::Update { path, content } => {
            model
                .get_mut(path)
                .ok_or(ActionError::Missing)?
                .0
                .clone_from(content);
        }
        Action::Chmod {
            path,
            is_executable,
        } => {
            model.get_mut(path).ok_or(ActionError::Missing)?.1 = *is_executable;
        }
        Action::Move {
            path,
            previous_path,
            content,
        } => {
            let (old, mode) = model
                .get(previous_path)
                .cloned()
                .ok_or(ActionError::Missing)?;
            if path != previous_path && (model.contains_key(path) || is_folder(model, path)) {
                return Err(ActionError::Exists);
            }
            model.remove(previous_path);
            put(model, path, content.clone().unwrap_or(old), mode);
        }
        Action::Delete { path } => {
            if !model.contains_key(path) && !is_folder(model, path) {
                return Err(ActionError::Missing);
            }
            let prefix = format!("{path}/");
            model.retain(|known, _| known != path && !known.starts_with(&prefix));
        }
    }
    Ok(())
}

fn action() -> impl Strategy<Value = Action> {
    let path = || prop::sample::select(PATHS.to_vec()).prop_map(str::to_owned);
    let content = || prop::collection::vec(any::<u8>(), 0..4);
    prop_oneof![
        4 => (path(), content(), any::<bool>()).prop_map(|(path, content, is_executable)| {
            Action::Create { path, content, is_executable }
        }),
        2 => (path(), content()).prop_map(|(path, content)| Action::Update { path, content }),
        2 => (path(), path(), prop::option::of(content())).prop_map(
            |(path, previous_path, content)| Action::Move { path, previous_path, content }
        ),
        1 => (path(), any::<bool>())
            .prop_map(|(path, is_executable)| Action::Chmod { path, is_executable }),
        2 => path().prop_map(|path| Action::Delete { path }),
    ]
}

fn files(repository: &Repository, commit: gitlab_emulator::git::ObjectId) -> Model {
    let entries = repository.list(commit, "", true).unwrap().unwrap();
    entries
        .iter()
        .filter(|entry| entry.kind() == "blob")
        .map(|entry| {
            let content = repository.blob(entry.id).unwrap().unwrap();
            (entry.path.clone(), (content, entry.is_executable()))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn actions_agree_with_the_model(rounds in prop::collection::vec(
        prop::collection::vec(action(), 1..6), 1..6,
    )) {
        let folder = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(folder.path().to_owned());
        repositories.create(1, "main").unwrap();
        let repository = repositories.open(1).unwrap();
        let (mut model, mut parent) = (Model::new(), None);
        for actions in rounds {
            let mut next = model.clone();
            let expected = actions.iter().try_for_each(|action| apply(&mut next, action));
            let new = NewCommit {
                parent,
                actions: &actions,
                message: "round",
                author: &signature(),
                committer: &signature(),
            };
            let written = repository.write_commit(&new).unwrap();
            prop_assert_eq!(written.clone().map(|_| ()), expected);
            if let Ok(commit) = written {
                model = next;
                parent = Some(commit);
                prop_assert_eq!(&files(&repository, commit), &model);
            }
        }
        // git accepts the written objects.
        if let Some(commit) = parent {
            let reference = "refs/heads/main";
            repository.swap_reference(reference, None, Some(commit)).unwrap().unwrap();
            git(&repositories.path(1), &["fsck", "--strict", "--no-dangling"]);
        }
    }
}
