//! One attribute: its shape, who sets it, and how it is planned.

use std::collections::BTreeMap;

use super::Validator;
use crate::value::{AttributeValue, Convert, Type, Value, to_json};

/// The attributes of an object, by name.
pub type Attributes = BTreeMap<String, Attribute>;

/// The shape of an attribute.
#[derive(Debug, Clone)]
pub enum AttributeKind {
    /// A value of a type.
    Typed(Type),
    /// Objects whose attributes have schemas of their own.
    Nested(Nesting, Attributes),
}

/// How the objects of a nested attribute are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// A list of objects.
    List,
    /// A set of objects.
    Set,
    /// Objects by key.
    Map,
}

impl AttributeKind {
    /// Returns the type of the values.
    pub fn value_type(&self) -> Type {
        match self {
            Self::Typed(kind) => kind.clone(),
            Self::Nested(nesting, attributes) => {
                let object = object_type(attributes);
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => Type::List(Box::new(object)),
                    Nesting::Set => Type::Set(Box::new(object)),
                    Nesting::Map => Type::Map(Box::new(object)),
                }
            }
        }
    }

    /// Returns the shape of a list of these.
    #[must_use]
    pub fn list(self) -> Self {
        self.held(Nesting::List, Type::List)
    }

    /// Returns the shape of a set of these.
    #[must_use]
    pub fn set(self) -> Self {
        self.held(Nesting::Set, Type::Set)
    }

    /// Returns the shape of a map of these.
    #[must_use]
    pub fn map(self) -> Self {
        self.held(Nesting::Map, Type::Map)
    }

    /// The protocol nests one level; deeper collections of objects are plain types, without descriptions inside.
    fn held(self, nesting: Nesting, collection: fn(Box<Type>) -> Type) -> Self {
        match self {
            Self::Nested(Nesting::Single, attributes) => Self::Nested(nesting, attributes),
            other => Self::Typed(collection(Box::new(other.value_type()))),
        }
    }
}

pub(super) fn object_type(attributes: &Attributes) -> Type {
    let attributes = attributes.iter();
    Type::Object(
        attributes
            .map(|(name, attribute)| (name.clone(), attribute.kind.value_type()))
            .collect(),
    )
}

/// Who sets an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The user must.
    Required,
    /// The user may.
    Optional,
    /// The user may; otherwise the provider does.
    OptionalComputed,
    /// The provider does.
    Computed,
    /// The user may; it reaches the provider and is never stored.
    WriteOnly,
}

/// What a computed attribute that the user left out becomes when its resource changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnChange {
    /// Known after apply.
    #[default]
    Unknown,
    /// What it was: for identifiers and whatever else lives as long as the object.
    Stable,
    /// What it was, unless one of the named attributes beside it changes.
    Follows(Vec<String>),
    /// Null, and a value that is not null is itself a change: for reports of drift.
    Cleared,
}

/// A rule about attributes of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiblingRule {
    /// None of the named attributes may be set together with this one.
    ConflictsWith(Vec<String>),
    /// Each of the named attributes must be set when this one is.
    Requires(Vec<String>),
    /// Exactly one of this one and the named attributes must be set.
    ExactlyOneWith(Vec<String>),
}

impl SiblingRule {
    /// The attributes that the rule names.
    pub fn names(&self) -> &[String] {
        match self {
            Self::ConflictsWith(names) | Self::Requires(names) | Self::ExactlyOneWith(names) => {
                names
            }
        }
    }
}

/// One attribute.
#[derive(Debug, Clone)]
#[must_use]
pub struct Attribute {
    pub(crate) kind: AttributeKind,
    pub(crate) description: String,
    pub(crate) presence: Presence,
    pub(crate) sensitive: bool,
    pub(crate) deprecation: Option<String>,
    pub(crate) replace: bool,
    pub(crate) default: Option<Value>,
    pub(crate) on_change: OnChange,
    pub(crate) validators: Vec<Validator>,
    pub(crate) sibling_rules: Vec<SiblingRule>,
    pub(crate) equivalent: Option<fn(&Value, &Value) -> bool>,
    pub(crate) environment: Vec<String>,
}

impl Attribute {
    /// Returns an attribute of a shape and presence.
    pub fn new(kind: AttributeKind, presence: Presence) -> Self {
        Self {
            kind,
            description: String::new(),
            presence,
            sensitive: false,
            deprecation: None,
            replace: false,
            default: None,
            on_change: OnChange::default(),
            validators: Vec::new(),
            sibling_rules: Vec::new(),
            equivalent: None,
            environment: Vec::new(),
        }
    }

    /// Returns the attribute that a Rust type stands for.
    pub fn of<T: AttributeValue>() -> Self {
        Self::new(T::kind(), T::PRESENCE)
    }

    /// Who sets the attribute.
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// The shape of the attribute.
    pub fn shape(&self) -> &AttributeKind {
        &self.kind
    }

    /// Markdown.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The description with what else the schema says in words: values allowed, default, environment, replacement.
    pub fn documentation(&self) -> String {
        let mut sentences = vec![self.description.clone()];
        sentences.extend(
            self.validators
                .iter()
                .map(|check| check.description().to_owned()),
        );
        if let Some(default) = &self.default {
            sentences.push(format!("Default: `{}`.", to_json(default)));
        }
        if !self.environment.is_empty() {
            let variables: Vec<String> = self
                .environment
                .iter()
                .map(|variable| format!("`{variable}`"))
                .collect();
            sentences.push(format!("Environment: {}.", variables.join(", ")));
        }
        if self.replace {
            sentences.push("A change replaces the resource.".to_owned());
        }
        sentences.retain(|sentence| !sentence.is_empty());
        sentences.join(" ")
    }

