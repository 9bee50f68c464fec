//! A provider of buckets, with switches for everything that goes wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::provider::{Provider, Registry};
use terraform_plugin::resource::{
    DefaultTimeouts, ImportTarget, Operation, Planning, Resource, StoredState, Timeouts,
};
use terraform_plugin::schema::one_of;
use terraform_plugin::testing::driver::Driver;
use terraform_plugin::value::{Known, Number, Tf, Value, WriteOnly};

use crate::kinds::{BucketList, EmptyAction, IsKnown, Join, SessionResource};

/// What exists remotely.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remote {
    pub(crate) note: Option<String>,
    pub(crate) quota: Option<Number>,
    pub(crate) class: String,
    pub(crate) secret: Option<String>,
    pub(crate) complete: bool,
}

/// What the next operation does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Fails after the remote object exists.
    Halfway,
    /// Fails before anything happens.
    Early,
    Panic,
    /// Never ends.
    Hang,
    /// Answers what was not planned.
    Lie,
}

#[derive(Default)]
pub(crate) struct Cloud {
    pub(crate) buckets: BTreeMap<String, Remote>,
    pub(crate) fault: Fault,
    pub(crate) replacements_seen: Vec<bool>,
    pub(crate) creations: usize,
    /// The rights of the sessions opened.
    pub(crate) sessions: Vec<String>,
    /// The buckets whose sessions were closed, and whether those were renewed.
    pub(crate) closed: Vec<(String, bool)>,
    pub(crate) listed: usize,
    pub(crate) searches_ended: usize,
    pub(crate) emptied: Vec<String>,
}

pub(crate) type Shared = Arc<Mutex<Cloud>>;

/// A cloud of buckets.
#[derive(Model)]
pub(crate) struct CloudConfig {
    /// Region of the cloud.
    region: Option<String>,
}

/// A bucket.
#[derive(Model)]
pub(crate) struct Bucket {
    /// Name of the bucket.
    #[tf(replace)]
    pub(crate) name: String,
    /// Storage class.
    #[tf(default("standard".to_owned()), validate(one_of(["standard", "cold"])))]
    pub(crate) class: String,
    /// Text for people.
    pub(crate) note: Option<String>,
    /// Size that the bucket may reach.
    pub(crate) quota: Option<Number>,
    /// Secret that is never stored here.
    pub(crate) secret_wo: WriteOnly<String>,
    /// Raise it to write the secret again.
    pub(crate) secret_wo_version: Option<i64>,
    /// Rules by name.
    pub(crate) rules: Option<BTreeMap<String, Rule>>,
    /// What every resource of the cloud has.
    #[tf(flatten)]
    pub(crate) common: Common,
}

/// What every resource of the cloud has.
#[derive(Model)]
pub(crate) struct Common {
    /// Time limits.
    pub(crate) timeouts: Option<Timeouts>,
    /// Identifier.
    #[tf(stable)]
    pub(crate) id: Tf<String>,
    /// What was found to differ.
    #[tf(cleared)]
    pub(crate) drift: Tf<String>,
}

/// A rule of a bucket.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct Rule {
    /// Prefix that the rule applies to.
    pub(crate) prefix: String,
    /// Identifier of the rule.
    #[tf(stable)]
    pub(crate) id: Tf<String>,
}

/// Identity of a bucket.
#[derive(Model)]
pub(crate) struct BucketIdentity {
    /// Name of the bucket.
    pub(crate) name: String,
}

/// Does what goes wrong before anything happens.
pub(crate) async fn misbehave(fault: Fault) -> Result<(), Diagnostics> {
    match fault {
        Fault::Panic => panic!("the drive is on fire"),
        Fault::Hang => std::future::pending().await,
        Fault::Early => Err(Diagnostic::error("Refused", "The cloud refused.").into()),
        Fault::None | Fault::Halfway | Fault::Lie => Ok(()),
    }
}

pub(crate) struct BucketResource;

impl BucketResource {
    fn fault(operation: &Operation<Shared>) -> Fault {
        std::mem::take(&mut operation.client().lock().unwrap().fault)
    }

    pub(crate) fn state(name: &str, remote: &Remote) -> Bucket {
        Bucket {
            name: name.to_owned(),
            class: remote.class.clone(),
            note: remote.note.clone(),
            quota: remote.quota.clone(),
            secret_wo: WriteOnly::default(),
            secret_wo_version: None,
            rules: None,
            common: Common {
                timeouts: None,
                id: Known(format!("bucket-{name}")),
                drift: Tf::Null,
            },
        }
    }

