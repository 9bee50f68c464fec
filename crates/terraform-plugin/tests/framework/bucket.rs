//! A provider of buckets that can inject faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::provider::{ConfigureContext, Provider, Registry};
use terraform_plugin::resource::{
    DefaultTimeouts, ImportTarget, Operation, PlanKind, Planning, Resource, StoredState, Timeouts,
};
use terraform_plugin::schema::one_of;
use terraform_plugin::testing::driver::Driver;
use terraform_plugin::value::{Known, Number, Path, Tf, Value, WriteOnly};
use terraform_plugin::waiting::waiting_for;

use crate::kinds::{BucketList, EmptyAction, IsKnown, Join, SessionResource};

/// A remote bucket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Remote {
    pub(crate) note: Option<String>,
    pub(crate) quota: Option<Number>,
    pub(crate) class: String,
    pub(crate) secret: Option<String>,
    pub(crate) complete: bool,
    /// The new name of the bucket, which its identity contains.
    pub(crate) renamed: Option<&'static str>,
}

/// The fault of the next operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Fails after the remote object exists.
    Halfway,
    /// Records the plan, and then fails.
    Recorded,
    /// Records the plan, and then panics.
    RecordedPanic,
    /// Fails before anything happens.
    Early,
    /// Warns, and then fails before anything happens.
    WarnedEarly,
    /// Warns, and then panics.
    WarnedPanic,
    /// Fails with a warning but no error.
    OnlyWarning,
    /// Fails without any diagnostic.
    Silent,
    Panic,
    /// Never ends.
    Hang,
    /// Returns a result that was not planned.
    WrongResult,
    /// Returns a result with an unknown value.
    UnknownResult,
}

#[derive(Default)]
pub(crate) struct Cloud {
    pub(crate) buckets: BTreeMap<String, Remote>,
    pub(crate) fault: Fault,
    /// Whether every operation warns.
    pub(crate) warns: bool,
    /// What the provider reports at the next end of the last operation in flight.
    pub(crate) report: Option<Diagnostic>,
    /// The class of new buckets in the provider's configuration.
    pub(crate) default_class: Option<String>,
    /// The user and password in the provider's configuration.
    pub(crate) user: Option<String>,
    /// The tag that reads keep in the private state.
    pub(crate) etag: Option<&'static str>,
    /// The path whose change requires replacement in every plan.
    pub(crate) replace: Option<Path>,
    pub(crate) replacements_seen: Vec<bool>,
    /// The tags that plans of creations found of the objects that they replace.
    pub(crate) replaced_etags: Vec<Option<String>>,
    /// The tags in the private state of creations and deletions.
    pub(crate) operation_etags: Vec<Option<String>>,
    pub(crate) creations: usize,
    /// The permissions of the opened sessions.
    pub(crate) sessions: Vec<String>,
    /// The buckets of the closed sessions, and whether those were renewed.
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
    /// Storage class of new buckets.
    #[tf(default("standard".to_owned()))]
    class: String,
    /// Account at the cloud.
    login: Option<Login>,
}

/// An account at the cloud.
#[derive(Model)]
pub(crate) struct Login {
    /// Name of the user.
    user: String,
    /// Password of the user.
    #[tf(sensitive)]
    password: String,
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
    /// Free text.
    pub(crate) note: Option<String>,
    /// Size that the bucket may reach.
    pub(crate) quota: Option<Number>,
    /// Secret that is never stored.
    pub(crate) secret_wo: WriteOnly<String>,
    /// Increase it to write the secret again.
    pub(crate) secret_wo_version: Option<i64>,
    /// Rules by name.
    pub(crate) rules: Option<BTreeMap<String, Rule>>,
    /// Addresses to notify, in order.
    pub(crate) hooks: Option<Vec<Hook>>,
    /// Attributes of every resource of the cloud.
    #[tf(flatten)]
    pub(crate) common: Common,
}

/// Attributes of every resource of the cloud.
#[derive(Model)]
pub(crate) struct Common {
    /// Time limits.
    pub(crate) timeouts: Option<Timeouts>,
    /// Identifier.
    #[tf(stable)]
    pub(crate) id: Tf<String>,
    /// Differences from the configuration.
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

/// An address to notify.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct Hook {
    /// Address.
    pub(crate) url: String,
    /// Identifier of the hook.
    #[tf(stable)]
    pub(crate) id: Tf<String>,
}

/// Identity of a bucket.
#[derive(Model)]
pub(crate) struct BucketIdentity {
    /// Name of the bucket.
    pub(crate) name: String,
}

/// Injects a fault that happens before the operation starts.
pub(crate) async fn inject_fault(fault: Fault) -> Result<(), Diagnostics> {
    match fault {
        Fault::Panic | Fault::WarnedPanic => panic!("injected panic"),
        Fault::Hang => {
            let _waiting = waiting_for(|| "the cloud".to_owned());
            std::future::pending().await
        }
        Fault::OnlyWarning => Err(Diagnostic::warning("Careful", "It is slow.").into()),
        Fault::Silent => Err(Diagnostics::default()),
        Fault::Early | Fault::WarnedEarly => {
            Err(Diagnostic::error("Refused", "The cloud refused.").into())
        }
        Fault::None
        | Fault::Halfway
        | Fault::Recorded
        | Fault::RecordedPanic
        | Fault::WrongResult
        | Fault::UnknownResult => Ok(()),
    }
}