    /// Whether a change replaces the resource.
    pub fn replaces(&self) -> bool {
        self.replace
    }

    /// Whether the value is hidden in output.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// The value of the attribute where the user gives none.
    pub fn default_value(&self) -> Option<&Value> {
        self.default.as_ref()
    }

    /// What the user's values are checked for.
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// Rules about attributes beside this one.
    pub fn sibling_rules(&self) -> &[SiblingRule] {
        &self.sibling_rules
    }

    /// Why the attribute is deprecated, if it is.
    pub fn deprecation(&self) -> Option<&str> {
        self.deprecation.as_deref()
    }

    /// The environment variables that stand in for a missing provider argument, the first that is set winning.
    pub fn environment_variables(&self) -> &[String] {
        &self.environment
    }

    /// Whether the provider may set the attribute.
    pub(crate) fn is_computed(&self) -> bool {
        matches!(
            self.presence,
            Presence::Computed | Presence::OptionalComputed
        )
    }

    /// Makes an attribute with a default optional: there is no result that Terraform would look for the default in.
    pub(super) fn without_result(&mut self) {
        if self.presence == Presence::OptionalComputed && self.default.is_some() {
            self.presence = Presence::Optional;
        }
        if let AttributeKind::Nested(_, attributes) = &mut self.kind {
            attributes.values_mut().for_each(Self::without_result);
        }
    }

    pub(super) fn for_data_source(&mut self, presence: Presence) {
        // A write-only argument has no counterpart in a data source; its caller removes it.
        if self.presence != Presence::WriteOnly {
            self.presence = presence;
        }
        self.replace = false;
        self.default = None;
        self.on_change = OnChange::default();
        self.equivalent = None;
        if presence == Presence::Computed {
            self.validators.clear();
            self.sibling_rules.clear();
            if let AttributeKind::Nested(_, attributes) = &mut self.kind {
                attributes
                    .values_mut()
                    .for_each(|child| child.for_data_source(presence));
                attributes.retain(|_, child| child.presence != Presence::WriteOnly);
            }
        }
    }
}

/// The builder; the derive macro's `#[tf(…)]` calls these methods by name.
impl Attribute {
    /// Sets the description, in Markdown.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Lets users set a computed attribute, or leave out one that would be required.
    pub fn optional(mut self) -> Self {
        self.presence = match self.presence {
            Presence::Computed | Presence::OptionalComputed => Presence::OptionalComputed,
            Presence::WriteOnly => Presence::WriteOnly,
            Presence::Required | Presence::Optional => Presence::Optional,
        };
        self
    }

    /// Gives the attribute a value where the user gives none.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a literal in `#[tf(default(…))]` reads better without a reference"
    )]
    pub fn default<T: Convert>(mut self, value: T) -> Self {
        self.presence = Presence::OptionalComputed;
        self.default = Some(value.to_value());
        self
    }

    /// Makes a change of the attribute replace the resource.
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// Hides the value in output; it still lies in state.
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Keeps the computed value as long as the resource lives.
    pub fn stable(mut self) -> Self {
        self.on_change = OnChange::Stable;
        self
    }

    /// Keeps the computed value unless one of the named attributes beside it changes.
    pub fn follows<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        self.on_change = OnChange::Follows(attributes.map(str::to_owned).to_vec());
        self
    }

    /// Plans the computed value to null, so that a value found at refresh causes an update.
    pub fn cleared(mut self) -> Self {
        self.on_change = OnChange::Cleared;
        self
    }

    /// Marks the attribute as deprecated, saying what to use instead.
    pub fn deprecated(mut self, message: impl Into<String>) -> Self {
        self.deprecation = Some(message.into());
        self
    }

    /// Checks values that users write.
    pub fn validate(mut self, validator: Validator) -> Self {
        self.validators.push(validator);
        self
    }

    /// Refuses the named attributes beside this one.
    pub fn conflicts_with<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        let names = attributes.map(str::to_owned).to_vec();
        self.sibling_rules.push(SiblingRule::ConflictsWith(names));
        self
    }

    /// Demands the named attributes beside this one.
    pub fn requires<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        let names = attributes.map(str::to_owned).to_vec();
        self.sibling_rules.push(SiblingRule::Requires(names));
        self
    }

    /// Demands exactly one of this attribute and the named ones.
    pub fn exactly_one_with<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        let names = attributes.map(str::to_owned).to_vec();
        self.sibling_rules.push(SiblingRule::ExactlyOneWith(names));
        self
    }

    /// Takes a missing argument of a provider from the first of these environment variables that is set and not empty.
    pub fn environment<const N: usize>(mut self, variables: [&str; N]) -> Self {
        self.environment = variables.map(str::to_owned).to_vec();
        self
    }

    /// Treats two values as the same: the form that the user wrote or that is stored already is kept.
    ///
    /// The function gets two known values that are not both null; it should be symmetric.
    pub fn equivalent(mut self, same: fn(&Value, &Value) -> bool) -> Self {
        self.equivalent = Some(same);
        self
    }
}
