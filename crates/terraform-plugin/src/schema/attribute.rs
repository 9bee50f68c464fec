//! One attribute: its type, whether users or the provider set it, and how it is planned.

use std::collections::BTreeMap;

use super::{DefaultFor, Validator};
use crate::value::{AttributeValue, ConversionError, Convert, Path, Type, Value, to_json};

/// Checks that a configured value fits a Rust type.
type TypeCheck = fn(&Value, &Path, &mut Vec<ConversionError>);

/// The attributes of an object, by name.
pub type Attributes = BTreeMap<String, Attribute>;

/// The type of an attribute.
#[derive(Debug, Clone)]
pub enum AttributeKind {
    /// A plain type.
    Typed(Type),
    /// Objects whose attributes have their own schemas.
    Nested(Nesting, Attributes),
}

/// The collection that a nested attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// A list of objects.
    List,
    /// A set of objects.
    Set,
    /// A map of objects.
    Map,
}

impl AttributeKind {
    /// Returns the type of the attribute's values.
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

    /// Returns a list of this type.
    #[must_use]
    pub fn list(self) -> Self {
        self.in_collection(Nesting::List, Type::List)
    }

    /// Returns a set of this type.
    #[must_use]
    pub fn set(self) -> Self {
        self.in_collection(Nesting::Set, Type::Set)
    }

    /// Returns a map of this type.
    #[must_use]
    pub fn map(self) -> Self {
        self.in_collection(Nesting::Map, Type::Map)
    }

    /// Only a single object can become a collection of nested objects. Anything else becomes a plain collection type,
    /// whose elements have no descriptions.
    fn in_collection(self, nesting: Nesting, collection: fn(Box<Type>) -> Type) -> Self {
        match self {
            Self::Nested(Nesting::Single, attributes) => Self::Nested(nesting, attributes),
            other => Self::Typed(collection(Box::new(other.value_type()))),
        }
    }
}

/// An option of a nested attribute that has no effect, because its object is part of a plain type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostOption {
    /// The path from the outer attribute.
    pub(crate) attribute: String,
    pub(crate) option: &'static str,
}

impl AttributeKind {
    /// Returns the options that the attributes of these objects lose in a plain type.
    pub(crate) fn options_lost_in_plain_type(&self) -> Vec<LostOption> {
        let Self::Nested(_, attributes) = self else {
            return Vec::new();
        };
        let mut lost = Vec::new();
        for (name, attribute) in attributes {
            lost.extend(attribute.options().map(|option| LostOption {
                attribute: name.clone(),
                option,
            }));
            let mut children = attribute.kind.options_lost_in_plain_type();
            children.extend(attribute.lost_options.clone());
            lost.extend(children.into_iter().map(|lost| LostOption {
                attribute: format!("{name}.{}", lost.attribute),
                ..lost
            }));
        }
        lost
    }

    /// Returns the options that objects of this kind lose as elements of a collection.
    pub(crate) fn options_lost_in_collection(&self) -> Vec<LostOption> {
        match self {
            Self::Nested(Nesting::Single, _) | Self::Typed(_) => Vec::new(),
            Self::Nested(..) => self.options_lost_in_plain_type(),
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

/// Whether users or the provider set an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Users must set it.
    Required,
    /// Users may set it.
    Optional,
    /// Users may set it; the provider sets it otherwise.
    OptionalComputed,
    /// Only the provider sets it.
    Computed,
    /// Users may set it; the provider receives it, and it is never stored.
    WriteOnly,
}

/// How a computed attribute that the user left out is planned when its resource changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnChange {
    /// Known after apply.
    #[default]
    Unknown,
    /// The prior value: for identifiers and other values that never change during the object's lifetime.
    Stable,
    /// The prior value, unless one of the named sibling attributes changes.
    Follows(Vec<String>),
    /// Null. A value other than null is itself a change: for reports of drift.
    Cleared,
}

/// A rule about sibling attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SiblingRule {
    /// The named attributes must not be set together with this one.
    ConflictsWith(Vec<String>),
    /// The named attributes must be set if this one is.
    Requires(Vec<String>),
    /// Exactly one of this attribute and the named ones must be set.
    ExactlyOneWith(Vec<String>),
}

