//! Rules for a single entity, which can be checked at plan time.

use std::collections::BTreeSet;

use super::field::FieldPath;
use super::problem::Problem;
use crate::entity::{DeploymentRuntime, Entity, webhook_event};
use crate::name::NameRule;

/// A field and its problem.
pub(super) type Finding = (FieldPath, Problem);

/// Returns the problems of an entity that do not depend on other entities.
///
/// `tenant` is the tenant's name, which no cluster may have.
pub fn problems(entity: &Entity, tenant: Option<&str>) -> BTreeSet<(FieldPath, Problem)> {
    let mut found = BTreeSet::new();
    match entity {
        Entity::Cluster(cluster) => super::cluster::check_single(cluster, tenant, &mut found),
        Entity::Environment(environment) => {
            check_name(NameRule::Environment, &environment.name, &mut found);
        }
        Entity::Project(project) => check_name(NameRule::Project, &project.name, &mut found),
        Entity::CodeRepo(repo) => {
            check_name(NameRule::CodeRepo, &repo.repo_name, &mut found);
            for event in repo.webhook_events.iter().flatten() {
                check_event(FieldPath::new("webhook_events"), event, &mut found);
            }
        }
        Entity::CodeRepoBinding(binding) => {
            check_name(NameRule::CodeRepoBinding, &binding.name, &mut found);
        }
        Entity::PipelineRuntime(runtime) => super::pipeline::check_single(runtime, &mut found),
        Entity::DeploymentRuntime(runtime) => check_deployment_runtime(runtime, &mut found),
    }
    found
}

fn check_deployment_runtime(runtime: &DeploymentRuntime, found: &mut BTreeSet<Finding>) {
    check_name(NameRule::DeploymentRuntime, &runtime.name, found);
    let namespaces = FieldPath::new("destination").attribute("namespaces");
    for (index, namespace) in runtime.destination.namespaces.iter().enumerate() {
        check(
            NameRule::Namespace,
            namespace,
            namespaces.clone().index(index),
            found,
        );
    }
    check_account(runtime.account.as_deref(), found);
}

pub(super) fn check_account(account: Option<&str>, found: &mut BTreeSet<Finding>) {
    if let Some(account) = account.filter(|account| !account.is_empty()) {
        check(NameRule::Account, account, FieldPath::new("account"), found);
    }
}

pub(super) fn check_name(rule: NameRule, name: &str, found: &mut BTreeSet<Finding>) {
    check(rule, name, FieldPath::new("name"), found);
}

pub(super) fn check(rule: NameRule, name: &str, field: FieldPath, found: &mut BTreeSet<Finding>) {
    if let Err(error) = rule.check(name) {
        found.insert((field, error.into()));
    }
}

/// Checks that an event is known. Nautes ignores an empty event.
pub(super) fn check_event(field: FieldPath, event: &str, found: &mut BTreeSet<Finding>) {
    if !event.is_empty() && !webhook_event::is_known(event) {
        found.insert((
            field,
            Problem::UnknownEvent {
                event: event.to_owned(),
            },
        ));
    }
}
