//! The graph of an apply: what is done after what.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use super::plan::{Action, Plan, Planned};
use crate::configuration::{Address, Configuration, dependencies};

/// A step of an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Creates or updates an instance.
    Write(Address),
    /// Destroys the current object of an instance.
    Destroy(Address),
    /// Destroys an object that was deposed, before or in this apply.
    DestroyDeposed(Address, String),
}

impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(address) | Self::Destroy(address) => address.fmt(formatter),
            Self::DestroyDeposed(address, key) => write!(formatter, "{address} (deposed {key})"),
        }
    }
}

/// The steps, each with the positions of those that must come first.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) after: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// Returns the graph of a plan, or `None` if it has a cycle.
    pub(super) fn new(plan: &Plan, configuration: &Configuration) -> Option<Self> {
        let mut graph = Self::default();
        for planned in &plan.changes {
            graph.nodes.extend(nodes(planned, plan));
        }
        graph.after = (0..graph.nodes.len())
            .map(|this| {
                (0..graph.nodes.len())
                    .filter(|other| {
                        *other != this && graph.precedes(*other, this, plan, configuration)
                    })
                    .collect()
            })
            .collect();
        graph.is_acyclic().then_some(graph)
    }

    fn precedes(
        &self,
        first: usize,
        then: usize,
        plan: &Plan,
        configuration: &Configuration,
    ) -> bool {
        let (Some(first), Some(then)) = (self.nodes.get(first), self.nodes.get(then)) else {
            return false;
        };
        let depends = |this: Address, on: Address| {
            let stored = plan.refreshed.current.get(&this);
            dependencies(configuration, this).contains(&on)
                || stored.is_some_and(|stored| stored.dependencies.contains(&on))
        };
        let depended = |this: Address, on: Address| {
            let stored = plan.refreshed.current.get(&this);
            stored.is_some_and(|stored| stored.dependencies.contains(&on))
        };
        match (first, then) {
            // What a block refers to is written first.
            (Node::Write(first), Node::Write(then)) => {
                dependencies(configuration, *then).contains(first)
            }
            // A replaced object is destroyed first, and so is what a block depended on.
            (Node::Destroy(first), Node::Write(then)) => first == then || depended(*then, *first),
            (
                Node::Destroy(first) | Node::DestroyDeposed(first, _),
                Node::Destroy(then) | Node::DestroyDeposed(then, _),
            ) => first != then && depended(*first, *then),
            // A deposed object goes after what takes its place, and after what used it has moved on.
            (Node::Write(first), Node::DestroyDeposed(then, key)) => {
                let is_new = !plan.refreshed.deposed.contains_key(&(*then, key.clone()));
                is_new && (first == then || depends(*first, *then))
            }
            _ => false,
        }
    }

    fn is_acyclic(&self) -> bool {
        let mut done = BTreeSet::new();
        loop {
            let ready: Vec<usize> = (0..self.nodes.len())
                .filter(|node| !done.contains(node))
                .filter(|node| {
                    self.after
                        .get(*node)
                        .is_some_and(|after| after.is_subset(&done))
                })
                .collect();
            if ready.is_empty() {
                return done.len() == self.nodes.len();
            }
            done.extend(ready);
        }
    }
}

fn nodes(planned: &Planned, plan: &Plan) -> Vec<Node> {
    let address = planned.address;
    match (planned.action, &planned.deposed) {
        (Action::NoOp, _) => Vec::new(),
        (Action::Create | Action::Update, _) => vec![Node::Write(address)],
        (_, Some(key)) => vec![Node::DestroyDeposed(address, key.clone())],
        (Action::Delete, None) => vec![Node::Destroy(address)],
        (Action::Replace { creates_first }, None) if creates_first => vec![
            Node::Write(address),
            Node::DestroyDeposed(address, plan.refreshed.free_key(address)),
        ],
        (Action::Replace { .. }, None) => vec![Node::Destroy(address), Node::Write(address)],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;
    use terraform_plugin::value::Value;

    use super::super::state::Stored;
    use super::*;
    use crate::configuration::{Argument, Block, Kind};

    const PRODUCT: Address = Address::new(Kind::Product, 0);
    const PROJECT: Address = Address::new(Kind::Project, 0);

    fn configuration() -> Configuration {
        let product = Block {
            address: PRODUCT,
            arguments: BTreeMap::new(),
            create_before_destroy: false,
        };
        let project = Block {
            address: PROJECT,
            arguments: [("product".to_owned(), Argument::Id(PRODUCT))].into(),
            create_before_destroy: false,
        };
        [(PRODUCT, product), (PROJECT, project)].into()
    }

    fn stored(dependencies: &[Address]) -> Stored {
        Stored {
            value: Value::Null,
            private: Bytes::new(),
            identity: None,
            is_tainted: false,
            dependencies: dependencies.iter().copied().collect(),
            create_before_destroy: false,
        }
    }

    /// The order in which the steps of a plan are carried out, where only one order is possible.
    fn order(of_product: Action, of_project: Action) -> Option<Vec<Node>> {
        let mut plan = Plan::default();
        let current = &mut plan.refreshed.current;
        current.insert(PRODUCT, stored(&[]));
        current.insert(PROJECT, stored(&[PRODUCT]));
        for (address, action) in [(PRODUCT, of_product), (PROJECT, of_project)] {
            plan.changes.push(Planned {
                address,
                deposed: None,
                action,
                prior: None,
                value: Value::Null,
                proposal: None,
            });
        }
        let graph = Graph::new(&plan, &configuration())?;
        let mut order: Vec<usize> = Vec::new();
        while order.len() < graph.nodes.len() {
            let mut ready = (0..graph.nodes.len()).filter(|node| {
                !order.contains(node)
                    && graph.after[*node].iter().all(|first| order.contains(first))
            });
            let next = ready.next().unwrap();
            assert_eq!(ready.next(), None, "another order is possible");
            order.push(next);
        }
        let nodes = order.into_iter().map(|node| graph.nodes[node].clone());
        Some(nodes.collect())
    }

    #[test]
    fn a_replacement_destroys_from_the_leaves_and_creates_from_the_root() {
        let replace = Action::Replace {
            creates_first: false,
        };
        let expected = [
            Node::Destroy(PROJECT),
            Node::Destroy(PRODUCT),
            Node::Write(PRODUCT),
            Node::Write(PROJECT),
        ];
        assert_eq!(order(replace, replace), Some(expected.to_vec()));
    }

    #[test]
    fn what_is_created_first_is_deposed_and_destroyed_when_nothing_uses_it_any_more() {
        let replace = Action::Replace {
            creates_first: true,
        };
        let key = "00000001".to_owned();
        let expected = [
            Node::Write(PRODUCT),
            Node::Write(PROJECT),
            Node::DestroyDeposed(PRODUCT, key),
        ];
        assert_eq!(order(replace, Action::Update), Some(expected.to_vec()));
    }

    #[test]
    fn users_of_a_deleted_object_are_updated_after_its_deletion() {
        let expected = [Node::Destroy(PRODUCT), Node::Write(PROJECT)];
        assert_eq!(
            order(Action::Delete, Action::Update),
            Some(expected.to_vec())
        );
    }
}
