//! `nautes_clusters`: the registered clusters.

use nautes_model::Kind;
use nautes_model::entity::Entity;
use terraform_plugin::context::Context;
use terraform_plugin::data_source::DataSource;
use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::{Model, PlanOf};
use terraform_plugin::value::{Known, Tf};

use super::attributes::ClusterAttributes;
use crate::client::Client;
use crate::resources::attribute::{compile_name_regex, regular_expression};
use crate::resources::home::Home;

/// The clusters that are registered in the tenant's repository.
#[derive(Model)]
pub(crate) struct ClusterList {
    /// Lists only clusters whose name matches this regular expression.
    #[tf(validate(regular_expression()))]
    name_regex: Option<String>,
    /// The clusters, sorted by name.
    clusters: Tf<Vec<ClusterAttributes>>,
}

/// `nautes_clusters`.
pub(crate) struct ClustersDataSource;

impl DataSource for ClustersDataSource {
    type Client = Client;
    type Data = ClusterList;
    const TYPE_NAME: &'static str = "nautes_clusters";
    const DESCRIPTION: &'static str = "Lists the clusters that are registered in the tenant's repository. Neither Vault nor the clusters are asked.";
    const REQUIRED: &'static [&'static str] = &[];
    const OPTIONAL: &'static [&'static str] = &["name_regex"];

    async fn read(
        &self,
        context: &mut Context<Client>,
        config: PlanOf<ClusterList>,
    ) -> Result<ClusterList, Diagnostics> {
        let name_regex = config.name_regex.into_known();
        let pattern = compile_name_regex(name_regex.as_deref())?;
        let home = Home::tenant(context.client());
        let snapshot = home.snapshot("list the clusters").await?;
        let tree = snapshot.as_ref().map(|snapshot| snapshot.tree());
        let entities = tree.into_iter().flat_map(|tree| {
            let entities = tree.entities_of_kind(Kind::Cluster);
            entities.map(move |entity| (entity, tree.find(&entity.key())))
        });
        let clusters = entities.filter_map(|(entity, found)| match entity {
            Entity::Cluster(cluster) => {
                let is_match = |pattern: &regex::Regex| pattern.is_match(cluster.name.as_str());
                let path = found.map_or("", |(path, _)| path);
                let listed = pattern.as_ref().is_none_or(is_match);
                listed.then(|| (cluster.name.clone(), ClusterAttributes::new(cluster, path)))
            }
            _ => None,
        });
        let mut clusters: Vec<_> = clusters.collect();
        clusters.sort_by(|(a, _), (b, _)| a.cmp(b));
        let clusters = clusters.into_iter().map(|(_, attributes)| attributes);
        Ok(ClusterList {
            name_regex,
            clusters: Known(clusters.collect()),
        })
    }
}

/// Returns a sentence that names the registered clusters, for an error about one that is not.
pub(super) async fn registered_clusters(
    client: &Client,
    attempt: &str,
) -> Result<String, Diagnostics> {
    let snapshot = Home::tenant(client).snapshot(attempt).await?;
    let tree = snapshot.as_ref().map(|snapshot| snapshot.tree());
    let entities = tree
        .into_iter()
        .flat_map(|tree| tree.entities_of_kind(Kind::Cluster));
    let mut names: Vec<String> = entities.map(|entity| entity.name().to_string()).collect();
    names.sort();
    Ok(if names.is_empty() {
        "No clusters are registered.".to_owned()
    } else {
        format!("The registered clusters are: {}.", names.join(", "))
    })
}
