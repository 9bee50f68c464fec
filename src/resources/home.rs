//! Where the manifests of a kind live: in the configuration repository of a product or of the
//! tenant. Resources call it; what fails is explained on the way.

use std::sync::Arc;

use nautes_model::entity::Entity;
use nautes_model::validation::references;
use nautes_model::{EntityKey, ProductId, layout};
use serde::{Deserialize, Serialize};
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};
use terraform_plugin::resource::PrivateState;

use crate::backends::gitlab::Kind;
use crate::claim::Claim;
use crate::client::Client;
use crate::config_repo::{
    Error, Present, PutMode, Reading, Repository, Snapshot, Validation, VerifiedAt,
};
use crate::diagnostics::{Context as _, config_repo_error};
use crate::moment::{from_milliseconds, to_milliseconds};
use crate::resources::same_object::Sameness;
use crate::wait_graph::{Request, Target};

/// The key of a [`ManifestLocation`] in private state.
const KEY: &str = "manifest";

/// When the product's group and the repository's project were created, in milliseconds since 1970.
/// This tells them from those with the same numbers on another GitLab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Created(i64, i64);

/// What tells the tenant's repository from another one with the number of its project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TenantOrigin {
    /// When its project was created, in milliseconds since 1970.
    created: i64,
    /// The branch with the manifests.
    branch: String,
}

/// The configuration repository that holds a manifest, and where the manifest was last verified in
/// it. It is kept beside the state, so that a refresh needs no look-up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ManifestLocation {
    /// The number of the configuration repository's project.
    pub(crate) project: u64,
    /// An older version did not store it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Created>,
    /// `None` for a manifest of a product; an older version did not store it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<TenantOrigin>,
    #[serde(flatten)]
    pub(crate) verified: VerifiedAt,
}

impl ManifestLocation {
    /// Loads the location from private state; `None` after an import.
    pub(crate) fn load(private: &PrivateState) -> Option<Self> {
        private.get(KEY)
    }

    /// Stores the location in private state.
    pub(crate) fn store(&self, private: &mut PrivateState) -> Result<(), Diagnostics> {
        private
            .set(KEY, self)
            .map_err(|error| Diagnostic::bug(error).into())
    }
}

impl TenantOrigin {
    fn new(tenant: &Repository) -> Option<Self> {
        Some(Self {
            created: to_milliseconds(tenant.created_at()?)?,
            branch: tenant.branch().to_owned(),
        })
    }
}

/// The configuration repository in which the manifests of a kind live.
pub(crate) struct Home<'a> {
    client: &'a Client,
    layout: layout::Repository,
    /// Where the manifest was last verified, if it was.
    location: Option<ManifestLocation>,
    /// Whether a state has the manifest.
    is_in_state: bool,
    /// The instance in the state for which changes are made.
    claim: Option<Claim>,
}

/// What reading a manifest found.
pub(crate) enum Found {
    /// Nothing has changed since it was last verified.
    Unchanged,
    /// There is no such manifest, or no such repository.
    Absent,
    /// There is one.
    Present(Box<Present>, ManifestLocation),
}

/// A manifest that was saved.
pub(crate) struct Saved {
    pub(crate) location: ManifestLocation,
    /// Whether it was created over an equal one that was there before.
    pub(crate) took_over: bool,
    /// The path of the manifest.
    pub(crate) path: String,
    /// The repository after that.
    pub(crate) snapshot: Arc<Snapshot>,
}

impl<'a> Home<'a> {
    /// The configuration repository of a product.
    pub(crate) fn product(client: &'a Client, product: ProductId) -> Self {
        Self {
            client,
            layout: layout::Repository::Product(product),
            location: None,
            is_in_state: false,
            claim: None,
        }
    }

    /// The configuration repository of the tenant.
    pub(crate) fn tenant(client: &'a Client) -> Self {
        Self {
            client,
            layout: layout::Repository::Tenant,
            location: None,
            is_in_state: false,
            claim: None,
        }
    }

    /// Continues from where the manifest in a state was last verified.
    pub(crate) fn at(self, location: Option<ManifestLocation>) -> Self {
        Self {
            location,
            is_in_state: true,
            ..self
        }
    }

    /// Makes changes for an instance in the state.
    pub(crate) fn with_claim(self, claim: Option<Claim>) -> Self {
        Self { claim, ..self }
    }

    /// The manifest of an entity, as a target of a request.
    pub(crate) fn target(&self, key: EntityKey) -> Target {
        Target::Manifest(self.layout, key)
    }

