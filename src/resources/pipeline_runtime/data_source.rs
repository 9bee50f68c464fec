//! `data "nautes_pipeline_runtime"`: one runtime, with whether GitLab calls its hooks.

use std::collections::BTreeMap;

use nautes_model::{EntityKey, Kind};
use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Convert as _, Known, Tf};

use super::hooks::{self, KnownHooks};
use super::model::PipelineRuntimeModel;
use super::read::{self, Loaded, TYPE_NAME};
use super::save::fill_worker;
use crate::client::Client;
use crate::lookup::WorkerError;
use crate::resources::attribute::check_lookup_arguments;
use crate::resources::manifest::{entity_to_look_up, missing_entity};

/// A pipeline runtime, with whether GitLab calls its hooks.
#[derive(Debug, Model)]
pub(crate) struct PipelineRuntimeData {
    /// The attributes of the resource.
    #[tf(flatten)]
    runtime: PipelineRuntimeModel,
    /// Whether GitLab calls the hooks, by event source: `executable`, or `temporarily_disabled` or `disabled`, with the end
    /// if there is one.
    webhook_status: Tf<BTreeMap<String, String>>,
}

/// `data "nautes_pipeline_runtime"`.
pub(crate) struct PipelineRuntimeDataSource;

impl DataSource for PipelineRuntimeDataSource {
    type Client = Client;
    type Data = PipelineRuntimeData;
    const TYPE_NAME: &'static str = TYPE_NAME;
    const DESCRIPTION: &'static str = "Looks up a pipeline runtime of a product, by product and name or by id. With reconciler = \"provider\" its cluster and GitLab are asked for its hooks.";
    const REQUIRED: &'static [&'static str] = &[];
    const OPTIONAL: &'static [&'static str] = &["id", "product", "name"];
    const OMITTED: &'static [&'static str] = &[
        "credentials",
        "credential_secrets",
        "history",
        "hooks",
        "report_status",
        "insecure_skip_check",
        "timeouts",
    ];

    fn validate(&self, config: &PlanOf<PipelineRuntimeData>) -> Diagnostics {
        let runtime = &config.runtime;
        check_lookup_arguments(
            !runtime.common.id.is_null(),
            !runtime.common.product.is_null(),
            !runtime.name.is_null(),
        )
    }

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<PipelineRuntimeData>,
    ) -> Result<PipelineRuntimeData, Diagnostics> {
        let client = context.client().clone();
        let (product, name, path) = entity_to_look_up(&config.to_value(), Kind::PipelineRuntime)?;
        let Some(loaded) = Box::pin(read::load(&client, product, &name)).await? else {
            let key = EntityKey::new(Kind::PipelineRuntime, name);
            return Err(missing_entity(&key, &path).into());
        };
        let Loaded {
            mut state,
            meanings,
            connection,
            ..
        } = loaded;
        let mut webhook_status = Tf::Null;
        if client.settings().nautes_reconciles() {
            fill_worker(&mut state, None, &meanings, &KnownHooks::default());
        } else {
            match Box::pin(connection.connect(&client, &state, &meanings)).await {
                Ok(pipeline) => {
                    fill_worker(
                        &mut state,
                        Some(&pipeline),
                        &meanings,
                        &KnownHooks::default(),
                    );
                    let found = pipeline.hook_states().await?;
                    let ids = found.iter().map(|(repository, (id, _))| (*repository, *id));
                    let webhooks = pipeline.webhooks(ids);
                    let meaning = |text: &str| meanings.get(text).ok();
                    state.webhooks = Known(hooks::attribute(&state, &webhooks, meaning));
                    let sources = state.event_sources.iter();
                    let states = sources.filter_map(|(name, source)| {
                        let repository = meaning(&source.gitlab.as_ref()?.code_repo)?;
                        Some((name.clone(), found.get(&repository)?.1.clone()))
                    });
                    webhook_status = Known(states.collect());
                }
                Err(WorkerError::Unreachable { name, error }) => {
                    let (summary, detail) = WorkerError::unreachable_warning(&name, &error);
                    context.warn(summary, detail);
                }
                Err(WorkerError::Failed(found)) => return Err(found),
            }
        }
        Ok(PipelineRuntimeData {
            runtime: state,
            webhook_status,
        })
    }
}