pub(crate) struct BucketResource;

impl BucketResource {
    fn fault(operation: &mut Operation<Shared>) -> Fault {
        let fault = std::mem::take(&mut operation.client().lock().unwrap().fault);
        if matches!(fault, Fault::WarnedEarly | Fault::WarnedPanic) {
            operation.warn("Careful", "It is slow.");
        }
        fault
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
            hooks: None,
            common: Common {
                timeouts: None,
                id: Known(format!("bucket-{name}")),
                drift: Tf::Null,
            },
        }
    }

    /// Injects a fault that happens after the operation has recorded its plan.
    fn record(
        operation: &mut Operation<Shared>,
        fault: Fault,
        planned: &Bucket,
    ) -> Result<(), Diagnostics> {
        match fault {
            Fault::Recorded => {
                operation.record(planned);
                Err(Diagnostic::error("Half made", "The cloud went away.").into())
            }
            Fault::RecordedPanic => {
                operation.record(planned);
                panic!("injected panic")
            }
            _ => Ok(()),
        }
    }

    fn fill_computed(mut planned: Bucket) -> Bucket {
        planned.common.id = Known(format!("bucket-{}", planned.name));
        planned.common.drift = Tf::Null;
        for (key, rule) in planned.rules.iter_mut().flatten() {
            rule.id = Known(format!("rule-{key}"));
        }
        for hook in planned.hooks.iter_mut().flatten() {
            if !matches!(hook.id, Known(_)) {
                hook.id = Known(format!("hook-{}", hook.url));
            }
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
    const IDENTITY_VERSION: i64 = 2;
    const TIMEOUTS: DefaultTimeouts = DefaultTimeouts::all(60);

    async fn create(
        &self,
        operation: &mut Operation<Shared>,
        planned: Bucket,
    ) -> Result<Bucket, Diagnostics> {
        let fault = Self::fault(operation);
        inject_fault(fault).await?;
        Self::record(operation, fault, &planned)?;
        let etag = operation.private.get("etag");
        {
            let mut cloud = operation.client().lock().unwrap();
            cloud.operation_etags.push(etag);
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
        let mut state = Self::fill_computed(planned);
        if fault == Fault::WrongResult {
            "cold".clone_into(&mut state.class);
        }
        if fault == Fault::UnknownResult {
            state.common.id = Tf::Unknown;
        }
        Ok(state)
    }

    async fn read(
        &self,
        operation: &mut Operation<Shared>,
        mut state: Bucket,
    ) -> Result<Option<Bucket>, Diagnostics> {
        let fault = Self::fault(operation);
        inject_fault(fault).await?;
        let client = Arc::clone(operation.client());
        let cloud = client.lock().unwrap();
        let Some(remote) = cloud.buckets.get(&state.name) else {
            return Ok(None);
        };
        if let Some(etag) = cloud.etag {
            operation.private.set("etag", &etag).unwrap();
        }
        if let Some(name) = remote.renamed {
            name.clone_into(&mut state.name);
        }
        state.note.clone_from(&remote.note);
        state.quota.clone_from(&remote.quota);
        state.class.clone_from(&remote.class);
        state.common.drift = if remote.complete {
            Tf::Null
        } else {
            Known("the bucket is incomplete".to_owned())
        };
        if fault == Fault::UnknownResult {
            state.common.id = Tf::Unknown;
        }
        Ok(Some(state))
    }

    async fn update(
        &self,
        operation: &mut Operation<Shared>,
        mut prior: Bucket,
        planned: Bucket,
    ) -> Result<Bucket, Diagnostics> {
        let fault = Self::fault(operation);
        inject_fault(fault).await?;
        Self::record(operation, fault, &planned)?;
        {
            let mut cloud = operation.client().lock().unwrap();
            let remote = cloud.buckets.get_mut(&planned.name).unwrap();
            remote.note.clone_from(&planned.note);
            remote.complete = true;
            if let Some(name) = remote.renamed {
                name.clone_into(&mut prior.name);
            }
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
        let mut state = Self::fill_computed(planned);
        if let Some(name) = remote.renamed {
            name.clone_into(&mut state.name);
        }
        Ok(state)
    }

    async fn delete(
        &self,
        operation: &mut Operation<Shared>,
        state: Bucket,
    ) -> Result<(), Diagnostics> {
        inject_fault(Self::fault(operation)).await?;
        let replacement = operation.is_replacement();
        let etag = operation.private.get("etag");
        let mut cloud = operation.client().lock().unwrap();
        cloud.replacements_seen.push(replacement);
        cloud.operation_etags.push(etag);
        cloud.buckets.remove(&state.name);
        Ok(())
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        let client = planning.client.map(Arc::clone);
        if let (PlanKind::Create, Some(client)) = (planning.kind, &client) {
            let replaced = planning.replaced.as_ref();
            let etag = replaced.and_then(|private| private.get("etag"));
            client.lock().unwrap().replaced_etags.push(etag);
        }
        if let Some(path) = client.and_then(|client| client.lock().unwrap().replace.clone()) {
            planning.require_replacement(path);
        }
        if planning.planned.note == Known("forbidden".to_owned()) {
            planning.warn("Careful", "It is slow.");
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
        let fault = Self::fault(operation);
        inject_fault(fault).await?;
        if matches!(&target, ImportTarget::Id(id) if id == "missing") {
            operation.warn("Careful", "It is slow.");
        }
        let name = match target {
            ImportTarget::Id(id) => id,
            ImportTarget::Identity(identity) => identity.name,
        };
        let cloud = operation.client().lock().unwrap();
        let mut state = cloud
            .buckets
            .get(&name)
            .map(|remote| Self::state(&name, remote));
        if let (Fault::UnknownResult, Some(state)) = (fault, &mut state) {
            state.common.id = Tf::Unknown;
        }
        Ok(state)
    }

    fn upgrade(&self, stored: &StoredState<'_>) -> Result<Bucket, Diagnostics> {
        // Version 0 called the class "tier".
        let old: serde_json::Value = serde_json::from_str(stored.json).map_err(Diagnostic::bug)?;
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

    fn upgrade_identity(&self, stored: &StoredState<'_>) -> Result<BucketIdentity, Diagnostics> {
        // Version 1 called the name "bucket".
        let old: BTreeMap<String, String> =
            serde_json::from_str(stored.json).map_err(Diagnostic::bug)?;
        let name = old.get("bucket").cloned().unwrap_or_default();
        Ok(BucketIdentity { name })
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
    const OPTIONAL: &'static [&'static str] = &["class"];
    const TIMEOUT: Duration = Duration::from_secs(60);

    async fn read(
        &self,
        context: &mut Context<Shared>,
        config: PlanOf<Bucket>,
    ) -> Result<Bucket, Diagnostics> {
        let client = Arc::clone(context.client());
        if client.lock().unwrap().warns {
            context.warn("Careful", "It is slow.");
        }
        let fault = std::mem::take(&mut client.lock().unwrap().fault);
        inject_fault(fault).await?;
        let name = config.name.require_known("name")?;
        let cloud = client.lock().unwrap();
        let class = config.class.require_known("class")?;
        let remote = cloud.buckets.get(name);
        let remote = remote.filter(|remote| remote.class == *class);
        let remote = remote.ok_or_else(|| Diagnostic::error("No such bucket", name.clone()))?;
        let mut data = BucketResource::state(name, remote);
        if fault == Fault::UnknownResult {
            data.common.id = Tf::Unknown;
        }
        Ok(data)
    }
}

#[derive(Default)]
pub(crate) struct CloudProvider {
    pub(crate) cloud: Shared,
}

impl Provider for CloudProvider {
    type Config = CloudConfig;
    type Client = Shared;

    async fn configure(
        &self,
        config: CloudConfig,
        context: &mut ConfigureContext,
    ) -> Result<Shared, Diagnostics> {
        if self.cloud.lock().unwrap().warns {
            context.warn("Careful", "It is slow.");
        }
        match config.region.as_deref() {
            Some("moon") => Err(Diagnostic::error("No such region", "Use another.").into()),
            Some("mars") => Err(Diagnostic::warning("Far away", "It is slow.").into()),
            Some("sun") => Err(Diagnostics::default()),
            _ => {
                let mut cloud = self.cloud.lock().unwrap();
                cloud.default_class = Some(config.class);
                cloud.user = config
                    .login
                    .map(|login| format!("{}:{}", login.user, login.password));
                Ok(Arc::clone(&self.cloud))
            }
        }
    }

    fn report(&self, client: &Shared) -> Option<Diagnostic> {
        client.lock().unwrap().report.take()
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

/// Returns a configured driver and its cloud.
pub(crate) async fn start() -> (Driver<CloudProvider>, Shared) {
    let provider = CloudProvider::default();
    let cloud = Arc::clone(&provider.cloud);
    let driver = Driver::configure(provider, provider_config(Value::Null))
        .await
        .unwrap();
    (driver, cloud)
}

/// Returns the configuration of a bucket with the given attributes.
pub(crate) fn bucket<const N: usize>(attributes: [(&str, Value); N]) -> Value {
    let names = [
        "name",
        "class",
        "note",
        "quota",
        "secret_wo",
        "secret_wo_version",
        "rules",
        "hooks",
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

/// Returns the configuration of the data source of a bucket.
pub(crate) fn named(name: &str) -> Value {
    let Value::Object(mut config) = bucket([("name", text(name))]) else {
        panic!("an object")
    };
    config.remove("secret_wo");
    Value::Object(config)
}

pub(crate) fn text(text: &str) -> Value {
    Value::string(text)
}

pub(crate) fn number(number: i64) -> Value {
    Value::Number(number.into())
}
