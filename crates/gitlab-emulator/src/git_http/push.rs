//! Pushes. git's `receive-pack` does the work. Before it runs, the emulator writes the policy of
//! each pushed reference to a file, which a hook enforces once the new objects can be read.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::HeaderValue;

use super::access::Grant;
use super::{git_response, process, unavailable};
use crate::domain::access::Viewer;
use crate::domain::protection::Pusher;
use crate::domain::push_check::{ChangeKind, Origin, PushDecision, ReferenceChange};
use crate::git::ObjectId;
use crate::instance::Instance;
use crate::post_receive::{self, ReferenceUpdate};

const PRE_RECEIVE: &str = include_str!("pre-receive.sh");
const POST_RECEIVE: &str = include_str!("post-receive.sh");

/// Writes the hooks that all repositories share.
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

/// Runs a push.
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
    std::fs::write(&policy, policy_lines(instance, grant, &request))?;
    let folder = instance.repositories.path(grant.project.number());
    let mut child = process::command(instance, protocol)
        .args(["receive-pack", "--stateless-rpc"])
        .arg(&folder)
        .env("EMULATOR_POLICY", &policy)
        .env("EMULATOR_RESULT", &result)
        .spawn()?;
    process::feed(&mut child, request);
    let output = child.wait_with_output().await?;
    // Only references that git really moved count; a hook records them.
    let moved: Vec<ReferenceUpdate> = std::fs::read_to_string(&result)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| parse_command(line.as_bytes()))
        .collect();
    if let Some(user) = grant.user.filter(|_| !moved.is_empty()) {
        let (instance, project) = (Arc::clone(instance), grant.project);
        let processed = tokio::task::spawn_blocking(move || {
            post_receive::process(&instance, project, user, &moved)
        });
        if let Ok(Err(error)) = processed.await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "could not process a push"
            );
        }
    }
    Ok(output.stdout)
}

/// Returns the policy for the hook, one line per reference: name, rule, text.
fn policy_lines(instance: &Instance, grant: &Grant, request: &[u8]) -> String {
    let state = instance.store.read();
    let Some(project) = state.projects.get(grant.project) else {
        return String::new();
    };
    let pusher = Pusher {
        viewer: Viewer {
            user: grant.user,
            is_admin: grant.is_admin,
            now: instance.now(),
        },
        deploy_key: grant.deploy_key,
    };
    let repository = instance.repositories.open(project.id.number());
    let is_empty = repository
        .and_then(|repository| repository.is_empty())
        .unwrap_or(false);
    let mut lines = String::new();
    for command in parse_commands(request) {
        let kind = match (command.old, command.new) {
            (_, None) => ChangeKind::Delete,
            (None, Some(_)) => ChangeKind::Create,
            (Some(_), Some(_)) => ChangeKind::Update,
        };
        let change = ReferenceChange {
            reference: &command.reference,
            kind,
            origin: Origin::Git,
            is_empty,
        };
        let (rule, text) = match state.push_check(pusher, project, change) {
            PushDecision::Allow => continue,
            PushDecision::Deny(text) => ("deny", text),
            PushDecision::DenyForced(text) => ("deny-forced", text),
        };
        let _ = writeln!(lines, "{} {rule} {text}", command.reference);
    }
    lines
}

/// Parses the commands at the start of a push: packet lines up to a flush packet.
fn parse_commands(request: &[u8]) -> Vec<ReferenceUpdate> {
    let mut commands = Vec::new();
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
        commands.extend(parse_command(line));
    }
    commands
}

/// Parses `<old> <new> <reference>`; on the first line a zero byte and the capabilities follow.
fn parse_command(line: &[u8]) -> Option<ReferenceUpdate> {
    let line = line.split(|byte| *byte == 0).next()?;
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let mut words = line.splitn(3, ' ');
    let mut id = || {
        let id = ObjectId::from_hex(words.next()?.as_bytes()).ok()?;
        Some((!id.is_null()).then_some(id))
    };
    let (old, new) = (id()?, id()?);
    Some(ReferenceUpdate {
        old,
        new,
        reference: words.next()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_commands_are_read_up_to_the_flush() {
        let zero = "0".repeat(40);
        let one = "1".repeat(40);
        let first = format!("{zero} {one} refs/heads/main\0 report-status agent=git/2");
        let second = format!("{one} {zero} refs/heads/old\n");
        let packets = format!(
            "{:04x}{first}{:04x}{second}0000PACK",
            first.len() + 4,
            second.len() + 4
        );
        let commands = parse_commands(packets.as_bytes());
        assert_eq!(commands.len(), 2);
        assert_eq!(commands[0].reference, "refs/heads/main");
        assert_eq!((commands[0].old, commands[0].new.is_some()), (None, true));
        assert_eq!(
            (commands[1].reference.as_str(), commands[1].new),
            ("refs/heads/old", None)
        );
    }
}
