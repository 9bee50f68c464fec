//! The other kinds of the provider of buckets.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use terraform_plugin::action::{Action, Invocation};
use terraform_plugin::context::Context;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics, Warnings};
use terraform_plugin::ephemeral_resource::{EphemeralResource, Lease, Opened, PrivateState};
use terraform_plugin::function::{Arguments, Function, FunctionError, Variadic};
use terraform_plugin::list_resource::{ListResource, Listed, Listing};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf, WriteOnly};

use crate::bucket::{BUCKET, BucketIdentity, BucketResource, Fault, Shared, inject_fault};

pub(crate) struct Join;

#[derive(Arguments)]
pub(crate) struct JoinArguments {
    /// Text between the parts; a comma if null.
    separator: Option<String>,
    /// Parts to join.
    parts: Variadic<String>,
}

impl Function for Join {
    type Arguments = JoinArguments;
    type Output = String;
    const NAME: &'static str = "join";
    const SUMMARY: &'static str = "Joins texts";
    const DESCRIPTION: &'static str = "Joins texts with a separator between them.";

    fn call(&self, arguments: JoinArguments) -> Result<String, FunctionError> {
        let separator = arguments.separator.as_deref().unwrap_or(",");
        let parts = arguments.parts.0;
        if let Some(index) = parts.iter().position(|part| part.contains(separator)) {
            let text = format!("a part contains the separator {separator:?}");
            return Err(FunctionError::new(text).at_element("parts", index));
        }
        assert!(parts.len() < 4, "too many parts");
        Ok(parts.join(separator))
    }
}

pub(crate) struct IsKnown;

#[derive(Arguments)]
pub(crate) struct IsKnownArguments {
    /// Value to check.
    value: Tf<Vec<String>>,
}

impl Function for IsKnown {
    type Arguments = IsKnownArguments;
    type Output = Option<bool>;
    const NAME: &'static str = BUCKET;
    const SUMMARY: &'static str = "Checks whether a list is known";
    const DESCRIPTION: &'static str = "Returns whether a list is known, or null for a null list.";

    fn call(&self, arguments: IsKnownArguments) -> Result<Option<bool>, FunctionError> {
        Ok(match arguments.value {
            Tf::Null => None,
            Tf::Unknown => Some(false),
            Known(_) => Some(true),
        })
    }
}

/// A session on a bucket.
#[derive(Model)]
pub(crate) struct Session {
    /// Name of the bucket.
    bucket: String,
    /// Permission of the session.
    #[tf(default("read".to_owned()))]
    right: String,
    /// Password of the session.
    #[tf(sensitive)]
    token: Tf<String>,
}

pub(crate) struct SessionResource;

/// Warns if the cloud says so, and returns the cloud.
fn warned(context: &mut Context<Shared>) -> Arc<Shared> {
    let client = Arc::clone(context.client());
    if client.lock().unwrap().warns {
        context.warn("Careful", "It is slow.");
    }
    client
}

/// Returns when every session needs renewal.
pub(crate) fn renewal() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

impl EphemeralResource for SessionResource {
    type Client = Shared;
    type Data = Session;
    const TYPE_NAME: &'static str = BUCKET;

    async fn open(
        &self,
        context: &mut Context<Shared>,
        arguments: Session,
    ) -> Result<Opened<Session>, Diagnostics> {
        let client = warned(context);
        let fault = std::mem::take(&mut client.lock().unwrap().fault);
        inject_fault(fault).await?;
        client
            .lock()
            .unwrap()
            .sessions
            .push(arguments.right.clone());
        let mut private = PrivateState::default();
        private.set("bucket", &arguments.bucket).unwrap();
        let right = if fault == Fault::WrongResult {
            "write".to_owned()
        } else {
            arguments.right
        };
        let token = if fault == Fault::Halfway {
            Tf::Unknown
        } else {
            Known("t0p-s3cret".to_owned())
        };
        Ok(Opened {
            data: Session {
                right,
                token,
                ..arguments
            },
            lease: Lease {
                private,
                renew_at: Some(renewal()),
            },
        })
    }

    async fn renew(
        &self,
        context: &mut Context<Shared>,
        mut private: PrivateState,
    ) -> Result<Lease, Diagnostics> {
        let client = warned(context);
        let fault = std::mem::take(&mut client.lock().unwrap().fault);
        inject_fault(fault).await?;
        private.set("renewed", &true).unwrap();
        let renew_at = None;
        Ok(Lease { private, renew_at })
    }

