//! The attributes of a code repository.

use std::collections::BTreeSet;

use nautes_model::entity::webhook_event;
use nautes_model::name::NameRule;
use nautes_model::{ProductId, RepositoryId};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::model::Model;
use terraform_plugin::schema::{each, one_of};
use terraform_plugin::value::{Known, Path, Tf};

use crate::backends::gitlab::{Project, Visibility};
use crate::resources::attribute::{
    CommonAttributes, branch_name, entity_reference_or_empty, name_rule,
};
use crate::resources::deletion_policy::DeletionPolicy;
use crate::resources::gitlab_attribute::{
    description, display_name, parse_visibility, visibility_name,
};
use crate::resources::unfinished;

/// The longest description that GitLab takes for a project.
pub(super) const LONGEST_DESCRIPTION: usize = 2000;

/// A code repository: a GitLab project in the group of a product, for source code, pipelines or
/// deployment manifests.
///
/// It has two deploy keys, one of which may push, and on request an access token. Their secrets are
/// in Vault and never in the state. A repository that holds more than one commit on a branch, or a
/// tag, is not destroyed without `force_destroy`.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct CodeRepoModel {
    /// Name of the repository, which is the path of its GitLab project. It is changed in place.
    #[tf(validate(name_rule(NameRule::CodeRepo)))]
    pub(crate) name: String,
    /// The project that owns the repository, by id or by name; without one it belongs to the
    /// product.
    #[tf(validate(entity_reference_or_empty("a project")))]
    pub(crate) project: Option<String>,
    /// Display name. If it is not set, it is `name` at creation, or as found on adoption, and follows
    /// `name` as long as both are the same.
    #[tf(optional, stable, validate(display_name()))]
    pub(crate) display_name: Tf<String>,
    /// Description of the GitLab project; empty at creation, or as found on adoption, if it is not
    /// set.
    #[tf(optional, stable, validate(description(LONGEST_DESCRIPTION)))]
    pub(crate) description: Tf<String>,
    /// Visibility of the GitLab project, at most that of the product's group; `private` at creation,
    /// or as found on adoption, if it is not set.
    #[tf(optional, stable, validate(one_of(["private", "internal", "public"])))]
    pub(crate) visibility: Tf<String>,
    /// The default branch. It is changed in place, and the branch must exist by then.
    #[tf(optional, stable, validate(branch_name()))]
    pub(crate) default_branch: Tf<String>,
    /// Whether the repository begins with a commit of a `README.md`; used at creation alone.
    #[tf(default(true))]
    pub(crate) initialize_with_readme: bool,
    /// Events that GitLab reports to the pipeline runtimes that listen to the repository.
    #[tf(validate(each(one_of(webhook_event::ALL))))]
    pub(crate) webhook_events: Option<BTreeSet<String>>,
    /// Whether the repository holds pipelines, for people and lists.
    #[tf(default(false))]
    pub(crate) pipeline_runtime: bool,
    /// Whether the repository holds deployment manifests, for people and lists.
    #[tf(default(false))]
    pub(crate) deployment_runtime: bool,
    /// The access token with which pipeline runtimes register webhooks; without it there is none.
    #[tf(optional, stable)]
    pub(crate) access_token: Tf<AccessTokenModel>,
    /// Whether an existing GitLab project with this path is adopted at creation; otherwise it is an
    /// error. What the configuration leaves open stays as it is found.
    pub(crate) adopt_existing: Option<bool>,
    /// Whether the repository is destroyed although it holds work: more than one commit on a
    /// branch, or a tag.
    pub(crate) force_destroy: Option<bool>,
    /// What a destroy does with the GitLab project: `delete` (the default), `archive`, or `abandon`,
    /// which leaves it as it is. Manifest, keys, tokens and secrets are removed in any case.
    #[tf(validate(one_of(DeletionPolicy::OF_CODE_REPOS)))]
    pub(crate) deletion_policy: Option<String>,
    /// Whether GitLab's recovery period is skipped when the project is deleted, if GitLab's
    /// administrator permits it.
    pub(crate) permanently_remove: Option<bool>,
    /// The attributes that every kind in a product has.
    #[tf(flatten)]
    pub(crate) common: CommonAttributes,
    /// Numeric ID of the GitLab project.
    #[tf(stable)]
    pub(crate) project_id: Tf<u64>,
    /// When the GitLab project was created, which tells it from another one with the same number.
    #[tf(stable)]
    pub(crate) created_at: Tf<String>,
    /// Web page of the GitLab project.
    #[tf(follows(["name"]))]
    pub(crate) web_url: Tf<String>,
    /// URL to clone it over HTTP.
    #[tf(follows(["name"]))]
    pub(crate) http_url: Tf<String>,
    /// URL to clone it over SSH.
    #[tf(follows(["name"]))]
    pub(crate) ssh_url: Tf<String>,
    /// The deploy keys. An update makes new ones in place of those that `drift` names.
    #[tf(stable)]
    pub(crate) deploy_keys: Tf<DeployKeysModel>,
}

