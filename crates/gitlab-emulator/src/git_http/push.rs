//! Pushes. Git's own `receive-pack` takes them; before it runs, the emulator writes down what each
//! reference of the push is allowed, and a hook enforces that with the new objects at hand.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::HeaderValue;

use super::access::Grant;
use super::{git_response, process, unavailable};
use crate::domain::access::Viewer;
use crate::domain::push_rule::{Move, Origin, Rule, Wanted};
use crate::git::ObjectId;
use crate::instance::Instance;
use crate::received::{self, Received};

const PRE_RECEIVE: &str = include_str!("pre-receive.sh");
const POST_RECEIVE: &str = include_str!("post-receive.sh");

/// Writes the hooks that all repositories use.
pub(crate) fn write_hooks(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in [("pre-receive", PRE_RECEIVE), ("post-receive", POST_RECEIVE)] {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        }
    }
    Ok(())
}

/// A wish of the client to move a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    reference: String,
}

/// Takes a push.
pub(super) async fn receive(
    instance: &Arc<Instance>,
    grant: &Grant,
    request: Bytes,
    protocol: Option<&HeaderValue>,
) -> Response {
    match run(instance, grant, request, protocol).await {
        Ok(report) => git_response("application/x-git-receive-pack-result", Body::from(report)),
        Err(error) => unavailable(&error),
    }
}

async fn run(
    instance: &Arc<Instance>,
    grant: &Grant,
    request: Bytes,
    protocol: Option<&HeaderValue>,
) -> std::io::Result<Vec<u8>> {
    let scratch = tempfile::tempdir()?;
    let (policy, result) = (scratch.path().join("policy"), scratch.path().join("result"));
    std::fs::write(&policy, rules(instance, grant, &request))?;
    let folder = instance.repositories.path(grant.project.number());
    let mut child = process::command(instance, protocol)
        .args(["receive-pack", "--stateless-rpc"])
        .arg(&folder)
        .env("EMULATOR_POLICY", &policy)
        .env("EMULATOR_RESULT", &result)
        .spawn()?;
    process::feed(&mut child, request);
    let output = child.wait_with_output().await?;
    // Only what git has really moved counts; the hook has written it down.
    let moved: Vec<Received> = std::fs::read_to_string(&result)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| wish(line.as_bytes()))
        .map(|wish| Received {
            reference: wish.reference,
            old: wish.old,
            new: wish.new,
        })
        .collect();
    if let Some(user) = grant.user.filter(|_| !moved.is_empty()) {
        let (instance, project) = (Arc::clone(instance), grant.project);
        let processed = tokio::task::spawn_blocking(move || {
            received::process(&instance, project, user, &moved)
        });
        if let Ok(Err(error)) = processed.await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a push is not shown"
            );
        }
    }
    Ok(output.stdout)
}

/// The lines that the hook reads: name of the reference, rule, text.
fn rules(instance: &Instance, grant: &Grant, request: &[u8]) -> String {
    let state = instance.store.read();
    let Some(project) = state.projects.get(grant.project) else {
        return String::new();
    };
    let viewer = Viewer {
        user: grant.user,
        is_admin: grant.is_admin,
        now: instance.now(),
    };
    let repository = instance.repositories.open(project.id.number());
    let is_empty = repository
        .and_then(|repository| repository.is_empty())
        .unwrap_or(false);
    let mut lines = String::new();
    for wish in wishes(request) {
        let kind = match (wish.old, wish.new) {
            (_, None) => Move::Delete,
            (None, Some(_)) => Move::Create,
            (Some(_), Some(_)) => Move::Update,
        };
        let wanted = Wanted {
            reference: &wish.reference,
            kind,
            origin: Origin::Git,
            is_empty,
        };
        let (rule, text) = match state.push_rule(viewer, project, wanted) {
            Rule::Allow => continue,
            Rule::Deny(text) => ("deny", text),
            Rule::DenyForced(text) => ("deny-forced", text),
        };
        let _ = writeln!(lines, "{} {rule} {text}", wish.reference);
    }
    lines
}

/// Reads the commands at the beginning of a push, which are packet lines up to a flush.
fn wishes(request: &[u8]) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut rest = request;
    while let Some((head, tail)) = rest.split_at_checked(4) {
        let length = std::str::from_utf8(head)
            .ok()
            .and_then(|head| usize::from_str_radix(head, 16).ok())
            .unwrap_or(0);
        let Some(line) = length.checked_sub(4).and_then(|length| tail.get(..length)) else {
            break;
        };
        rest = tail.get(line.len()..).unwrap_or_default();
        wishes.extend(wish(line));
    }
    wishes
}

/// Reads `<old> <new> <reference>`; the first line of a push has capabilities after a zero byte.
fn wish(line: &[u8]) -> Option<Wish> {
    let line = line.split(|byte| *byte == 0).next()?;
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let mut words = line.splitn(3, ' ');
    let mut id = || {
        let id = ObjectId::from_hex(words.next()?.as_bytes()).ok()?;
        Some((!id.is_null()).then_some(id))
    };
    let (old, new) = (id()?, id()?);
    Some(Wish {
        old,
        new,
        reference: words.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_a_push_are_read_up_to_the_flush() {
        let zero = "0".repeat(40);
        let one = "1".repeat(40);
        let first = format!("{zero} {one} refs/heads/main\0 report-status agent=git/2");
        let second = format!("{one} {zero} refs/heads/old\n");
        let packets = format!(
            "{:04x}{first}{:04x}{second}0000PACK",
            first.len() + 4,
            second.len() + 4
        );
        let wishes = wishes(packets.as_bytes());
        assert_eq!(wishes.len(), 2);
        assert_eq!(wishes[0].reference, "refs/heads/main");
        assert_eq!((wishes[0].old, wishes[0].new.is_some()), (None, true));
        assert_eq!(
            (wishes[1].reference.as_str(), wishes[1].new),
            ("refs/heads/old", None)
        );
    }
}
