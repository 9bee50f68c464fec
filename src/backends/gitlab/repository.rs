//! The repository of a project over the API: branches, trees, files and commits.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use gitlab::api::common::path_escaped;
use gitlab::api::projects::repository::branches::{Branch as GetBranch, Branches};
use gitlab::api::projects::repository::commits::{Commit as GetCommit, Commits};
use gitlab::api::projects::repository::tags::Tags;
use gitlab::api::projects::repository::{Archive, ArchiveFormat};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

use super::GitLab;
use super::error::{Error, Kind};
use super::json_endpoint::JsonEndpoint;
use crate::backends::http::WhenLimited;

/// The largest archive that is read, in bytes: a few thousand manifests are far smaller, and a file
/// that somebody put beside them may be of any size.
const MAX_ARCHIVE: usize = 8 << 20;

/// The largest file that is read, in bytes.
const MAX_BLOB: usize = 16 << 20;

/// A branch.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Branch {
    /// The name.
    pub name: String,
    /// Its newest commit.
    pub commit: CommitRef,
}

/// A tag.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Tag {
    /// The name.
    pub name: String,
}

/// The commit of a branch.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct CommitRef {
    /// Its hash, 40 hexadecimal digits.
    pub id: String,
}

/// A commit.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Commit {
    /// Its hash, 40 hexadecimal digits.
    pub id: String,
    /// The hashes of its parents.
    #[serde(default)]
    pub parent_ids: Vec<String>,
    /// The whole message.
    #[serde(default)]
    pub message: String,
}

/// The type of an entry of a tree.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum EntryType {
    /// A file.
    Blob,
    /// A folder.
    Tree,
    /// A submodule.
    Commit,
}

/// An entry of a tree.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct TreeEntry {
    /// The hash of the content.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub entry_type: EntryType,
    /// The path from the root.
    pub path: String,
}

/// A change that a commit makes to one file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum FileAction {
    /// Creates it; fails if it exists.
    Create {
        /// The path from the root.
        file_path: String,
        /// The content.
        #[serde(flatten, serialize_with = "write_content")]
        content: Bytes,
    },
    /// Replaces its content; fails if it is absent, or was changed after `last_commit_id`.
    Update {
        /// The path from the root.
        file_path: String,
        /// The content.
        #[serde(flatten, serialize_with = "write_content")]
        content: Bytes,
        /// The commit at which the file was read.
        last_commit_id: String,
    },
    /// Deletes it; fails if it is absent, or was changed after `last_commit_id`.
    Delete {
        /// The path from the root.
        file_path: String,
        /// The commit at which the file was read.
        last_commit_id: String,
    },
}

impl FileAction {
    /// Returns the path from the root.
    pub fn path(&self) -> &str {
        match self {
            Self::Create { file_path, .. }
            | Self::Update { file_path, .. }
            | Self::Delete { file_path, .. } => file_path,
        }
    }
}

/// Text is sent as it is; anything else as base64, because the body must be UTF-8.
fn write_content<S: Serializer>(content: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    let (text, encoding) = std::str::from_utf8(content).map_or_else(
        |_| (STANDARD.encode(content), "base64"),
        |text| (text.to_owned(), "text"),
    );
    BTreeMap::from([("content", text.as_str()), ("encoding", encoding)]).serialize(serializer)
}

/// A commit to make on a branch.
///
/// In an empty repository it creates the branch; otherwise the branch must exist. GitLab cannot guard
/// the branch as a whole: the actions' `last_commit_id` guard their files, and the new commit's parent
/// shows what it was made on.
#[derive(Clone, Debug, Serialize)]
pub struct NewCommit {
    /// The branch.
    pub branch: String,
    /// The message.
    pub commit_message: String,
    /// The author's name; `None` takes the token's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// The author's address; `None` takes the token's owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_email: Option<String>,
    /// Its changes in order, at least one.
    pub actions: Vec<FileAction>,
}

#[derive(Serialize)]
struct CommitBody<'a> {
    #[serde(flatten)]
    commit: &'a NewCommit,
    stats: bool,
}

impl GitLab {
    /// Gets a branch.
    pub async fn branch(&self, project: u64, branch: &str) -> Result<Branch, Error> {
        let endpoint = GetBranch::builder().project(project).branch(branch).build();
        self.query(&self.endpoint(endpoint)?).await
    }