    /// Begins a request that may write the manifest of an entity.
    pub(crate) fn begin(&self, key: EntityKey) -> Request {
        self.client.wait_graph().begin([self.target(key)])
    }

    /// Reads a manifest.
    pub(crate) async fn read(&self, key: &EntityKey, attempt: &str) -> Result<Found, Diagnostics> {
        let project = self.current_project().await?;
        let read = |repository: Repository| async move {
            let project = repository.project();
            let location = self.location.as_ref();
            let location = location.filter(|location| location.project == project);
            let verified = location.map(|location| &location.verified);
            if self.lacks_branch(&repository).await? {
                // The product shows it as drift, and its update brings the branch back.
                return Ok((Reading::Unchanged, project));
            }
            Ok((repository.read(key, verified).await?, project))
        };
        Ok(match self.with_repository(project, attempt, read).await? {
            Some((Reading::Unchanged, _)) => Found::Unchanged,
            Some((Reading::Absent, _)) => {
                self.require_right_branch(key, attempt)?;
                Found::Absent
            }
            None => Found::Absent,
            Some((Reading::Present(present), project)) => {
                let location = self.location_in(project, present.verified.clone()).await?;
                Found::Present(present, location)
            }
        })
    }

    /// Saves a manifest.
    pub(crate) async fn put(
        &self,
        request: &Request,
        entity: &Entity,
        mode: PutMode,
        validation: Validation,
        attempt: &str,
    ) -> Result<Saved, Diagnostics> {
        let project = self.project_to_write().await?;
        self.require_branch(project, attempt).await?;
        let key = entity.key();
        let _waiting = request.waiting_for(format!("the commit of the {key}"));
        let put = |repository: Repository| {
            let (entity, mode) = (entity.clone(), mode.clone());
            async move {
                let project = repository.project();
                let written = repository.put(request, entity, mode, validation).await?;
                Ok((written, project))
            }
        };
        let Some((written, project)) = self.with_repository(project, attempt, put).await? else {
            return Err(self.gone(attempt));
        };
        let path = written.snapshot.tree().find(&key);
        let (Some((path, _)), Some(verified)) = (path, written.verified) else {
            let defect = format!("{key} was saved and is not there");
            return Err(Diagnostic::bug(defect).into());
        };
        Ok(Saved {
            location: self.location_in(project, verified).await?,
            took_over: written.took_over,
            path: path.to_owned(),
            snapshot: Arc::clone(&written.snapshot),
        })
    }

    /// Validates the creation of a manifest without making it.
    pub(crate) async fn dry_run(
        &self,
        request: &Request,
        entity: &Entity,
        mode: &PutMode,
        validation: Validation,
        attempt: &str,
    ) -> Result<Arc<Snapshot>, Diagnostics> {
        let project = self.project_to_write().await?;
        self.require_branch(project, attempt).await?;
        let key = entity.key();
        let _waiting = request.waiting_for(format!("the validation of the {key}"));
        let dry_run = |repository: Repository| {
            let (entity, mode) = (entity.clone(), mode.clone());
            async move { repository.dry_run(request, entity, mode, validation).await }
        };
        let snapshot = self.with_repository(project, attempt, dry_run).await?;
        snapshot.ok_or_else(|| self.gone(attempt))
    }

    /// Refuses a manifest that exists already and differs, by what was read of the repository before.
    pub(crate) fn require_equal(
        &self,
        snapshot: &Snapshot,
        entity: &Entity,
        attempt: &str,
    ) -> Result<(), Diagnostics> {
        let key = entity.key();
        let found = snapshot.tree().find(&key);
        let differences = found.map(|(_, manifest)| manifest.differences(entity));
        match differences {
            Some(differences) if !differences.is_empty() => {
                Err(self.explain(attempt, &Error::Exists { key, differences }))
            }
            _ => Ok(()),
        }
    }

    /// Whether a folder of the repository has files.
    pub(crate) async fn has_folder(
        &self,
        folder: &str,
        attempt: &str,
    ) -> Result<bool, Diagnostics> {
        let project = self.current_project().await?;
        let look = |repository: Repository| async move { repository.has_folder(folder).await };
        let found = self.with_repository(project, attempt, look).await?;
        Ok(found.unwrap_or(false))
    }

