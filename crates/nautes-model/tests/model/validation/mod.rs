//! Each rule, violated in a valid product.

mod cluster;
mod explain;
mod file;
mod reference;
mod resolution;
mod sharing;
mod single_entity;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::validation::{FieldPath, Problem, Rule, problems};

/// Returns the rule for a reference to a missing entity.
fn missing(field: FieldPath, target: EntityKey) -> Rule {
    Rule::Missing { field, target }
}

/// Returns the only problem of an entity.
fn problem_of(entity: impl Into<Entity>) -> (String, Problem) {
    let found: Vec<_> = problems(&entity.into(), None).into_iter().collect();
    let [(field, problem)] = <[_; 1]>::try_from(found).expect("there is one problem");
    (field.to_string(), problem)
}