    /// Gets the newest commit of a branch; `None` if the branch does not exist, as in an empty
    /// repository. A missing project is an error.
    pub async fn head(&self, project: u64, branch: &str) -> Result<Option<String>, Error> {
        match self.branch(project, branch).await {
            Ok(branch) => Ok(Some(branch.commit.id)),
            Err(error) if error.is_branch_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gets the newest commit of a branch; `None` if the repository is empty. A branch that is missing
    /// beside others is an error.
    pub async fn head_unless_empty(
        &self,
        project: u64,
        branch: &str,
    ) -> Result<Option<String>, Error> {
        match self.branch(project, branch).await {
            Ok(branch) => Ok(Some(branch.commit.id)),
            Err(error)
                if error.is_branch_not_found() && self.branches(project).await?.is_empty() =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Creates a branch that begins at another one.
    pub async fn create_branch(&self, project: u64, branch: &str, from: &str) -> Result<(), Error> {
        let body = json!({ "branch": branch, "ref": from });
        let endpoint = JsonEndpoint::post(format!("projects/{project}/repository/branches"), &body);
        self.perform(&endpoint).await
    }

    /// Lists the branches of a project.
    pub async fn branches(&self, project: u64) -> Result<Vec<Branch>, Error> {
        self.list(&self.endpoint(Branches::builder().project(project).build())?)
            .await
    }

    /// Lists the tags of a project.
    pub async fn tags(&self, project: u64) -> Result<Vec<Tag>, Error> {
        self.list(&self.endpoint(Tags::builder().project(project).build())?)
            .await
    }

    /// Lists the whole tree of a commit, including folders.
    ///
    /// It requests the tree in one answer (`pagination=none`, GitLab `lib/api/repositories.rb`), because
    /// GitLab walks the whole tree for every page. Servers that do not know this answer in pages.
    pub async fn tree(&self, project: u64, commit: &str) -> Result<Vec<TreeEntry>, Error> {
        let whole = tree_endpoint(project, commit).with("pagination", "none");
        match self.query(&whole).await {
            Err(error) if *error.kind() == Kind::Invalid => {
                self.list(&tree_endpoint(project, commit)).await
            }
            tree => tree,
        }
    }

    /// Gets the content of a file by its hash.
    pub async fn blob(&self, project: u64, hash: &str) -> Result<Bytes, Error> {
        let hash = path_escaped(hash);
        let endpoint = JsonEndpoint::get(format!("projects/{project}/repository/blobs/{hash}/raw"));
        self.bytes(&endpoint, WhenLimited::Wait, MAX_BLOB).await
    }

    /// Gets all files of a commit as a gzip-compressed tar archive, in one folder.
    ///
    /// GitLab allows five a minute for each user and project; beyond that this fails at once with
    /// [`TransportError::Limited`](crate::backends::http::TransportError::Limited), and an archive of
    /// more than 8 MiB with [`TransportError::TooLarge`](crate::backends::http::TransportError::TooLarge),
    /// because there are other ways to get the files.
    pub async fn archive(&self, project: u64, commit: &str) -> Result<Bytes, Error> {
        let endpoint = Archive::builder()
            .project(project)
            .sha(commit)
            .format(ArchiveFormat::TarGz)
            .build();
        let endpoint = self.endpoint(endpoint)?;
        self.bytes(&endpoint, WhenLimited::Fail, MAX_ARCHIVE).await
    }

    /// Makes a commit.
    ///
    /// Sent as JSON: the `gitlab` crate's endpoint is a form with several parameters for each action, and
    /// form parsers limit the number of parameters.
    pub async fn create_commit(&self, project: u64, commit: &NewCommit) -> Result<Commit, Error> {
        let body = CommitBody {
            commit,
            stats: false,
        };
        let endpoint = JsonEndpoint::post(format!("projects/{project}/repository/commits"), body);
        self.query(&endpoint).await
    }

    /// Gets a commit.
    pub async fn commit(&self, project: u64, commit: &str) -> Result<Commit, Error> {
        let endpoint = GetCommit::builder().project(project).commit(commit).build();
        self.query(&self.endpoint(endpoint)?).await
    }

    /// Lists up to 100 commits of a branch, the newest first; `page` counts from 1.
    pub async fn commits(
        &self,
        project: u64,
        branch: &str,
        page: usize,
    ) -> Result<Vec<Commit>, Error> {
        let endpoint = Commits::builder().project(project).ref_name(branch).build();
        Ok(self.page(&self.endpoint(endpoint)?, page).await?.0)
    }
}

/// The `gitlab` crate sends the parameters of this read in a body, which proxies may drop.
fn tree_endpoint(project: u64, commit: &str) -> JsonEndpoint {
    JsonEndpoint::get(format!("projects/{project}/repository/tree"))
        .with("ref", commit.to_owned())
        .with("recursive", "true")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn actions_are_written_as_the_commits_api_reads_them() {
        let create = FileAction::Create {
            file_path: "envs/a.yaml".into(),
            content: Bytes::from("a: 1\n"),
        };
        let expected = json!({"action": "create", "file_path": "envs/a.yaml",
            "content": "a: 1\n", "encoding": "text"});
        assert_eq!(serde_json::to_value(create).unwrap(), expected);

        let update = FileAction::Update {
            file_path: "bin".into(),
            content: Bytes::from_static(&[0xff, 0xfe]),
            last_commit_id: "c0ffee".into(),
        };
        let expected = json!({"action": "update", "file_path": "bin", "content": "//4=",
            "encoding": "base64", "last_commit_id": "c0ffee"});
        assert_eq!(serde_json::to_value(update).unwrap(), expected);

        let delete = FileAction::Delete {
            file_path: "bin".into(),
            last_commit_id: "c0ffee".into(),
        };
        let expected = json!({"action": "delete", "file_path": "bin", "last_commit_id": "c0ffee"});
        assert_eq!(serde_json::to_value(delete).unwrap(), expected);
    }
}
