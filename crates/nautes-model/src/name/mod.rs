//! Rules for the names that users choose.
//!
//! The maximum lengths leave room for derived names, assuming product ids of up to ten digits.
//! Sources: GitLab `lib/gitlab/path_regex.rb`; Nautes `api/kubernetes/v1alpha1/*_types.go` and
//! `coderepo_webhook.go`; the names that Nautes and this provider derive.

mod form;
mod reserved;

use std::fmt;

use form::Form;

use crate::id::{ProductId, looks_like_id};

/// The naming rule of one kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameRule {
    /// A product at the top level of GitLab.
    Product,
    /// A product in a parent group, where GitLab reserves other names.
    ProductInParentGroup,
    /// A code repository.
    CodeRepo,
    /// An environment.
    Environment,
    /// A project.
    Project,
    /// A code repository binding.
    CodeRepoBinding,
    /// A pipeline runtime.
    PipelineRuntime,
    /// A deployment runtime.
    DeploymentRuntime,
    /// A cluster.
    Cluster,
    /// A namespace that a runtime uses.
    Namespace,
    /// A service account of a runtime.
    Account,
    /// An event source of a pipeline runtime.
    EventSource,
    /// A pipeline of a pipeline runtime.
    Pipeline,
}

/// Why a name is invalid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameProblem {
    /// It has characters that are not allowed, at all or in their position.
    Form,
    /// It is too long.
    TooLong,
    /// It has the form of an id.
    LooksLikeId,
    /// It is reserved.
    Reserved,
    /// It has separators at an end or next to each other, which GitLab refuses in new paths.
    Separators,
    /// It is too short.
    TooShort,
}

/// A name is invalid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub struct NameError {
    /// The name.
    pub name: String,
    /// The rule that it violates.
    pub rule: NameRule,
    /// How it violates the rule.
    pub problem: NameProblem,
}

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            rule,
            problem,
        } = self;
        if name.is_empty() {
            write!(formatter, "the name of {} must not be empty: ", rule.noun())?;
        } else {
            write!(
                formatter,
                "`{name}` cannot be the name of {}: ",
                rule.noun()
            )?;
        }
        match problem {
            NameProblem::Form => write!(formatter, "{}", rule.form().description())?,
            NameProblem::TooLong => write!(formatter, "it has {} characters", name.len())?,
            NameProblem::TooShort => write!(
                formatter,
                "it needs at least {MIN_GROUP_PATH_LENGTH} characters"
            )?,
            NameProblem::Separators => write!(formatter, "{}", rule.form().new_path_description())?,
            NameProblem::LooksLikeId => {
                write!(
                    formatter,
                    "it has the form of an id, such as `product-12` or `repo-12`"
                )?;
            }
            NameProblem::Reserved => write!(
                formatter,
                "it is reserved, being {}",
                reserved::reason(*rule, name)
            )?,
        }
        write!(
            formatter,
            "; at most {} characters are allowed",
            rule.max_length()
        )
    }
}

/// The longest product id that derived names leave room for.
const PRODUCT_ID_LENGTH: usize = ProductId::PREFIX.len() + 10;

/// The longest name of most Kubernetes objects, and the longest value of a label.
const LABEL_LENGTH: usize = 63;

/// The shortest path of a GitLab group.
const MIN_GROUP_PATH_LENGTH: usize = 2;

/// The longest name of a file.
const FILE_NAME_LENGTH: usize = 255;

impl NameRule {
    /// All rules.
    pub const ALL: [Self; 13] = [
        Self::Product,
        Self::ProductInParentGroup,
        Self::CodeRepo,
        Self::Environment,
        Self::Project,
        Self::CodeRepoBinding,
        Self::PipelineRuntime,
        Self::DeploymentRuntime,
        Self::Cluster,
        Self::Namespace,
        Self::Account,
        Self::EventSource,
        Self::Pipeline,
    ];

