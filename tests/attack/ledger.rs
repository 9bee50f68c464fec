//! Who has made or taken over which object.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use terraform_plugin::value::Value;

use crate::configuration::{Address, Kind};
use crate::core::State;

/// An object on the main GitLab that a resource can hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Group(u64),
    Project(u64),
    Entity {
        product: u64,
        kind: Kind,
        name: String,
    },
}

impl Display for Object {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(number) => write!(formatter, "group {number}"),
            Self::Project(number) => write!(formatter, "project {number}"),
            Self::Entity {
                product,
                kind,
                name,
            } => write!(
                formatter,
                "{} {name} of product-{product}",
                kind.type_name()
            ),
        }
    }
}

impl Object {
    /// Returns the object that a stored value is about.
    pub(crate) fn from_value(kind: Kind, value: &Value) -> Option<Self> {
        match kind {
            Kind::Product => number(value, "group_id").map(Self::Group),
            Kind::CodeRepo => number(value, "project_id").map(Self::Project),
            Kind::Environment | Kind::Project | Kind::Binding => {
                let (product, name) = value.attribute("id").as_str()?.split_once('/')?;
                Some(Self::Entity {
                    product: product.strip_prefix("product-")?.parse().ok()?,
                    kind,
                    name: name.to_owned(),
                })
            }
        }
    }
}

fn number(value: &Value, attribute: &str) -> Option<u64> {
    match value.attribute(attribute) {
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

/// A workspace's instance.
pub(crate) type Holder = (usize, Address);

/// The record of who has held what.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    holders: BTreeMap<Object, BTreeSet<Holder>>,
}

impl Ledger {
    /// Records what a workspace's state holds.
    pub(crate) fn record(&mut self, workspace: usize, state: &State) {
        for (address, _, stored) in state.objects() {
            if let Some(object) = Object::from_value(address.kind, &stored.value) {
                self.add(object, (workspace, address));
            }
        }
    }

    /// Records that an instance has made or taken over an object.
    pub(crate) fn add(&mut self, object: Object, holder: Holder) {
        self.holders.entry(object).or_default().insert(holder);
    }

    /// Whether an instance has held an object at any time.
    pub(crate) fn has_held(&self, object: &Object, holder: Holder) -> bool {
        self.holders
            .get(object)
            .is_some_and(|holders| holders.contains(&holder))
    }
}
