//! Commits: reading them, and making them from actions.

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::objs::commit::MessageRef;

use super::action::{self, Action, Inapplicable};
use super::error::{Attempt, Error};
use super::repository::Repository;

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name for people.
    pub name: String,
    /// The address.
    pub email: String,
    /// Seconds since 1970.
    pub seconds: i64,
    /// Offset from UTC in seconds.
    pub offset: i32,
}

/// A commit as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// The commits before it.
    pub parents: Vec<ObjectId>,
    /// Who wrote the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// The whole message.
    pub message: String,
}

impl Commit {
    /// The first line of the message.
    pub fn title(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The trailers of the message, in order.
    pub fn trailers(&self) -> Vec<(String, String)> {
        let message = MessageRef::from_bytes(self.message.as_bytes());
        message.body().map_or_else(Vec::new, |body| {
            body.trailers()
                .map(|trailer| (trailer.token.to_string(), trailer.value.to_string()))
                .collect()
        })
    }
}

/// A commit to be made.
#[derive(Debug)]
pub struct NewCommit<'a> {
    /// The commit that the actions apply to.
    pub parent: Option<ObjectId>,
    /// What changes.
    pub actions: &'a [Action],
    /// The whole message.
    pub message: &'a str,
    /// Who wrote the change.
    pub author: &'a Signature,
    /// Who makes the commit.
    pub committer: &'a Signature,
}

impl Repository {
    /// Reads a commit; `None` when there is no commit of this id.
    pub fn commit(&self, id: ObjectId) -> Result<Option<Commit>, Error> {
        let object = self.git.try_find_object(id).attempt("read a commit")?;
        let Some(commit) = object.and_then(|object| object.try_into_commit().ok()) else {
            return Ok(None);
        };
        let decoded = commit.decode().attempt("read a commit")?;
        Ok(Some(Commit {
            id,
            parents: decoded.parents().collect(),
            author: signature(decoded.author().attempt("read an author")?),
            committer: signature(decoded.committer().attempt("read a committer")?),
            message: decoded.message.to_str_lossy().into_owned(),
        }))
    }

    /// Writes a commit without moving any branch.
    pub fn write_commit(
        &self,
        new: &NewCommit<'_>,
    ) -> Result<Result<ObjectId, Inapplicable>, Error> {
        let base = match new.parent {
            Some(parent) => Some(self.root_tree(parent)?.id),
            None => None,
        };
        let tree = match action::apply(self, base, new.actions)? {
            Ok(tree) => tree,
            Err(inapplicable) => return Ok(Err(inapplicable)),
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
        let id = self.git.write_object(commit).attempt("write a commit")?;
        Ok(Ok(id.detach()))
    }
}

impl Repository {
    /// Writes an annotated tag without making its reference.
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
        Ok(self.git.write_object(tag).attempt("write a tag")?.detach())
    }

    /// The message of an annotated tag; `None` when the object is none.
    pub fn tag_message(&self, id: ObjectId) -> Result<Option<String>, Error> {
        let object = self.git.try_find_object(id).attempt("read a tag")?;
        let Some(tag) = object.and_then(|object| object.try_into_tag().ok()) else {
            return Ok(None);
        };
        let decoded = tag.decode().attempt("read a tag")?;
        Ok(Some(decoded.message.to_str_lossy().into_owned()))
    }
}

impl Signature {
    fn to_git(&self) -> gix::actor::Signature {
        // Brackets and line ends would break the commit apart; git strips them too.
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