    fn settle(mut planned: Bucket) -> Bucket {
        planned.common.id = Known(format!("bucket-{}", planned.name));
        planned.common.drift = Tf::Null;
        for (key, rule) in planned.rules.iter_mut().flatten() {
            rule.id = Known(format!("rule-{key}"));
        }
        planned
    }
}

impl Resource for BucketResource {
    type Client = Shared;
    type State = Bucket;
    type Identity = BucketIdentity;
    const TYPE_NAME: &'static str = "cloud_bucket";
    const VERSION: i64 = 1;
    const TIMEOUTS: DefaultTimeouts = DefaultTimeouts::all(60);

    async fn create(
        &self,
        operation: &mut Operation<Shared>,
        planned: Bucket,
    ) -> Result<Bucket, Diagnostics> {
        let fault = Self::fault(operation);
        misbehave(fault).await?;
        {
            let mut cloud = operation.client().lock().unwrap();
            cloud.creations += 1;
            match cloud.buckets.get(&planned.name) {
                Some(remote) if remote.complete => {
                    return Err(Diagnostic::error("The bucket exists", "Import it.").into());
                }
                _ => {}
            }
            let remote = cloud.buckets.entry(planned.name.clone()).or_default();
            remote.class.clone_from(&planned.class);
            remote.note.clone_from(&planned.note);
            remote.quota.clone_from(&planned.quota);
            remote.secret = planned.secret_wo.configured().cloned();
            if fault == Fault::Halfway {
                return Err(Diagnostic::error("Half made", "The cloud went away.").into());
            }
            remote.complete = true;
        }
        operation.private.set("etag", &"1").unwrap();
        let mut state = Self::settle(planned);
        if fault == Fault::Lie {
            "cold".clone_into(&mut state.class);
        }
        Ok(state)
    }

    async fn read(
        &self,
        operation: &mut Operation<Shared>,
        mut state: Bucket,
    ) -> Result<Option<Bucket>, Diagnostics> {
        misbehave(Self::fault(operation)).await?;
        let cloud = operation.client().lock().unwrap();
        let Some(remote) = cloud.buckets.get(&state.name) else {
            return Ok(None);
        };
        state.note.clone_from(&remote.note);
        state.quota.clone_from(&remote.quota);
        state.class.clone_from(&remote.class);
        state.common.drift = if remote.complete {
            Tf::Null
        } else {
            Known("the bucket is incomplete".to_owned())
        };
        Ok(Some(state))
    }

    async fn update(
        &self,
        operation: &mut Operation<Shared>,
        mut prior: Bucket,
        planned: Bucket,
    ) -> Result<Bucket, Diagnostics> {
        let fault = Self::fault(operation);
        misbehave(fault).await?;
        {
            let mut cloud = operation.client().lock().unwrap();
            let remote = cloud.buckets.get_mut(&planned.name).unwrap();
            remote.note.clone_from(&planned.note);
            remote.complete = true;
        }
        prior.note.clone_from(&planned.note);
        operation.record(&prior);
        if fault == Fault::Halfway {
            return Err(Diagnostic::error("Half changed", "The cloud went away.").into());
        }
        let mut cloud = operation.client().lock().unwrap();
        let remote = cloud.buckets.get_mut(&planned.name).unwrap();
        remote.class.clone_from(&planned.class);
        if let Some(secret) = planned.secret_wo.configured() {
            remote.secret = Some(secret.clone());
        }
        Ok(Self::settle(planned))
    }

    async fn delete(
        &self,
        operation: &mut Operation<Shared>,
        state: Bucket,
    ) -> Result<(), Diagnostics> {
        misbehave(Self::fault(operation)).await?;
        let replacement = operation.is_replacement();
        let mut cloud = operation.client().lock().unwrap();
        cloud.replacements_seen.push(replacement);
        cloud.buckets.remove(&state.name);
        Ok(())
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        if planning.planned.note == Known("forbidden".to_owned()) {
            return Err(Diagnostic::error("Forbidden note", "Write something else.").into());
        }
        Ok(())
    }

    fn validate(&self, config: &PlanOf<Bucket>) -> Diagnostics {
        match config.name.known() {
            Some(name) if name == "root" => {
                Diagnostic::error("Reserved name", "The name root is reserved.").into()
            }
            _ => Diagnostics::default(),
        }
    }

