//! The attributes of a product.

use std::collections::BTreeSet;

use nautes_model::ProductId;
use nautes_model::name::NameRule;
use terraform_plugin::model::Model;
use terraform_plugin::resource::Timeouts;
use terraform_plugin::schema::one_of;
use terraform_plugin::value::{Known, Tf};

use crate::backends::gitlab::{Group, Project, Visibility};
use crate::resources::attribute::name_rule;
use crate::resources::deletion_policy::DeletionPolicy;
use crate::resources::gitlab_attribute::{
    description, display_name, parse_visibility, visibility_name,
};
use crate::resources::unfinished;

/// A product: an IT system with its environments, projects, repositories and runtimes.
///
/// It is a GitLab group with a project `default.project`, its configuration repository, which holds
/// the manifests of everything in the product. Destroying it deletes the group, which GitLab keeps
/// for a while under another path. A product that still holds repositories or manifests is not
/// destroyed without `force_destroy`.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ProductModel {
    /// Name of the product, which is the path of its GitLab group. It is changed in place.
    #[tf(validate(name_rule(NameRule::ProductInParentGroup)))]
    pub(crate) name: String,
    /// Display name; `name` at creation, or as found on adoption, if it is not set.
    #[tf(optional, stable, validate(display_name()))]
    pub(crate) display_name: Tf<String>,
    /// Description of the GitLab group; empty at creation, or as found on adoption, if it is not set.
    #[tf(optional, stable, validate(description(500)))]
    pub(crate) description: Tf<String>,
    /// Visibility of the GitLab group; `private` at creation, or as found on adoption, if it is not
    /// set.
    #[tf(optional, stable, validate(one_of(["private", "internal", "public"])))]
    pub(crate) visibility: Tf<String>,
    /// Whether an existing GitLab group with this path is adopted at creation; otherwise it is an
    /// error. What the configuration leaves open stays as it is found.
    pub(crate) adopt_existing: Option<bool>,
    /// Whether the product is destroyed with all repositories and manifests that it still holds.
    pub(crate) force_destroy: Option<bool>,
    /// What a destroy does with the GitLab group: `delete` (the default), or `abandon`, which leaves
    /// it with all its projects, and deletes only a configuration repository without manifests.
    #[tf(validate(one_of(DeletionPolicy::OF_PRODUCTS)))]
    pub(crate) deletion_policy: Option<String>,
    /// Whether GitLab's recovery period is skipped when the group is deleted. GitLab does this for
    /// subgroups alone, if its administrator permits it.
    pub(crate) permanently_remove: Option<bool>,
    /// How long operations may take.
    pub(crate) timeouts: Option<Timeouts>,
    /// Identifier: `product-` and the numeric ID of the GitLab group. It survives renames.
    #[tf(stable)]
    pub(crate) id: Tf<String>,
    /// Numeric ID of the GitLab group.
    #[tf(stable)]
    pub(crate) group_id: Tf<u64>,
    /// When the GitLab group was created, which tells it from another one with the same number.
    #[tf(stable)]
    pub(crate) created_at: Tf<String>,
    /// Path of the GitLab group with its parent groups.
    #[tf(follows(["name"]))]
    pub(crate) full_path: Tf<String>,
    /// Web page of the GitLab group.
    #[tf(follows(["name"]))]
    pub(crate) web_url: Tf<String>,
    /// The configuration repository. Null if it was removed from outside; an update makes it again.
    #[tf(follows(["name"]))]
    pub(crate) config_repository: Tf<ConfigRepositoryModel>,
    /// What the last refresh found and no other attribute shows: another default branch of the
    /// configuration repository, and what is missing of what Nautes's operators need, or is left of it
    /// where the provider reconciles; an update repairs it.
    #[tf(cleared)]
    pub(crate) drift: Tf<BTreeSet<String>>,
}

/// A configuration repository.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ConfigRepositoryModel {
    /// Numeric ID of the GitLab project.
    pub(crate) project_id: Tf<u64>,
    /// Path of the GitLab project with its groups.
    pub(crate) path: Tf<String>,
    /// Web page of the GitLab project.
    pub(crate) web_url: Tf<String>,
    /// URL to clone it over HTTP.
    pub(crate) http_url: Tf<String>,
    /// URL to clone it over SSH.
    pub(crate) ssh_url: Tf<String>,
    /// Default branch, which holds the manifests. Another one than the provider's `commit.branch` is
    /// drift.
    pub(crate) default_branch: Tf<String>,
}

