//! Configurations: resource blocks whose arguments may refer to other blocks.

pub(crate) mod hcl;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use terraform_plugin::value::{Type, Value};

/// The argument that says what a destroy does to a GitLab object: `delete`, `archive` or `abandon`.
///
/// It becomes the attribute of that meaning that the schema has.
pub(crate) const DELETION: &str = "deletion";

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Product,
    Environment,
    Project,
    CodeRepo,
    Binding,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Product,
        Self::Environment,
        Self::Project,
        Self::CodeRepo,
        Self::Binding,
    ];

    pub(crate) const fn type_name(self) -> &'static str {
        match self {
            Self::Product => "nautes_product",
            Self::Environment => "nautes_environment",
            Self::Project => "nautes_project",
            Self::CodeRepo => "nautes_code_repo",
            Self::Binding => "nautes_code_repo_binding",
        }
    }
}

/// The address of a block and of its instance: `nautes_product.b0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Address {
    pub(crate) kind: Kind,
    pub(crate) label: u8,
}

impl Address {
    pub(crate) const fn new(kind: Kind, label: u8) -> Self {
        Self { kind, label }
    }
}

impl Display for Address {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.b{}", self.kind.type_name(), self.label)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let (type_name, label) = text.split_once(".b")?;
            let kind = Kind::ALL
                .into_iter()
                .find(|kind| kind.type_name() == type_name)?;
            Some(Self::new(kind, label.parse().ok()?))
        };
        parse().ok_or_else(|| format!("{text} is not an address"))
    }
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Argument {
    Text(String),
    Flag(bool),
    /// The attribute `id` of another block.
    Id(Address),
    Set(Vec<Argument>),
    /// An object in which nothing is set.
    Empty,
}

/// A resource block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) address: Address,
    pub(crate) arguments: BTreeMap<String, Argument>,
    #[serde(default, skip_serializing_if = "crate::step::is_default")]
    pub(crate) create_before_destroy: bool,
}

/// The blocks of a configuration.
pub(crate) type Configuration = BTreeMap<Address, Block>;

impl Argument {
    fn references(&self, found: &mut BTreeSet<Address>) {
        match self {
            Self::Text(_) | Self::Flag(_) | Self::Empty => {}
            Self::Id(address) => {
                found.insert(*address);
            }
            Self::Set(elements) => elements
                .iter()
                .for_each(|element| element.references(found)),
        }
    }

    fn evaluate(&self, kind: &Type, values: &BTreeMap<Address, Value>) -> Result<Value, String> {
        Ok(match self {
            Self::Empty => match kind {
                Type::Object(attributes) => {
                    let attributes = attributes.keys().cloned();
                    Value::object(attributes.map(|name| (name, Value::Null)))
                }
                _ => Value::Null,
            },
            Self::Text(text) => Value::string(text.as_str()),
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Id(address) => match values.get(address) {
                Some(value) => value.attribute("id").clone(),
                None => return Err(format!("reference to the undeclared {address}")),
            },
            Self::Set(elements) => {
                let elements: Result<Vec<_>, _> = elements
                    .iter()
                    .map(|element| element.evaluate(&Type::String, values))
                    .collect();
                Value::set(elements?)
            }
        })
    }
}

impl Block {
    /// Returns the blocks that this one refers to.
    pub(crate) fn references(&self) -> BTreeSet<Address> {
        let mut found = BTreeSet::new();
        for argument in self.arguments.values() {
            argument.references(&mut found);
        }
        found
    }

    /// Returns the arguments by the names that a schema with these attributes has for them.
    pub(crate) fn arguments_for(
        &self,
        attributes: &BTreeSet<String>,
    ) -> BTreeMap<String, Argument> {
        let mut arguments = self.arguments.clone();
        if let Some(Argument::Text(deletion)) = arguments.remove(DELETION) {
            if attributes.contains("deletion_policy") {
                arguments.insert("deletion_policy".to_owned(), Argument::Text(deletion));
            } else if deletion == "archive" && attributes.contains("archive_on_destroy") {
                arguments.insert("archive_on_destroy".to_owned(), Argument::Flag(true));
            }
        }
        arguments.retain(|name, _| attributes.contains(name));
        arguments
    }

    /// Returns the value of the block; attributes that it does not set are null.
    pub(crate) fn evaluate(
        &self,
        kind: &Type,
        values: &BTreeMap<Address, Value>,
    ) -> Result<Value, String> {
        let Type::Object(attributes) = kind else {
            return Err("the type of a resource is an object".to_owned());
        };
        let arguments = self.arguments_for(&attributes.keys().cloned().collect());
        let mut object = BTreeMap::new();
        for (name, kind) in attributes {
            let value = match arguments.get(name) {
                Some(argument) => argument.evaluate(kind, values)?,
                None => Value::Null,
            };
            object.insert(name.clone(), value);
        }
        Ok(Value::Object(object))
    }
}

/// Returns everything that a block depends on, through other blocks too.
pub(crate) fn dependencies(configuration: &Configuration, of: Address) -> BTreeSet<Address> {
    let mut found = BTreeSet::new();
    let mut open = vec![of];
    while let Some(address) = open.pop() {
        let references = configuration.get(&address).map(Block::references);
        for reference in references.into_iter().flatten() {
            if found.insert(reference) {
                open.push(reference);
            }
        }
    }
    found
}
