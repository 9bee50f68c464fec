//! One rule after the other, broken in a product that is sound.

mod alone;
mod cluster;
mod explain;
mod place;
mod reference;
mod sharing;

use nautes_model::EntityKey;
use nautes_model::entity::Entity;
use nautes_model::validation::{FieldPath, Problem, Rule, problems};

/// The rule that a field names what does not exist.
fn missing(field: FieldPath, target: EntityKey) -> Rule {
    Rule::Missing { field, target }
}

/// The only thing that is wrong with an entity by itself.
fn problem_of(entity: impl Into<Entity>) -> (String, Problem) {
    let found: Vec<_> = problems(&entity.into(), None).into_iter().collect();
    let [(field, problem)] = <[_; 1]>::try_from(found).expect("there is one problem");
    (field.to_string(), problem)
}