    /// Checks that a manifest may be deleted, before anything else of its entity goes.
    pub(crate) async fn check_deletion(
        &self,
        request: &Request,
        key: &EntityKey,
        validation: Validation,
        attempt: &str,
    ) -> Result<(), Diagnostics> {
        let (project, others) = self.find_for_deletion(key, attempt).await?;
        let _waiting = request.waiting_for(format!("the validation without the {key}"));
        let check = |repository: Repository| {
            let repository = repository.beside(others.clone());
            async move { repository.dry_run_deletion(request, key, validation).await }
        };
        self.with_repository(project, attempt, check)
            .await
            .map(drop)
    }

    /// Deletes a manifest, and returns the repository after that; `None` if the repository is gone.
    pub(crate) async fn delete(
        &self,
        request: &Request,
        key: &EntityKey,
        validation: Validation,
        attempt: &str,
    ) -> Result<Option<Arc<Snapshot>>, Diagnostics> {
        let (project, others) = self.find_for_deletion(key, attempt).await?;
        let _waiting = request.waiting_for(format!("the commit that removes the {key}"));
        let delete = |repository: Repository| {
            let repository = repository.beside(others.clone());
            async move { repository.delete(request, key, validation).await }
        };
        let deleted = self.with_repository(project, attempt, delete).await?;
        Ok(deleted.map(|written| written.snapshot))
    }

    /// Returns the whole repository as this process knows it; `None` if it is gone.
    pub(crate) async fn snapshot(
        &self,
        attempt: &str,
    ) -> Result<Option<Arc<Snapshot>>, Diagnostics> {
        let project = self.current_project().await?;
        let read = |repository: Repository| async move { repository.snapshot().await };
        self.with_repository(project, attempt, read).await
    }

    /// Whether the branch of the manifests is missing in a repository that is not empty: it was
    /// deleted by hand, after another one was made the default branch.
    async fn lacks_branch(&self, repository: &Repository) -> Result<bool, Error> {
        match self.other_branch() {
            Some(_) => repository.lacks_branch().await,
            None => Ok(false),
        }
    }

    /// Fails if the branch of the manifests was deleted by hand.
    async fn require_branch(&self, project: Option<u64>, attempt: &str) -> Result<(), Diagnostics> {
        let Some((path, found)) = self.other_branch() else {
            return Ok(());
        };
        let lacks = |repository: Repository| async move { self.lacks_branch(&repository).await };
        if self.with_repository(project, attempt, lacks).await? != Some(true) {
            return Ok(());
        }
        let branch = &self.client.settings().commit.branch;
        let detail = format!(
            "The GitLab project {path} has no branch {branch}, which holds the manifests; its default branch is {found}. Apply the nautes_product, which brings the branch back, or set the provider argument commit.branch."
        );
        Err(Diagnostic::error(
            format!("Cannot {attempt}: the branch {branch} is missing"),
            detail,
        )
        .into())
    }

    /// Refuses to take a manifest for gone that the branch of the manifests does not have, where the
    /// repository has another default branch: the provider may be configured with a wrong one.
    fn require_right_branch(&self, key: &EntityKey, attempt: &str) -> Result<(), Diagnostics> {
        if let Some(known) = self.former_branch() {
            return Err(self.other_tenant_branch(attempt, known));
        }
        let Some((path, found)) = self.other_branch() else {
            return Ok(());
        };
        let branch = &self.client.settings().commit.branch;
        let detail = format!(
            "The branch {branch} of the GitLab project {path} does not have it, and the default branch of that project is {found}. Nothing was changed, and the state is kept. Set the provider argument commit.branch to the branch that holds the manifests. If it is {branch}, make that the default branch again; then what it does not have counts as gone."
        );
        let summary = format!("Cannot {attempt}: the {key} may be in another branch");
        Err(Diagnostic::error(summary, detail).into())
    }

    /// The branch of the tenant's repository in which the manifest was verified, if the configuration names another one.
    fn former_branch(&self) -> Option<&str> {
        let known = self.location.as_ref()?.tenant.as_ref()?.branch.as_str();
        let configured = self.client.settings().tenant_repository.as_ref()?;
        (configured.branch != known).then_some(known)
    }

    fn other_tenant_branch(&self, attempt: &str, known: &str) -> Diagnostics {
        let settings = self.client.settings();
        let configured = settings.tenant_repository.as_ref();
        let configured = configured.map_or("", |configured| configured.branch.as_str());
        let detail = format!(
            "The manifest is in the branch {known} of the tenant's repository, and the branch {configured} does not have it. Nothing was changed, and the state is kept. Set the provider argument tenant_repository.branch to {known}; or, if the manifests are to move, bring those of {known} into {configured} first."
        );
        let summary = format!("Cannot {attempt}: it may be in another branch");
        Diagnostic::error(summary, detail).into()
    }