impl SiblingRule {
    /// Returns the attributes that the rule names.
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
    /// Whether another attribute of the object has the same name.
    pub(crate) is_duplicate: bool,
    /// The check of the Rust type; `None` for an attribute without one.
    pub(crate) type_check: Option<TypeCheck>,
    /// The presence of the Rust type; `None` for an attribute without one.
    pub(crate) type_presence: Option<Presence>,
    /// The options of nested attributes that have no effect, because the protocol cannot describe them.
    pub(crate) lost_options: Vec<LostOption>,
}

/// Adds an attribute to an object. A second one of the same name is a fault of the schema.
#[doc(hidden)]
pub fn add_attribute(attributes: &mut Attributes, name: String, attribute: Attribute) {
    let is_duplicate = attribute.is_duplicate || attributes.contains_key(&name);
    let attribute = Attribute {
        is_duplicate,
        ..attribute
    };
    attributes.insert(name, attribute);
}

/// Requires the type of an optional field without a default to have a value for a missing one.
#[doc(hidden)]
pub const fn require_optional_type(presence: Presence) {
    assert!(
        !matches!(presence, Presence::Required),
        "`optional` without `default` requires a field of type `Option` or `Tf`"
    );
}

impl Attribute {
    /// Returns an attribute of the given type and presence.
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
            is_duplicate: false,
            type_check: None,
            type_presence: None,
            lost_options: Vec::new(),
        }
    }

    /// Returns the attribute that a Rust type defines.
    pub fn for_type<T: AttributeValue>() -> Self {
        Self {
            type_check: Some(T::check),
            type_presence: Some(T::PRESENCE),
            lost_options: T::lost_options(),
            ..Self::new(T::kind(), T::PRESENCE)
        }
    }

    /// Returns whether users or the provider set the attribute.
    pub fn presence(&self) -> Presence {
        self.presence
    }

    /// Returns the type of the attribute.
    pub fn shape(&self) -> &AttributeKind {
        &self.kind
    }

    /// Returns the description, in Markdown.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the description followed by allowed values, default, environment variables and replacement.
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

    /// Returns `true` if a change replaces the resource.
    pub fn replaces(&self) -> bool {
        self.replace
    }

    /// Returns `true` if Terraform hides the value in its output.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// Returns the value of the attribute if the user sets none.
    pub fn default_value(&self) -> Option<&Value> {
        self.default.as_ref()
    }

    /// Returns the validators of the attribute.
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// Returns the rules about sibling attributes.
    pub fn sibling_rules(&self) -> &[SiblingRule] {
        &self.sibling_rules
    }

    /// Returns the deprecation message.
    pub fn deprecation(&self) -> Option<&str> {
        self.deprecation.as_deref()
    }

    /// Returns the environment variables that can set a provider argument, in order of precedence.
    pub fn environment_variables(&self) -> &[String] {
        &self.environment
    }

    /// Returns the names of the options that are set and need an attribute of the protocol.
    pub(super) fn options(&self) -> impl Iterator<Item = &'static str> {
        let options = [
            ("computed", self.is_computed() && self.default.is_none()),
            ("write-only", self.presence == Presence::WriteOnly),
            ("sensitive", self.sensitive),
            ("deprecated", self.deprecation.is_some()),
            ("replace", self.replace),
            ("default", self.default.is_some()),
            ("validate", !self.validators.is_empty()),
            ("a rule about siblings", !self.sibling_rules.is_empty()),
            ("equivalent", self.equivalent.is_some()),
            ("environment", !self.environment.is_empty()),
        ];
        let set = options.into_iter().filter(|(_, is_set)| *is_set);
        set.map(|(name, _)| name)
    }

    /// Returns `true` if the provider may set the attribute.
    pub(crate) fn is_computed(&self) -> bool {
        matches!(
            self.presence,
            Presence::Computed | Presence::OptionalComputed
        )
    }

    /// Returns `true` if messages must not show the value.
    pub(crate) fn is_secret(&self) -> bool {
        self.sensitive || self.presence == Presence::WriteOnly
    }

    /// Makes attributes with a default optional instead of computed, for kinds that return no result.
    pub(super) fn remove_computed(&mut self) {
        if self.presence == Presence::OptionalComputed && self.default.is_some() {
            self.presence = Presence::Optional;
        }
        if let AttributeKind::Nested(_, attributes) = &mut self.kind {
            attributes.values_mut().for_each(Self::remove_computed);
        }
    }

    pub(super) fn for_data_source(&mut self, presence: Presence) {
        // Data sources have no write-only arguments; the caller removes the attribute.
        if self.presence != Presence::WriteOnly {
            self.presence = presence;
        }
        self.type_presence = None;
        self.replace = false;
        if presence != Presence::OptionalComputed {
            self.default = None;
        }
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

/// The builder. The derive macro calls these methods for the options in `#[tf(…)]`.
impl Attribute {
    /// Sets the description, in Markdown.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Makes a computed attribute optional and computed, and a required one optional.
    pub fn optional(mut self) -> Self {
        self.presence = match self.presence {
            Presence::Computed | Presence::OptionalComputed => Presence::OptionalComputed,
            Presence::WriteOnly => Presence::WriteOnly,
            Presence::Required | Presence::Optional => Presence::Optional,
        };
        self
    }

    /// Sets the value of the attribute if the user sets none.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a literal in `#[tf(default(…))]` reads better without a reference"
    )]
    pub fn default<T: Convert>(self, value: T) -> Self {
        self.with_default(value.to_value())
    }

    /// Sets the default of the attribute of a field of type `F`.
    #[doc(hidden)]
    pub fn default_for<F, T: DefaultFor<F>>(self, value: T) -> Self {
        self.with_default(value.into_default())
    }

    fn with_default(mut self, value: Value) -> Self {
        if self.presence != Presence::WriteOnly {
            self.presence = Presence::OptionalComputed;
        }
        self.default = Some(value);
        self
    }

    /// Replaces the resource when the attribute changes.
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// Hides the value in Terraform's output. The state still contains it.
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Keeps the computed value as long as the resource exists.
    ///
    /// In a map this holds for elements with the same key, and in a list for elements in which the user has changed
    /// nothing, at whatever position.
    pub fn stable(mut self) -> Self {
        self.on_change = OnChange::Stable;
        self
    }

    /// Keeps the computed value unless one of the named sibling attributes changes.
    pub fn follows<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        self.on_change = OnChange::Follows(attributes.map(str::to_owned).to_vec());
        self
    }

    /// Plans the computed value as null, so that a value found by a refresh causes an update.
    pub fn cleared(mut self) -> Self {
        self.on_change = OnChange::Cleared;
        self
    }

    /// Marks the attribute as deprecated. The message names the replacement.
    pub fn deprecated(mut self, message: impl Into<String>) -> Self {
        self.deprecation = Some(message.into());
        self
    }

    /// Validates the values that users write.
    pub fn validate(mut self, validator: Validator) -> Self {
        self.validators.push(validator);
        self
    }

    /// Rejects the named sibling attributes together with this one.
    pub fn conflicts_with<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        let names = attributes.map(str::to_owned).to_vec();
        self.sibling_rules.push(SiblingRule::ConflictsWith(names));
        self
    }

    /// Requires the named sibling attributes if this one is set.
    pub fn requires<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        let names = attributes.map(str::to_owned).to_vec();
        self.sibling_rules.push(SiblingRule::Requires(names));
        self
    }

    /// Requires exactly one of this attribute and the named siblings.
    pub fn exactly_one_with<const N: usize>(mut self, attributes: [&str; N]) -> Self {
        let names = attributes.map(str::to_owned).to_vec();
        self.sibling_rules.push(SiblingRule::ExactlyOneWith(names));
        self
    }

    /// Reads a missing provider argument from the first of these environment variables that is set and not empty.
    pub fn environment<const N: usize>(mut self, variables: [&str; N]) -> Self {
        self.environment = variables.map(str::to_owned).to_vec();
        self
    }

    /// Treats two values as equal, so that the user's or the stored form is kept.
    ///
    /// The function receives two known values, at most one of them null. It should be symmetric.
    pub fn equivalent(mut self, same: fn(&Value, &Value) -> bool) -> Self {
        self.equivalent = Some(same);
        self
    }
}