/// The deploy keys of a code repository.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct DeployKeysModel {
    /// The key that may clone. Null if it was removed from outside; an update makes a new one.
    pub(crate) readonly: Tf<DeployKeyModel>,
    /// The key that may clone and push. Null if it was removed from outside; an update makes a new
    /// one.
    pub(crate) readwrite: Tf<DeployKeyModel>,
}

/// A deploy key.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct DeployKeyModel {
    /// Numeric ID of the key in GitLab.
    pub(crate) id: Tf<u64>,
    /// Fingerprint of the public key: `SHA256:` and its hash in Base64.
    pub(crate) fingerprint: Tf<String>,
    /// The public key, in the format of OpenSSH.
    pub(crate) public_key: Tf<String>,
    /// Where the private key is in Vault: the mount and the path in it.
    pub(crate) vault_path: Tf<String>,
}

/// An access token of a code repository.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct AccessTokenModel {
    /// How long a new token is valid, such as `720h`: at least 48 hours, and at most 365 days.
    #[tf(default(AccessTokenModel::LIFETIME.to_owned()))]
    pub(crate) lifetime: String,
    /// How long before its expiry the token is rotated.
    #[tf(default(AccessTokenModel::ROTATE_BEFORE.to_owned()))]
    pub(crate) rotate_before: String,
    /// Numeric ID of the token in GitLab.
    #[tf(follows(["lifetime", "rotate_before"]))]
    pub(crate) id: Tf<u64>,
    /// The day on which the token expires, at its beginning (UTC): `YYYY-MM-DD`.
    #[tf(follows(["lifetime", "rotate_before"]))]
    pub(crate) expires_at: Tf<String>,
    /// Whether the last refresh found that the token is to be rotated, which an update does.
    #[tf(follows(["lifetime", "rotate_before"]))]
    pub(crate) rotation_due: Tf<bool>,
    /// Where the token is in Vault: the mount and the path in it.
    #[tf(stable)]
    pub(crate) vault_path: Tf<String>,
}

impl AccessTokenModel {
    /// The lifetime where the user sets none.
    pub(crate) const LIFETIME: &'static str = "8736h";
    /// How long before its expiry a token is rotated, where the user does not set it.
    pub(crate) const ROTATE_BEFORE: &'static str = "720h";
}

/// The identity of a code repository.
#[derive(Debug, Clone, PartialEq, Model)]
pub(crate) struct CodeRepoIdentity {
    /// Numeric ID of the GitLab project.
    pub(crate) project_id: u64,
}

impl CodeRepoModel {
    /// A repository of which nothing is known but the reference to its product, not even whether it
    /// has an access token.
    pub(crate) fn new(product: String) -> Self {
        Self {
            common: CommonAttributes::new(product),
            name: String::new(),
            project: None,
            display_name: Tf::Null,
            description: Tf::Null,
            visibility: Tf::Null,
            default_branch: Tf::Null,
            initialize_with_readme: true,
            webhook_events: None,
            pipeline_runtime: false,
            deployment_runtime: false,
            access_token: Tf::Unknown,
            adopt_existing: None,
            force_destroy: None,
            deletion_policy: None,
            permanently_remove: None,
            project_id: Tf::Null,
            created_at: Tf::Null,
            web_url: Tf::Null,
            http_url: Tf::Null,
            ssh_url: Tf::Null,
            deploy_keys: Tf::Null,
        }
    }