    /// Checks a name against the rule.
    pub fn check(self, name: &str) -> Result<(), NameError> {
        let problem = if !self.form().allows(name) {
            NameProblem::Form
        } else if name.len() > self.max_length() {
            NameProblem::TooLong
        } else if looks_like_id(name) {
            NameProblem::LooksLikeId
        } else if reserved::is_reserved(self, name) {
            NameProblem::Reserved
        } else {
            return Ok(());
        };
        Err(NameError {
            name: name.to_owned(),
            rule: self,
            problem,
        })
    }

    /// Checks the name of an object that is to be created or renamed.
    ///
    /// GitLab keeps paths that were created under older rules, so they are valid in references, but it refuses them
    /// in new objects.
    pub fn check_new(self, name: &str) -> Result<(), NameError> {
        self.check(name)?;
        let problem = match self.form() {
            Form::GroupPath | Form::ProjectPath if !form::has_single_separators(name) => {
                NameProblem::Separators
            }
            Form::GroupPath if name.len() < MIN_GROUP_PATH_LENGTH => NameProblem::TooShort,
            _ => return Ok(()),
        };
        Err(NameError {
            name: name.to_owned(),
            rule: self,
            problem,
        })
    }

    /// Returns the maximum length of a name, in characters.
    pub const fn max_length(self) -> usize {
        match self {
            // GitLab's limit for a path.
            Self::Product | Self::ProductInParentGroup | Self::CodeRepo => 255,
            Self::Environment | Self::Project | Self::CodeRepoBinding => {
                FILE_NAME_LENGTH - ".yaml".len()
            }
            Self::PipelineRuntime => {
                LABEL_LENGTH - PRODUCT_ID_LENGTH - "--gitlab-eventsource-svc".len()
            }
            Self::DeploymentRuntime => LABEL_LENGTH - PRODUCT_ID_LENGTH - "-".len(),
            Self::Cluster => LABEL_LENGTH - "-vcluster-initial".len(),
            Self::Namespace | Self::Account | Self::EventSource | Self::Pipeline => LABEL_LENGTH,
        }
    }

    /// Describes the rule in one sentence, for documentation.
    pub fn description(self) -> String {
        let mut rule = format!(
            "{}; at most {} characters; not of the form of an id (`product-12`, `repo-12`)",
            self.form().description(),
            self.max_length()
        );
        if let Some(reserved) = reserved::description(self) {
            rule.push_str("; not ");
            rule.push_str(reserved);
        }
        if let Some(first) = rule.get(..1).map(str::to_uppercase) {
            rule.replace_range(..1, &first);
        }
        rule.push('.');
        rule
    }

    const fn form(self) -> Form {
        match self {
            Self::Product | Self::ProductInParentGroup => Form::GroupPath,
            Self::CodeRepo => Form::ProjectPath,
            Self::Environment
            | Self::Project
            | Self::CodeRepoBinding
            | Self::EventSource
            | Self::Pipeline => Form::Subdomain,
            Self::PipelineRuntime
            | Self::DeploymentRuntime
            | Self::Cluster
            | Self::Namespace
            | Self::Account => Form::Label,
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Product | Self::ProductInParentGroup => "a product",
            Self::CodeRepo => "a code repository",
            Self::Environment => "an environment",
            Self::Project => "a project",
            Self::CodeRepoBinding => "a code repository binding",
            Self::PipelineRuntime => "a pipeline runtime",
            Self::DeploymentRuntime => "a deployment runtime",
            Self::Cluster => "a cluster",
            Self::Namespace => "a namespace",
            Self::Account => "an account",
            Self::EventSource => "an event source",
            Self::Pipeline => "a pipeline",
        }
    }
}

/// Returns the default namespace of a runtime: `<product>-<runtime>`.
///
/// Fails if the result is not a valid namespace: a product name may have characters that a
/// namespace cannot have, and the two names together may be too long. Then the user must set a
/// namespace.
pub fn default_namespace(product: &str, runtime: &str) -> Result<String, NameError> {
    let namespace = format!("{product}-{runtime}");
    NameRule::Namespace.check(&namespace)?;
    Ok(namespace)
}

#[cfg(test)]
mod tests;
