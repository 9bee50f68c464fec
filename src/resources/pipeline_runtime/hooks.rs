//! The hooks of a runtime in GitLab. They are made last, when everything behind them works: GitLab counts calls that
//! fail, and may disable a hook for it.

use std::collections::BTreeMap;
use std::time::Duration;

use nautes_model::RepositoryId;
use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::{Operation, PrivateState};
use terraform_plugin::value::{Known, Path};
use terraform_plugin::waiting::waiting_for;
use tokio::time::{Instant, sleep};

use super::model::{PipelineRuntimeModel, WebhookModel};
use crate::backends::gitlab::{Hook, HookSettings};
use crate::backends::hook_probe::{HookProbe, ProbeAnswer};
use crate::client::Client;
use crate::diagnostics::{Context as _, hook_error};
use crate::runtime::pipeline::token_hash;
use crate::secret::Secret;

/// The key in private data.
const KEY: &str = "hooks";

/// How long an `EventSource` may take to answer through the gateway.
const SERVES_TIMEOUT: Duration = Duration::from_secs(180);

/// How long an address that gives no answer at all is called again.
const REACHABLE_TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is asked.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The right answers in a row that count: two pods serve while one replaces the other.
const ANSWERS: usize = 3;

/// The hook of a repository.
pub(super) struct WantedHook {
    pub(super) repository: RepositoryId,
    pub(super) settings: HookSettings,
    pub(super) token: Secret,
}

/// What is known of the hook of a repository besides what GitLab returns.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct KnownHook {
    pub(super) id: u64,
    /// The hash of the token that it was given.
    pub(super) token: String,
}

/// The hooks that a runtime has made.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct KnownHooks(pub(super) BTreeMap<RepositoryId, KnownHook>);

impl KnownHooks {
    pub(super) fn load(private: &PrivateState) -> Self {
        private.get(KEY).unwrap_or_default()
    }

    pub(super) fn store(&self, operation: &mut Operation<Client>) -> Result<(), Diagnostics> {
        let stored = operation.private.set(KEY, self);
        stored.map_err(|error| Diagnostic::bug(error).into())
    }
}

