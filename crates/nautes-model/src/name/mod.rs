//! What names users may give.
//!
//! The lengths leave room for what is derived from a name, with the id of a product whose group
//! number has ten digits. Sources: GitLab `lib/gitlab/path_regex.rb`; Nautes
//! `api/kubernetes/v1alpha1/*_types.go` and `coderepo_webhook.go`; the names that Nautes and this
//! provider derive.

mod form;
mod reserved;

use std::fmt;

use form::Form;

use crate::id::{ProductId, looks_like_id};
use crate::kind::Kind;

/// The rule for the names of one kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameRule {
    /// A product at the top level of GitLab.
    Product,
    /// A product below a parent group, where fewer names are reserved.
    ProductInParentGroup,
    /// A code repository.
    CodeRepo,
    /// An environment.
    Environment,
    /// A project.
    Project,
    /// A binding of a code repository.
    CodeRepoBinding,
    /// A pipeline runtime.
    PipelineRuntime,
    /// A deployment runtime.
    DeploymentRuntime,
    /// A cluster.
    Cluster,
    /// A namespace that a runtime uses.
    Namespace,
    /// A machine account of a runtime.
    Account,
    /// An event source of a pipeline runtime.
    EventSource,
    /// A pipeline of a pipeline runtime.
    Pipeline,
}

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameProblem {
    /// It has characters that are not allowed, or allowed ones in the wrong place.
    Form,
    /// It is too long.
    TooLong,
    /// It reads as an id.
    LooksLikeId,
    /// It means something else.
    Reserved,
}

/// A name is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub struct NameError {
    /// The refused name.
    pub name: String,
    /// The rule that it breaks.
    pub rule: NameRule,
    /// How it breaks it.
    pub problem: NameProblem,
}

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            rule,
            problem,
        } = self;
        write!(
            formatter,
            "`{name}` cannot be the name of {}: ",
            rule.noun()
        )?;
        match problem {
            NameProblem::Form => write!(formatter, "{}", rule.form().description())?,
            NameProblem::TooLong => write!(formatter, "it has {} characters", name.len())?,
            NameProblem::LooksLikeId => {
                write!(
                    formatter,
                    "it reads as an id, such as `product-12` or `repo-12`"
                )?;
            }
            NameProblem::Reserved => write!(formatter, "it is reserved")?,
        }
        write!(
            formatter,
            "; at most {} characters are allowed",
            rule.longest()
        )
    }
}

/// The longest id of a product that lengths leave room for.
const PRODUCT_ID: usize = ProductId::PREFIX.len() + 10;

/// The longest name of most Kubernetes objects, and the longest value of a label.
const LABEL: usize = 63;

/// The longest name of a file.
const FILE: usize = 255;

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

    /// Returns the rule for the entities of a kind.
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Cluster => Self::Cluster,
            Kind::Product => Self::Product,
            Kind::Environment => Self::Environment,
            Kind::Project => Self::Project,
            Kind::CodeRepo => Self::CodeRepo,
            Kind::CodeRepoBinding => Self::CodeRepoBinding,
            Kind::PipelineRuntime => Self::PipelineRuntime,
            Kind::DeploymentRuntime => Self::DeploymentRuntime,
        }
    }

    /// Checks a name.
    pub fn check(self, name: &str) -> Result<(), NameError> {
        let problem = if !self.form().admits(name) {
            NameProblem::Form
        } else if name.len() > self.longest() {
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

    /// Returns the longest name, in characters.
    pub const fn longest(self) -> usize {
        match self {
            // GitLab's limit for a path.
            Self::Product | Self::ProductInParentGroup | Self::CodeRepo => 255,
            Self::Environment | Self::Project | Self::CodeRepoBinding => FILE - ".yaml".len(),
            Self::PipelineRuntime => LABEL - PRODUCT_ID - "--gitlab-eventsource-svc".len(),
            Self::DeploymentRuntime => LABEL - PRODUCT_ID - "-".len(),
            Self::Cluster => LABEL - "-vcluster-initial".len(),
            Self::Namespace | Self::Account | Self::EventSource | Self::Pipeline => LABEL,
        }
    }

    /// Returns the rule in one sentence, for documentation.
    pub fn description(self) -> String {
        let mut rule = format!(
            "{}; at most {} characters; not of the form of an id (`product-12`, `repo-12`)",
            self.form().description(),
            self.longest()
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

/// Returns the namespace that a runtime uses when it names none: `<product>-<runtime>`.
///
/// The name of a product may have characters that a namespace may not, and both together may be
/// too long; the user then has to name a namespace.
pub fn default_namespace(product: &str, runtime: &str) -> Result<String, NameError> {
    let namespace = format!("{product}-{runtime}");
    NameRule::Namespace.check(&namespace)?;
    Ok(namespace)
}

#[cfg(test)]
mod tests;