    /// Refuses another tenant's repository than the one that holds the manifest of a state.
    fn check_tenant(&self, tenant: &Repository) -> Result<(), Diagnostics> {
        let Some(location) = &self.location else {
            return Ok(());
        };
        let found = TenantOrigin::new(tenant);
        let created = |origin: &Option<TenantOrigin>| origin.as_ref().map(|it| it.created);
        let is_same = match (created(&location.tenant), created(&found)) {
            (Some(expected), Some(found)) => expected == found,
            _ => true,
        };
        if location.project == tenant.project() && is_same {
            return Ok(());
        }
        let at = |created: Option<i64>| {
            let created = created.map(from_milliseconds);
            created.map_or_else(String::new, |created| format!(", created at {created}"))
        };
        let settings = self.client.settings();
        let configured = settings.tenant_repository.as_ref();
        let detail = format!(
            "The manifest is in the GitLab project with the number {}{}, and {} is the one with the number {}{}. Nothing was changed, and the state is kept. Correct the provider argument tenant_repository.project, or gitlab.url. If the manifests were moved to that project for good, take the cluster out of the state (terraform state rm <address>) and import it.",
            location.project,
            at(created(&location.tenant)),
            configured.map_or("", |configured| configured.project.as_str()),
            tenant.project(),
            at(created(&found)),
        );
        let summary = "The tenant's repository is another one than that of the state";
        Err(Diagnostic::error(summary, detail).into())
    }

    /// The path of the repository and its default branch, if that is another one than that of the
    /// manifests, as far as this process knows.
    fn other_branch(&self) -> Option<(String, String)> {
        let products = self.client.products().ok()?;
        let product = products.cached(self.layout.product()?)?;
        let project = product
            .config_project
            .as_ref()
            .filter(|project| !project.empty_repo)?;
        let found = project.default_branch.as_ref()?;
        let is_other = *found != self.client.settings().commit.branch;
        is_other.then(|| (project.path_with_namespace.clone(), found.clone()))
    }

    /// The warning about what refers to an entity that a plan replaces, as far as GitLab answers.
    pub(crate) async fn planned_replacement_warning(
        &self,
        key: &EntityKey,
    ) -> Option<(String, String)> {
        referrers_warning(&*self.planning_snapshot().await?, key)
    }

    /// Refuses to plan an adoption whose manifest exists already and differs, as far as GitLab answers.
    pub(crate) async fn check_planned_adoption(
        &self,
        entity: &Entity,
        attempt: &str,
    ) -> Result<(), Diagnostics> {
        match self.planning_snapshot().await {
            Some(snapshot) => self.require_equal(&snapshot, entity, attempt),
            None => Ok(()),
        }
    }

    /// Returns the whole repository for what a plan can do without, as far as GitLab answers.
    async fn planning_snapshot(&self) -> Option<Arc<Snapshot>> {
        let read = async {
            let project = self.current_project().await.ok()??;
            let repository = self.repository(project).await.ok()?;
            repository.cheap_snapshot().await.ok()?
        };
        self.client.ask(read).await?
    }

    async fn location_in(
        &self,
        project: u64,
        verified: VerifiedAt,
    ) -> Result<ManifestLocation, Diagnostics> {
        let products = self.client.products().ok().zip(self.layout.product());
        let product = products.and_then(|(products, id)| products.cached(id));
        let created = product.and_then(|product| {
            let found = product.config_project.as_ref()?;
            (found.id == project).then_some(())?;
            let group = to_milliseconds(&product.group.created_at)?;
            Some(Created(group, to_milliseconds(&found.created_at)?))
        });
        let kept = self
            .location
            .as_ref()
            .filter(|kept| kept.project == project);
        let tenant = match self.layout {
            layout::Repository::Tenant => self.tenant_repository().await?,
            layout::Repository::Product(_) => None,
        };
        Ok(ManifestLocation {
            project,
            created: created.or_else(|| kept?.created),
            tenant: tenant.as_ref().and_then(TenantOrigin::new),
            verified,
        })
    }

