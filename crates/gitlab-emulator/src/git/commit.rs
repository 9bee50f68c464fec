//! Commits: reading, and creating from actions.

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::commit::MessageRef;

use super::action::{self, Action, ActionError};
use super::error::{Context, Error};
use super::repository::Repository;

/// Name, email and time of an author or committer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Display name.
    pub name: String,
    /// Email address.
    pub email: String,
    /// Seconds since 1970.
    pub seconds: i64,
    /// Offset from UTC in seconds.
    pub offset: i32,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Object ID.
    pub id: ObjectId,
    /// Parent commits.
    pub parents: Vec<ObjectId>,
    /// Author of the change.
    pub author: Signature,
    /// Committer.
    pub committer: Signature,
    /// Full message.
    pub message: String,
}

impl Commit {
    /// Returns the first line of the message.
    pub fn title(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// Returns the trailers of the message, in order.
    pub fn trailers(&self) -> Vec<(String, String)> {
        let message = MessageRef::from_bytes(self.message.as_bytes());
        message.body().map_or_else(Vec::new, |body| {
            body.trailers()
                .map(|trailer| (trailer.token.to_string(), trailer.value.to_string()))
                .collect()
        })
    }
}

/// A commit to create.
#[derive(Debug)]
pub struct NewCommit<'a> {
    /// The commit that the actions apply to.
    pub parent: Option<ObjectId>,
    /// The changes.
    pub actions: &'a [Action],
    /// Full message.
    pub message: &'a str,
    /// Author of the change.
    pub author: &'a Signature,
    /// Committer.
    pub committer: &'a Signature,
}

impl Repository {
    /// Reads a commit; `None` if no commit has this ID.
    pub fn commit(&self, id: ObjectId) -> Result<Option<Commit>, Error> {
        let object = self.git.try_find_object(id).context("read a commit")?;
        let Some(commit) = object.and_then(|object| object.try_into_commit().ok()) else {
            return Ok(None);
        };
        let decoded = commit.decode().context("read a commit")?;
        Ok(Some(Commit {
            id,
            parents: decoded.parents().collect(),
            author: signature(decoded.author().context("read an author")?),
            committer: signature(decoded.committer().context("read a committer")?),
            message: decoded.message.to_str_lossy().into_owned(),
        }))
    }

    /// Writes a commit without moving a branch.
    pub fn write_commit(
        &self,
        new: &NewCommit<'_>,
    ) -> Result<Result<ObjectId, ActionError>, Error> {
        let base = match new.parent {
            Some(parent) => Some(self.root_tree(parent)?.id),
            None => None,
        };
        let tree = match action::apply(self, base, new.actions)? {
            Ok(tree) => tree,
            Err(action_error) => return Ok(Err(action_error)),
        };
        let commit = gix::objs::Commit {
            tree,
            parents: new.parent.into_iter().collect(),
            author: new.author.to_git(),
            committer: new.committer.to_git(),
            encoding: None,
            message: new.message.into(),
            extra_headers: Vec::new(),
        };
        let id = self.git.write_object(commit).context("write a commit")?;
        Ok(Ok(id.detach()))
    }
}

impl Repository {
    /// Writes an annotated tag without creating its reference.
    pub fn write_tag(
        &self,
        name: &str,
        commit: ObjectId,
        message: &str,
        tagger: &Signature,
    ) -> Result<ObjectId, Error> {
        let tag = gix::objs::Tag {
            target: commit,
            target_kind: gix::object::Kind::Commit,
            name: name.into(),
            tagger: Some(tagger.to_git()),
            message: message.into(),
            signature: None,
        };
        Ok(self.git.write_object(tag).context("write a tag")?.detach())
    }

    /// Returns the message of an annotated tag; `None` if the object is not one.
    pub fn tag_message(&self, id: ObjectId) -> Result<Option<String>, Error> {
        let object = self.git.try_find_object(id).context("read a tag")?;
        let Some(tag) = object.and_then(|object| object.try_into_tag().ok()) else {
            return Ok(None);
        };
        let decoded = tag.decode().context("read a tag")?;
        Ok(Some(decoded.message.to_str_lossy().into_owned()))
    }
}

impl Signature {
    fn to_git(&self) -> gix::actor::Signature {
        // Brackets and line breaks would corrupt the commit; git strips them too.
        let clean = |text: &str| text.replace(['<', '>', '\n', '\0'], "").trim().to_owned();
        gix::actor::Signature {
            name: clean(&self.name).into(),
            email: clean(&self.email).into(),
            time: gix::date::Time::new(self.seconds, self.offset),
        }
    }
}

fn signature(signature: gix::actor::SignatureRef<'_>) -> Signature {
    let time = signature.time().unwrap_or_default();
    Signature {
        name: signature.name.to_str_lossy().into_owned(),
        email: signature.email.to_str_lossy().into_owned(),
        seconds: time.seconds,
        offset: time.offset,
    }
}