    async fn close(
        &self,
        context: &mut Context<Shared>,
        private: PrivateState,
    ) -> Result<(), Diagnostics> {
        let client = warned(context);
        let mut cloud = client.lock().unwrap();
        let bucket: Option<String> = private.get("bucket");
        let renewed = private.get("renewed").unwrap_or(false);
        cloud.closed.push((bucket.unwrap_or_default(), renewed));
        Ok(())
    }
}

/// Finds buckets.
#[derive(Model)]
pub(crate) struct BucketFilter {
    /// Prefix of the names.
    prefix: Option<String>,
    /// Storage class of the buckets.
    #[tf(default("standard".to_owned()))]
    class: String,
}

pub(crate) struct BucketList;

impl ListResource for BucketList {
    type Resource = BucketResource;
    type Config = BucketFilter;

    fn validate(&self, config: &PlanOf<BucketFilter>) -> Diagnostics {
        match config.prefix.known() {
            Some(prefix) if prefix.is_empty() => {
                Diagnostic::error("Empty prefix", "Leave it out.").into()
            }
            _ => Diagnostics::default(),
        }
    }

    async fn list(
        &self,
        listing: &mut Listing<BucketResource>,
        config: BucketFilter,
    ) -> Result<(), Diagnostics> {
        let client = Arc::clone(listing.client());
        let _dropped = CountDrop(Arc::clone(&client));
        let fault = std::mem::take(&mut client.lock().unwrap().fault);
        let buckets = client.lock().unwrap().buckets.clone();
        if client.lock().unwrap().warns {
            listing.warn("Careful", "It is slow.").await;
        }
        let prefix = config.prefix.unwrap_or_default();
        for (name, remote) in &buckets {
            if !name.starts_with(&prefix) || remote.class != config.class {
                continue;
            }
            let wanted = listing.wants_state() && fault != Fault::WrongResult;
            let mut state = BucketResource::state(name, remote);
            if fault == Fault::UnknownResult {
                state.common.id = Tf::Unknown;
            }
            listing
                .push(Listed {
                    identity: BucketIdentity { name: name.clone() },
                    display_name: format!("Bucket {name}"),
                    state: wanted.then_some(state),
                })
                .await;
            client.lock().unwrap().listed += 1;
            if fault == Fault::Halfway {
                return Err(Diagnostic::error("Half listed", "The cloud went away.").into());
            }
        }
        inject_fault(fault).await
    }
}

/// Counts the searches that ended, complete or not.
struct CountDrop(Arc<Shared>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.lock().unwrap().searches_ended += 1;
    }
}

/// Empties a bucket.
#[derive(Model)]
pub(crate) struct Emptying {
    /// Name of the bucket.
    bucket: String,
    /// Number of steps.
    #[tf(default(2_u64))]
    steps: u64,
    /// Password of the bucket.
    password_wo: WriteOnly<String>,
}

pub(crate) struct EmptyAction;

impl Action for EmptyAction {
    type Client = Shared;
    type Config = Emptying;
    const TYPE_NAME: &'static str = BUCKET;

    async fn plan(
        &self,
        client: Option<&Arc<Shared>>,
        config: PlanOf<Emptying>,
        warnings: &mut Warnings,
    ) -> Result<(), Diagnostics> {
        if client.is_some_and(|client| client.lock().unwrap().warns) {
            warnings.warn("Careful", "It is slow.");
        }
        if let (Some(client), Known(name)) = (client, &config.bucket)
            && !client.lock().unwrap().buckets.contains_key(name)
        {
            return Err(Diagnostic::error("No such bucket", "There is nothing to empty.").into());
        }
        Ok(())
    }

    async fn invoke(
        &self,
        invocation: &mut Invocation<Shared>,
        config: Emptying,
    ) -> Result<(), Diagnostics> {
        let client = Arc::clone(invocation.client());
        let fault = std::mem::take(&mut client.lock().unwrap().fault);
        for step in 1..=config.steps {
            let progress = format!("step {step} of {}", config.steps);
            invocation.progress(progress).await;
            inject_fault(fault).await?;
            if fault == Fault::Halfway {
                return Err(Diagnostic::error("Half empty", "The cloud went away.").into());
            }
        }
        if config.password_wo.configured().is_none() {
            invocation.warn("No password", "It was not needed.");
        }
        client.lock().unwrap().emptied.push(config.bucket);
        Ok(())
    }
}
