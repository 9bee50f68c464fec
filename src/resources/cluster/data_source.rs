//! `data "nautes_cluster"`: one cluster, by name or by id.

use nautes_model::entity::Entity;
use nautes_model::{EntityKey, Kind};
use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::PlanOf;
use terraform_plugin::value::Path;

use super::attributes::ClusterAttributes;
use super::list::registered_clusters;
use crate::client::Client;
use crate::resources::attribute::check_id_or_name;
use crate::resources::home::{Found, Home, drift_of};
use crate::resources::references::entity_name;

/// `data "nautes_cluster"`.
pub(crate) struct ClusterDataSource;

impl DataSource for ClusterDataSource {
    type Client = Client;
    type Data = ClusterAttributes;
    const TYPE_NAME: &'static str = "nautes_cluster";
    const DESCRIPTION: &'static str = "Looks up a registered cluster, by name or by id, in the tenant's repository. Neither Vault nor the cluster is asked.";
    const REQUIRED: &'static [&'static str] = &[];
    const OPTIONAL: &'static [&'static str] = &["id", "name"];

    fn validate(&self, config: &PlanOf<ClusterAttributes>) -> Diagnostics {
        check_id_or_name(&config.id, &config.name)
    }

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<ClusterAttributes>,
    ) -> Result<ClusterAttributes, Diagnostics> {
        let client = context.client();
        let (attribute, name) = match config.id.known() {
            Some(id) => ("id", id),
            None => ("name", config.name.require_known("name")?),
        };
        let name = entity_name(attribute, name)?;
        let key = EntityKey::new(Kind::Cluster, name.clone());
        let attempt = format!("read the cluster {name}");
        let at = Path::to(attribute);
        let Found::Present(present, _) = Home::tenant(client).read(&key, &attempt).await? else {
            let names = registered_clusters(client, &attempt).await?;
            let detail = format!("There is no cluster {name} in the tenant's repository. {names}");
            let summary = format!("The cluster {name} does not exist");
            return Err(Diagnostic::error(summary, detail).at(&at).into());
        };
        let Some(Entity::Cluster(cluster)) = &present.entity else {
            let reasons = drift_of(&present).join("; ");
            let detail = format!("Its manifest {} cannot be read: {reasons}.", present.path);
            let error = Diagnostic::error(format!("Cannot {attempt}"), detail);
            return Err(error.at(&at).into());
        };
        Ok(ClusterAttributes::new(cluster, &present.path))
    }
}