    /// The number of the repository's project for a write. One call tells whether the one in which
    /// the manifest was verified still is the product's; otherwise the product is looked up.
    async fn project_to_write(&self) -> Result<Option<u64>, Diagnostics> {
        if self.layout == layout::Repository::Tenant {
            let repositories = self.client.config_repositories()?;
            let tenant = repositories.ensure_tenant().await;
            let tenant = tenant.context("use the tenant's repository")?;
            let tenant = tenant.ok_or_else(not_configured)?;
            self.check_tenant(&tenant)?;
            if let Some(known) = self.former_branch() {
                return Err(self.other_tenant_branch("write the manifest", known));
            }
            return Ok(Some(tenant.project()));
        }
        let located = self.location.as_ref().zip(self.layout.product());
        if let Some((location, product)) = located
            && let Some(Created(_, created_at)) = location.created
        {
            let (products, project) = (self.client.products()?, location.project);
            let confirmed = products.confirm_config_project(product, project, created_at);
            if confirmed.await? {
                return Ok(Some(project));
            }
        }
        self.current_project().await
    }

    /// Finds the repository of a manifest that is to be deleted, and those whose manifests may refer to it.
    async fn find_for_deletion(
        &self,
        key: &EntityKey,
        attempt: &str,
    ) -> Result<(Option<u64>, Vec<Repository>), Diagnostics> {
        let project = self.current_project().await?;
        let others = match self.layout {
            layout::Repository::Tenant => self.client.config_repositories()?.products(),
            layout::Repository::Product(_) => Vec::new(),
        };
        if (self.other_branch().is_some() || self.former_branch().is_some())
            && let Some(snapshot) = Box::pin(self.snapshot(attempt)).await?
            && snapshot.get(key).is_none()
        {
            self.require_right_branch(key, attempt)?;
        }
        Ok((project, others))
    }

    /// The number of the repository's project, after the product was looked up: what is marked for
    /// deletion still answers. `None` if it is gone. Refuses another product with the same number.
    pub(crate) async fn current_project(&self) -> Result<Option<u64>, Diagnostics> {
        match self.layout {
            layout::Repository::Product(id) => {
                let products = self.client.products()?;
                let Some(product) = products.get(id).await? else {
                    Box::pin(self.check_gone(id)).await?;
                    return Ok(None);
                };
                let (found, created_at) = (&product.group.full_path, &product.group.created_at);
                self.check_group(id, format!("the group {found}"), created_at)?;
                if let (None, Some(location)) = (&product.config_project, &self.location) {
                    Box::pin(products.check_not_renamed(id, location.project)).await?;
                }
                Ok(product.config_project.as_ref().map(|project| project.id))
            }
            layout::Repository::Tenant => {
                let tenant = self.tenant_repository().await?;
                if let Some(tenant) = &tenant {
                    self.check_tenant(tenant)?;
                }
                Ok(tenant.map(|tenant| tenant.project()))
            }
        }
    }

    /// Refuses another product with the number of that of a manifest in a state.
    fn check_group(
        &self,
        id: ProductId,
        found: String,
        found_created_at: &str,
    ) -> Result<(), Diagnostics> {
        let created = self.location.as_ref().and_then(|kept| kept.created);
        let created_at = created.map(|Created(group, _)| from_milliseconds(group));
        let sameness = Sameness {
            expected: format!("the product {id}"),
            found,
            created_at: &created_at.into(),
            found_created_at,
        };
        sameness.check()
    }

    /// Checks that the product of a manifest in a state is gone from this GitLab, and was not on another
    /// one.
    async fn check_gone(&self, id: ProductId) -> Result<(), Diagnostics> {
        if !self.is_in_state {
            return Ok(());
        }
        let products = self.client.products()?;
        let is_known = self
            .location
            .as_ref()
            .is_some_and(|kept| kept.created.is_some());
        match products.marked_group_created_at(id) {
            Some(created_at) if is_known => {
                let found = "a group that is marked for deletion".to_owned();
                self.check_group(id, found, &created_at)
            }
            _ => products.require_gone_here(id).await,
        }
    }

    /// Works in the repository; `None` if it is gone.
    async fn with_repository<T, F>(
        &self,
        project: Option<u64>,
        attempt: &str,
        work: impl Fn(Repository) -> F + Send,
    ) -> Result<Option<T>, Diagnostics>
    where
        F: Future<Output = Result<T, Error>> + Send,
    {
        let Some(project) = project else {
            return Ok(None);
        };
        let repository = async |project| {
            let repository: Repository = self.repository(project).await?;
            Ok::<_, Diagnostics>(repository.with_claim(self.claim.clone()))
        };
        let mut done = work(repository(project).await?).await;
        if let (Err(error), layout::Repository::Product(product)) = (&done, self.layout)
            && is_not_found(error)
        {
            // It may have been made anew under another number.
            self.client.products()?.forget(product);
            let Some(project) = self.current_project().await? else {
                return Ok(None);
            };
            done = work(repository(project).await?).await;
        }
        match done {
            Ok(done) => Ok(Some(done)),
            Err(error) => Err(self.explain(attempt, &error)),
        }
    }