    fn identity(&self, state: &Bucket) -> Option<BucketIdentity> {
        Some(BucketIdentity {
            name: state.name.clone(),
        })
    }

    async fn import(
        &self,
        operation: &mut Operation<Shared>,
        target: ImportTarget<BucketIdentity>,
    ) -> Result<Option<Bucket>, Diagnostics> {
        let name = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => identity.name,
        };
        let cloud = operation.client().lock().unwrap();
        Ok(cloud
            .buckets
            .get(&name)
            .map(|remote| Self::state(&name, remote)))
    }

    fn upgrade(&self, stored: &StoredState<'_>) -> Result<Bucket, Diagnostics> {
        // Version 0 called the class "tier".
        let old: serde_json::Value =
            serde_json::from_str(stored.json).map_err(Diagnostic::defect)?;
        let text = |key: &str| {
            old.get(key)
                .and_then(|v| v.as_str())
                .unwrap_or_default()
                .to_owned()
        };
        let remote = Remote {
            class: text("tier"),
            ..Remote::default()
        };
        Ok(Self::state(&text("name"), &remote))
    }

    fn move_from(
        &self,
        source_type: &str,
        stored: &StoredState<'_>,
    ) -> Option<Result<Bucket, Diagnostics>> {
        (source_type == "other_bucket").then(|| self.upgrade(stored))
    }
}

pub(crate) struct BucketDataSource;

impl DataSource for BucketDataSource {
    type Client = Shared;
    type Data = Bucket;
    const TYPE_NAME: &'static str = "cloud_bucket";
    const DESCRIPTION: &'static str = "Looks up a bucket.";
    const REQUIRED: &'static [&'static str] = &["name"];
    const OPTIONAL: &'static [&'static str] = &[];
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn read(
        &self,
        client: &Arc<Shared>,
        config: PlanOf<Bucket>,
    ) -> Result<Bucket, Diagnostics> {
        let fault = std::mem::take(&mut client.lock().unwrap().fault);
        misbehave(fault).await?;
        let name = config.name.expect_known("name")?;
        let cloud = client.lock().unwrap();
        let remote = cloud.buckets.get(name);
        let remote = remote.ok_or_else(|| Diagnostic::error("No such bucket", name.clone()))?;
        Ok(BucketResource::state(name, remote))
    }
}

#[derive(Default)]
pub(crate) struct CloudProvider {
    pub(crate) cloud: Shared,
}

impl Provider for CloudProvider {
    type Config = CloudConfig;
    type Client = Shared;

    async fn configure(&self, config: CloudConfig) -> Result<Shared, Diagnostics> {
        match config.region.as_deref() {
            Some("moon") => Err(Diagnostic::error("No such region", "Use another.").into()),
            _ => Ok(Arc::clone(&self.cloud)),
        }
    }

    fn register(&self, registry: &mut Registry<Shared>) {
        registry
            .resource(BucketResource)
            .data_source(BucketDataSource)
            .function(Join)
            .function(IsKnown)
            .ephemeral_resource(SessionResource)
            .list_resource(BucketList)
            .action(EmptyAction);
    }
}

pub(crate) const BUCKET: &str = "cloud_bucket";

pub(crate) fn provider_config(region: Value) -> Value {
    Value::object([("region", region)])
}

/// A configured driver and the cloud behind it.
pub(crate) async fn start() -> (Driver<CloudProvider>, Shared) {
    let provider = CloudProvider::default();
    let cloud = Arc::clone(&provider.cloud);
    let driver = Driver::configure(provider, provider_config(Value::Null))
        .await
        .unwrap();
    (driver, cloud)
}

/// The configuration of a bucket with the named attributes set.
pub(crate) fn bucket<const N: usize>(attributes: [(&str, Value); N]) -> Value {
    let names = [
        "name",
        "class",
        "note",
        "quota",
        "secret_wo",
        "secret_wo_version",
        "rules",
        "timeouts",
        "id",
        "drift",
    ];
    let mut all: BTreeMap<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), Value::Null))
        .collect();
    all.extend(attributes.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(all)
}

pub(crate) fn text(text: &str) -> Value {
    Value::string(text)
}

pub(crate) fn number(number: i64) -> Value {
    Value::Number(number.into())
}