/// Waits until the receiver of a hook answers as GitLab would call it. Returns a warning if this machine cannot ask it.
pub(super) async fn wait_until_it_serves(
    client: &Client,
    hook: &WantedHook,
) -> Result<Option<(String, String)>, Diagnostics> {
    let url = &hook.settings.url;
    let ca_pem = client.settings().gitlab.ca_pem.as_deref();
    let probe = HookProbe::new(hook.settings.enable_ssl_verification, ca_pem);
    let probe = probe.map_err(|error| Diagnostics::from(Diagnostic::bug(error)))?;
    let waited = url.clone();
    let _waiting = waiting_for(move || format!("{waited} to answer"));
    let started = Instant::now();
    let mut in_a_row = 0;
    loop {
        let answer = probe.ask(url, &hook.token).await;
        let reason = match answer {
            ProbeAnswer::Serves => {
                in_a_row += 1;
                if in_a_row == ANSWERS {
                    return Ok(None);
                }
                continue;
            }
            ProbeAnswer::OtherToken => "its event source still knows another token".to_owned(),
            ProbeAnswer::Unreachable(reason) if started.elapsed() >= REACHABLE_TIMEOUT => {
                let detail = format!(
                    "{url} cannot be called from here ({reason}), so it is not proved that GitLab reaches the cluster. The hook was made. If GitLab reports failures, check the gateway of the cluster and the way to it."
                );
                return Ok(Some(("The hook could not be tried".to_owned(), detail)));
            }
            ProbeAnswer::NotYet(reason) | ProbeAnswer::Unreachable(reason) => reason,
        };
        in_a_row = 0;
        if started.elapsed() >= SERVES_TIMEOUT {
            let detail = format!(
                "After {} s, {url} does not answer as an event source does: {reason}. The hook in GitLab was not made, because GitLab disables hooks that fail. Check the gateway of the cluster, and the pod of the EventSource in the namespace of Argo Events; then apply again.",
                SERVES_TIMEOUT.as_secs()
            );
            return Err(Diagnostic::error("The event source does not answer", detail).into());
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// Makes, changes or makes anew the hook of a repository, and returns it. `known` is what an earlier apply has made.
pub(super) async fn ensure(
    client: &Client,
    wanted: &WantedHook,
    known: Option<&KnownHook>,
) -> Result<KnownHook, Diagnostics> {
    let gitlab = client.gitlab()?;
    let project = wanted.repository.number();
    let attempt = format!("make the hook of {}", wanted.repository);
    let settings = &wanted.settings;
    let token = token_hash(&wanted.token);
    let (kept, surplus) = find(client, wanted.repository, known, &[&settings.url]).await?;
    for hook in surplus {
        delete(client, wanted.repository, hook.id).await?;
    }
    let made = match kept {
        None => gitlab.create_hook(project, settings, &wanted.token).await,
        Some(hook) if hook.disabled().is_some() => {
            // No attribute enables it again.
            delete(client, wanted.repository, hook.id).await?;
            gitlab.create_hook(project, settings, &wanted.token).await
        }
        Some(hook) => {
            let has_token = known.is_some_and(|known| known.id == hook.id && known.token == token);
            if has_token && hook.differences(settings).is_empty() {
                return Ok(KnownHook { id: hook.id, token });
            }
            gitlab
                .update_hook(project, hook.id, settings, &wanted.token)
                .await
        }
    };
    let made = made.map_err(|error| hook_error(&attempt, &settings.url, &error))?;
    Ok(KnownHook { id: made.id, token })
}

/// Returns the hook that an earlier apply has made or that has one of these addresses, and others with such an address.
/// They name the runtime, so nobody else's has one.
pub(super) async fn find(
    client: &Client,
    repository: RepositoryId,
    known: Option<&KnownHook>,
    urls: &[&String],
) -> Result<(Option<Hook>, Vec<Hook>), Diagnostics> {
    let listed = client.gitlab()?.hooks(repository.number()).await;
    let listed = listed.with_context(|| format!("read the hooks of {repository}"))?;
    let is_known = |hook: &Hook| known.is_some_and(|known| known.id == hook.id);
    let (mut ours, _): (Vec<Hook>, Vec<Hook>) = listed
        .into_iter()
        .partition(|hook| is_known(hook) || urls.contains(&&hook.url));
    ours.sort_by_key(|hook| !is_known(hook));
    let mut ours = ours.into_iter();
    Ok((ours.next(), ours.collect()))
}

/// Deletes a hook, which may be gone.
pub(super) async fn delete(
    client: &Client,
    repository: RepositoryId,
    id: u64,
) -> Result<(), Diagnostics> {
    match client.gitlab()?.delete_hook(repository.number(), id).await {
        Err(error) if error.is_not_found() => Ok(()),
        deleted => deleted.with_context(|| format!("delete the hook {id} of {repository}")),
    }
}

/// Returns the attribute `webhooks`.
pub(super) fn attribute(
    model: &PipelineRuntimeModel,
    hooks: &BTreeMap<RepositoryId, WebhookModel>,
    meaning: impl Fn(&str) -> Option<RepositoryId>,
) -> BTreeMap<String, WebhookModel> {
    let sources = model.event_sources.iter();
    let hooks = sources.filter_map(|(name, source)| {
        let repository = meaning(&source.gitlab.as_ref()?.code_repo)?;
        Some((name.clone(), hooks.get(&repository)?.clone()))
    });
    hooks.collect()
}

/// Describes what differs from the hook that a repository is to have.
pub(super) async fn drift(
    client: &Client,
    repository: RepositoryId,
    settings: &HookSettings,
    known: Option<&KnownHook>,
) -> Result<(Option<u64>, Vec<String>), Diagnostics> {
    let (found, surplus) = find(client, repository, known, &[&settings.url]).await?;
    let mut drift = Vec::new();
    let Some(hook) = found else {
        drift.push(format!("the hook of {repository} is gone"));
        return Ok((None, drift));
    };
    if known.is_some_and(|known| known.id != hook.id) {
        drift.push(format!("the hook of {repository} is another one"));
    }
    if let Some(reason) = hook.disabled() {
        drift.push(format!(
            "GitLab does not call the hook of {repository}: {reason}"
        ));
    }
    for name in hook.differences(settings) {
        drift.push(format!("the hook of {repository} has another {name}"));
    }
    if !surplus.is_empty() {
        drift.push(format!(
            "{repository} has more than one hook to the runtime"
        ));
    }
    Ok((Some(hook.id), drift))
}

/// The attribute of the hook of an event source.
pub(super) fn webhook(id: u64, url: &str) -> WebhookModel {
    WebhookModel {
        id: Known(id),
        url: Known(url.to_owned()),
    }
}

/// The attribute of an event source's repository.
pub(super) fn path(event_source: &str) -> Path {
    Path::to("event_sources")
        .key(event_source)
        .attribute("gitlab")
}