    async fn repository(&self, project: u64) -> Result<Repository, Diagnostics> {
        match self.layout {
            layout::Repository::Product(product) => {
                let repositories = self.client.config_repositories()?;
                Ok(repositories.product(product, project))
            }
            layout::Repository::Tenant => {
                let tenant = self.tenant_repository().await?;
                tenant.ok_or_else(|| self.gone("use the tenant's repository"))
            }
        }
    }

    /// The tenant's repository; `None` if it is yet to be created. One that held the manifest and is gone, or
    /// hidden from the token, is an error.
    async fn tenant_repository(&self) -> Result<Option<Repository>, Diagnostics> {
        let tenant = self.client.config_repositories()?.tenant().await;
        let tenant = tenant.context("use the tenant's repository")?;
        let Some(configured) = &self.client.settings().tenant_repository else {
            return Err(not_configured().into());
        };
        if tenant.is_none() && self.location.is_some() {
            let detail = format!(
                "GitLab shows this token no project {}, which held the manifest. It was deleted, moved, or is hidden: the owner of the token must be a member of it. The state is kept. If it is gone for good, take the cluster out of the state (terraform state rm) and import or create it again.",
                configured.project
            );
            return Err(
                Diagnostic::error("The tenant's repository cannot be found", detail).into(),
            );
        }
        Ok(tenant)
    }

    /// Explains a failure, with the product's name where this process knows it.
    fn explain(&self, attempt: &str, error: &Error) -> Diagnostics {
        let products = self.client.products().ok();
        let product = products.zip(self.layout.product());
        let product = product.and_then(|(products, id)| products.cached(id));
        let name = product.as_ref().map(|product| product.group.path.as_str());
        config_repo_error(attempt, error, name)
    }

    fn gone(&self, attempt: &str) -> Diagnostics {
        let of = match self.layout {
            layout::Repository::Product(product) => format!("The product {product}"),
            layout::Repository::Tenant => "The tenant".to_owned(),
        };
        let detail = format!(
            "{of}, or its configuration repository, does not exist any more. Plan again to create what is missing."
        );
        Diagnostic::error(format!("Cannot {attempt}"), detail).into()
    }
}

fn not_configured() -> Diagnostic {
    Diagnostic::error(
        "The tenant's repository is not configured",
        "The provider argument tenant_repository.project is missing. Set it in the provider block, or set the environment variable NAUTES_TENANT_REPOSITORY_PROJECT.",
    )
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::GitLab(error) if *error.kind() == Kind::NotFound)
}

/// Returns the warning about an equal manifest that a creation has taken over.
pub(crate) fn took_over_warning(key: &EntityKey) -> (String, String) {
    (
        format!("The {key} existed already and is managed here from now on"),
        format!(
            "Its manifest was there, as it is configured here. If another resource or another state manages it too, its destroy deletes this one's {}: take it out there (terraform state rm <address>).",
            key.kind.noun()
        ),
    )
}

/// Describes what is wrong with a manifest that no attribute shows.
pub(crate) fn drift_of(present: &Present) -> Vec<String> {
    present.drift.iter().map(ToString::to_string).collect()
}

/// Returns the warning about the entities that refer to one that is replaced: Terraform destroys it
/// before it updates them. `None` if there are none.
pub(crate) fn referrers_warning(snapshot: &Snapshot, key: &EntityKey) -> Option<(String, String)> {
    let entities = snapshot.tree().entities();
    let referrers: Vec<String> = entities
        .filter(|entity| references(entity).iter().any(|other| other.target == *key))
        .map(named)
        .collect();
    if referrers.is_empty() {
        return None;
    }
    let replaced = snapshot
        .get(key)
        .map_or_else(|| format!("the {key}"), named);
    let detail = format!(
        "It is still named by {}. Until it exists again, these refer to nothing.",
        referrers.join(", ")
    );
    let summary = format!("{replaced} is used while it is replaced");
    Some((summary.replacen("the ", "The ", 1), detail))
}

/// Describes an entity by the name that the user gave it.
fn named(entity: &Entity) -> String {
    match entity {
        Entity::CodeRepo(repo) => format!("the code repository {} ({})", repo.repo_name, repo.id),
        other => format!("the {}", other.key()),
    }
}
