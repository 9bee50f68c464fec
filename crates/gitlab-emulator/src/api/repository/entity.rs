//! JSON of commits and diffs.

use serde_json::{Map, Value, json};

use crate::domain::time::commit_time;
use crate::git::commit::Commit;
use crate::git::diff::{FileDiff, Stats};
use crate::git::tree::Entry;

const SHORT: usize = 8;

/// Returns a commit for lists; `web_url` is the project's.
pub(in crate::api) fn commit(commit: &Commit, web_url: &str) -> Value {
    let id = commit.id.to_string();
    let short: String = id.chars().take(SHORT).collect();
    let parents: Vec<String> = commit.parents.iter().map(ToString::to_string).collect();
    let committed = commit_time(commit.committer.seconds, commit.committer.offset);
    let mut trailers = Map::new();
    let mut extended = Map::new();
    for (name, value) in commit.trailers() {
        let all = extended.entry(name.clone()).or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.push(json!(value));
        }
        trailers.insert(name, json!(value));
    }
    json!({
        "id": id,
        "short_id": short,
        "title": commit.title(),
        "message": commit.message,
        "author_name": commit.author.name,
        "author_email": commit.author.email,
        "authored_date": commit_time(commit.author.seconds, commit.author.offset),
        "committer_name": commit.committer.name,
        "committer_email": commit.committer.email,
        "committed_date": committed,
        "created_at": committed,
        "parent_ids": parents,
        "trailers": trailers,
        "extended_trailers": extended,
        "web_url": format!("{web_url}/-/commit/{id}"),
    })
}

/// Returns a single commit, with its statistics unless the caller excludes them.
pub(super) fn commit_detail(
    source: &Commit,
    stats: Option<Stats>,
    project_id: u64,
    web_url: &str,
) -> Value {
    let mut value = commit(source, web_url);
    if let Value::Object(map) = &mut value {
        map.insert("status".to_owned(), Value::Null);
        map.insert("last_pipeline".to_owned(), Value::Null);
        map.insert("project_id".to_owned(), json!(project_id));
        if let Some(stats) = stats {
            map.insert("stats".to_owned(), self::stats(stats));
        }
    }
    value
}

/// Returns the statistics of a commit.
pub(super) fn stats(stats: Stats) -> Value {
    json!({
        "additions": stats.additions,
        "deletions": stats.deletions,
        "total": stats.additions + stats.deletions,
    })
}

/// Returns a file that differs.
pub(super) fn diff(diff: &FileDiff) -> Value {
    let mode = |mode: Option<gix::object::tree::EntryMode>| {
        mode.map_or_else(|| "0".to_owned(), |mode| format!("{:06o}", mode.value()))
    };
    json!({
        "diff": diff.text,
        "new_path": diff.new_path,
        "old_path": diff.old_path,
        "a_mode": mode(diff.old_mode),
        "b_mode": mode(diff.new_mode),
        "new_file": diff.old_mode.is_none(),
        "renamed_file": diff.old_path != diff.new_path,
        "deleted_file": diff.new_mode.is_none(),
        "generated_file": false,
        "collapsed": false,
        "too_large": false,
    })
}

/// Returns an entry of a tree.
pub(super) fn tree_entry(entry: &Entry) -> Value {
    json!({
        "id": entry.id.to_string(),
        "name": entry.name(),
        "type": entry.kind(),
        "path": entry.path,
        "mode": entry.octal_mode(),
    })
}
