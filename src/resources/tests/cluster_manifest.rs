//! A kind whose manifest lives in the tenant's repository: a cluster, and nothing else of it.

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::Model;
use terraform_plugin::resource::{NoIdentity, Operation, Resource};

use super::cluster;
use crate::client::Client;
use crate::config_repo::{PutMode, Validation};
use crate::resources::home::{Found, Home};

/// A cluster.
#[derive(Debug, Clone, PartialEq, Model)]
pub(super) struct State {
    /// Name of the cluster.
    #[tf(replace)]
    pub(super) name: String,
}

type Run = Operation<Client>;

pub(super) struct ClusterManifest;

impl Resource for ClusterManifest {
    type Client = Client;
    type State = State;
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = "nautes_cluster_manifest";

    async fn create(&self, run: &mut Run, planned: State) -> Result<State, Diagnostics> {
        let (home, entity) = (Home::tenant(run.client()), cluster(&planned.name));
        let (request, mode) = (home.begin(entity.key()), PutMode::Create);
        home.put(&request, &entity, mode, Validation::Skip, "create it")
            .await?;
        Ok(planned)
    }

    async fn read(&self, run: &mut Run, state: State) -> Result<Option<State>, Diagnostics> {
        let home = Home::tenant(run.client());
        let found = home.read(&cluster(&state.name).key(), "read it").await?;
        Ok(Some(state).filter(|_| !matches!(found, Found::Absent)))
    }

    async fn update(&self, _: &mut Run, _: State, planned: State) -> Result<State, Diagnostics> {
        Ok(planned)
    }

    async fn delete(&self, run: &mut Run, state: State) -> Result<(), Diagnostics> {
        let (home, key) = (Home::tenant(run.client()), cluster(&state.name).key());
        home.delete(
            &home.begin(key.clone()),
            &key,
            Validation::Full,
            "delete it",
        )
        .await
        .map(drop)
    }
}