    /// Takes over the attributes of the GitLab project.
    pub(crate) fn update_from_project(&mut self, project: &Project) {
        let description = project.description.as_deref().unwrap_or_default();
        self.name.clone_from(&project.path);
        self.display_name = Known(project.name.clone());
        self.description = Known(unfinished::without_mark(description).to_owned());
        self.visibility = Known(visibility_name(project.visibility).to_owned());
        // For a repository without a commit GitLab reports the branch that its own settings give.
        if !(project.empty_repo && self.default_branch.known().is_some()) {
            self.default_branch = project.default_branch.clone().into();
        }
        self.common.id = Known(RepositoryId::new(project.id).to_string());
        self.project_id = Known(project.id);
        self.created_at = Known(project.created_at.clone());
        self.web_url = Known(project.web_url.clone());
        self.http_url = Known(project.http_url_to_repo.clone());
        self.ssh_url = Known(project.ssh_url_to_repo.clone());
    }

    /// Takes over what the plan left open of the GitLab project. What was changed by hand since the
    /// plan shows at the next refresh.
    pub(crate) fn complete_from_project(&mut self, project: &Project) {
        let mut found = self.clone();
        found.update_from_project(project);
        self.display_name.set_if_unknown(found.display_name);
        self.description.set_if_unknown(found.description);
        self.visibility.set_if_unknown(found.visibility);
        self.default_branch.set_if_unknown(found.default_branch);
        self.web_url.set_if_unknown(found.web_url);
        self.http_url.set_if_unknown(found.http_url);
        self.ssh_url.set_if_unknown(found.ssh_url);
        self.created_at.set_if_unknown(found.created_at);
        self.common.id.set_if_unknown(found.common.id);
    }

    /// Sets the attributes that follow from the product and the manifest.
    pub(crate) fn fill_computed(&mut self, product: ProductId, manifest_path: String) {
        self.common.namespace = Known(product.to_string());
        self.common.manifest_path = Known(manifest_path);
        self.common.drift = Tf::Null;
    }

    /// The id of an existing repository.
    pub(crate) fn repository_id(&self) -> Result<RepositoryId, Diagnostics> {
        let id = self.common.id.require_known("id")?;
        id.parse()
            .map_err(|error| Diagnostic::bug(error).at(&Path::to("id")).into())
    }

    /// The id of the product of an existing repository.
    pub(crate) fn product_id(&self) -> Result<ProductId, Diagnostics> {
        let namespace = self.common.namespace.require_known("namespace")?;
        namespace
            .parse()
            .map_err(|error| Diagnostic::bug(error).at(&Path::to("namespace")).into())
    }

    /// What a destroy does with the GitLab project.
    pub(crate) fn deletion_policy(&self) -> DeletionPolicy {
        DeletionPolicy::parse(self.deletion_policy.as_deref())
    }

    /// The display name that the GitLab project is to have.
    pub(crate) fn wanted_display_name(&self) -> &str {
        self.display_name.known().map_or(&self.name, String::as_str)
    }

    /// The description that the GitLab project is to have.
    pub(crate) fn wanted_description(&self) -> &str {
        self.description.known().map_or("", String::as_str)
    }

    /// The visibility that the GitLab project is to have.
    pub(crate) fn wanted_visibility(&self) -> Visibility {
        let visibility = self.visibility.known();
        visibility.map_or(Visibility::Private, |name| parse_visibility(name))
    }

    /// The reference to the project that owns the repository, if there is one.
    pub(crate) fn owning_project(&self) -> Option<&str> {
        self.project.as_deref().filter(|text| !text.is_empty())
    }
}