/// The identity of a product.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct ProductIdentity {
    /// Identifier of the product: `product-` and the numeric ID of its GitLab group.
    pub(crate) product_id: String,
}

impl ProductModel {
    /// Takes over the attributes of the group and the project.
    pub(crate) fn update_from(&mut self, group: &Group, project: Option<&Project>) {
        let description = group.description.as_deref().unwrap_or_default();
        self.name.clone_from(&group.path);
        self.display_name = Known(group.name.clone());
        self.description = Known(unfinished::without_mark(description).to_owned());
        self.visibility = Known(visibility_name(group.visibility).to_owned());
        self.id = Known(ProductId::new(group.id).to_string());
        self.group_id = Known(group.id);
        self.created_at = Known(group.created_at.clone());
        // GitLab finds the parent group in any case; what the provider's argument says is kept.
        let kept = self.full_path.known();
        if !kept.is_some_and(|kept| kept.eq_ignore_ascii_case(&group.full_path)) {
            self.full_path = Known(group.full_path.clone());
        }
        self.web_url = Known(group.web_url.clone());
        self.config_repository = project.map(ConfigRepositoryModel::from).into();
    }

    /// Takes over what the plan left open of the group and the project. What was changed by hand
    /// since the plan shows at the next refresh.
    pub(crate) fn complete_from(&mut self, group: &Group, project: &Project) {
        let mut found = self.clone();
        found.update_from(group, Some(project));
        self.display_name.set_if_unknown(found.display_name);
        self.description.set_if_unknown(found.description);
        self.visibility.set_if_unknown(found.visibility);
        self.created_at.set_if_unknown(found.created_at);
        self.full_path.set_if_unknown(found.full_path);
        self.web_url.set_if_unknown(found.web_url);
        self.config_repository = found.config_repository;
    }

    /// Returns a product of which only GitLab's part is known, as after an import.
    pub(crate) fn new(group: &Group, project: Option<&Project>) -> Self {
        let mut model = Self {
            name: String::new(),
            display_name: Tf::Null,
            description: Tf::Null,
            visibility: Tf::Null,
            adopt_existing: None,
            force_destroy: None,
            deletion_policy: None,
            permanently_remove: None,
            timeouts: None,
            id: Tf::Null,
            group_id: Tf::Null,
            created_at: Tf::Null,
            full_path: Tf::Null,
            web_url: Tf::Null,
            config_repository: Tf::Null,
            drift: Tf::Null,
        };
        model.update_from(group, project);
        model
    }

    /// What a destroy does with the GitLab group.
    pub(crate) fn deletion_policy(&self) -> DeletionPolicy {
        DeletionPolicy::parse(self.deletion_policy.as_deref())
    }

    /// The display name that the group is to have.
    pub(crate) fn wanted_display_name(&self) -> &str {
        self.display_name.known().map_or(&self.name, String::as_str)
    }

    /// The description that the group is to have.
    pub(crate) fn wanted_description(&self) -> &str {
        self.description.known().map_or("", String::as_str)
    }

    /// The visibility that the group is to have.
    pub(crate) fn wanted_visibility(&self) -> Visibility {
        let visibility = self.visibility.known();
        visibility.map_or(Visibility::Private, |name| parse_visibility(name))
    }

    /// The number of the configuration repository's project.
    pub(crate) fn config_project_id(&self) -> Option<u64> {
        self.config_repository.known()?.project_id.known().copied()
    }
}

impl ConfigRepositoryModel {
    /// Returns the plan of it while its group is renamed.
    pub(crate) fn renamed(&self) -> ConfigRepositoryModelPlan {
        ConfigRepositoryModelPlan {
            project_id: self.project_id.clone(),
            path: Tf::Unknown,
            web_url: Tf::Unknown,
            http_url: Tf::Unknown,
            ssh_url: Tf::Unknown,
            default_branch: self.default_branch.clone(),
        }
    }
}

impl From<&Project> for ConfigRepositoryModel {
    fn from(project: &Project) -> Self {
        Self {
            project_id: Known(project.id),
            path: Known(project.path_with_namespace.clone()),
            web_url: Known(project.web_url.clone()),
            http_url: Known(project.http_url_to_repo.clone()),
            ssh_url: Known(project.ssh_url_to_repo.clone()),
            default_branch: project.default_branch.clone().into(),
        }
    }
}
