//! Random types, values, schemas and configurations for property tests.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::schema::{
    Attribute, AttributeKind, Attributes, Nesting, OnChange, Presence, Schema, SchemaKind,
};
use crate::value::{Number, Type, Value};

/// Whether a random value may have unknown parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknowns {
    Excluded,
    Included,
}

/// Generates any type, including dynamic.
pub(crate) fn wire_type() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        Just(Type::Bool),
        Just(Type::Number),
        Just(Type::String),
        Just(Type::Dynamic)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner
                .clone()
                .prop_map(|element| Type::List(Box::new(element))),
            inner
                .clone()
                .prop_map(|element| Type::Map(Box::new(element))),
            plain_type().prop_map(|element| Type::Set(Box::new(element))),
            vec(inner.clone(), 0..3).prop_map(Type::Tuple),
            btree_map("[a-z]{1,3}", inner, 0..3).prop_map(Type::Object),
        ]
    })
}

fn plain_type() -> impl Strategy<Value = Type> {
    prop_oneof![Just(Type::Bool), Just(Type::Number), Just(Type::String)]
}

/// Generates the type with a value of it.
pub(crate) fn typed_value(kind: Type) -> BoxedStrategy<(Type, Value)> {
    value_of(&kind, Unknowns::Included)
        .prop_map(move |value| (kind.clone(), value))
        .boxed()
}

/// Generates a value of the type, null included.
pub(crate) fn value_of(kind: &Type, unknowns: Unknowns) -> BoxedStrategy<Value> {
    let unknown_weight = u32::from(unknowns == Unknowns::Included);
    prop_oneof![
        1 => Just(Value::Null),
        unknown_weight => Just(Value::Unknown),
        8 => known_value(kind, unknowns),
    ]
    .boxed()
}

fn known_value(kind: &Type, unknowns: Unknowns) -> BoxedStrategy<Value> {
    match kind {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Number => number().prop_map(Value::Number).boxed(),
        Type::String => "[a-c\u{e9}]{0,3}".prop_map(Value::string).boxed(),
        Type::Dynamic => plain_type()
            .prop_flat_map(move |kind| {
                known_value(&kind, unknowns)
                    .prop_map(move |value| Value::Dynamic(Box::new((kind.clone(), value))))
            })
            .boxed(),
        Type::List(element) => vec(value_of(element, unknowns), 0..3)
            .prop_map(Value::List)
            .boxed(),
        // In Terraform an unknown element makes the whole set unknown.
        Type::Set(element) => vec(known_value(element, Unknowns::Excluded), 0..3)
            .prop_map(Value::set)
            .boxed(),
        Type::Map(element) => btree_map("[a-b]", value_of(element, unknowns), 0..3)
            .prop_map(Value::Map)
            .boxed(),
        Type::Tuple(kinds) => {
            let elements: Vec<_> = kinds.iter().map(|kind| value_of(kind, unknowns)).collect();
            elements.prop_map(Value::List).boxed()
        }
        Type::Object(kinds) => {
            let names: Vec<String> = kinds.keys().cloned().collect();
            let values: Vec<_> = kinds
                .values()
                .map(|kind| value_of(kind, unknowns))
                .collect();
            values
                .prop_map(move |values| Value::object(names.iter().cloned().zip(values)))
                .boxed()
        }
    }
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::from),
        any::<u64>().prop_map(Number::from),
        (-1e6f64..1e6).prop_map(|float| Number::try_from(float).unwrap()),
        "-?[1-9][0-9]{0,40}(\\.[0-9]{1,20})?".prop_map(|text| text.parse().unwrap()),
    ]
}

/// Generates a schema without faults.
pub(crate) fn schema() -> impl Strategy<Value = Schema> {
    attributes(2).prop_map(|attributes| {
        let schema = Schema::new("Random.", attributes);
        assert_eq!(
            schema.faults("any", SchemaKind::Resource),
            vec![],
            "the generator keeps the rules"
        );
        schema
    })
}

fn attributes(depth: u32) -> BoxedStrategy<Attributes> {
    btree_map("[a-f]", attribute(depth), 1..5).boxed()
}

fn attribute(depth: u32) -> BoxedStrategy<Attribute> {
    let typed = (plain_type(), 0..4u8).prop_map(|(kind, held)| {
        AttributeKind::Typed(match held {
            1 => Type::List(Box::new(kind)),
            2 => Type::Set(Box::new(kind)),
            3 => Type::Map(Box::new(kind)),
            _ => kind,
        })
    });
    let kind = if depth == 0 {
        typed.boxed()
    } else {
        let nesting = prop_oneof![
            Just(Nesting::Single),
            Just(Nesting::List),
            Just(Nesting::Map)
        ];
        let nested = (nesting, attributes(depth - 1))
            .prop_map(|(nesting, children)| AttributeKind::Nested(nesting, children));
        prop_oneof![3 => typed, 1 => nested].boxed()
    };
    let presence = prop_oneof![
        Just(Presence::Required),
        Just(Presence::Optional),
        Just(Presence::OptionalComputed),
        Just(Presence::Computed),
        Just(Presence::WriteOnly),
    ];
    (kind, presence, 0..4u8, any::<bool>(), any::<bool>())
        .prop_map(|(kind, presence, on_change, replace, ignore_case)| {
            let mut attribute = Attribute::new(kind, presence).describe("Random.");
            if attribute.is_computed() {
                attribute.on_change = match on_change {
                    0 => OnChange::Stable,
                    1 if presence == Presence::Computed => OnChange::Cleared,
                    _ => OnChange::Unknown,
                };
            }
            attribute.replace = replace && presence != Presence::Computed;
            if attribute.is_computed() {
                make_computed(&mut attribute.kind, presence);
            }
            let is_text = matches!(attribute.kind, AttributeKind::Typed(Type::String));
            if ignore_case && is_text && presence != Presence::WriteOnly {
                attribute.equivalent = Some(same_but_for_case);
            }
            attribute
        })
        .boxed()
}

/// Makes every part of a computed attribute computed, as the schema check requires.
fn make_computed(kind: &mut AttributeKind, presence: Presence) {
    if let AttributeKind::Nested(_, children) = kind {
        for child in children.values_mut() {
            if presence == Presence::Computed || !child.is_computed() {
                child.presence = presence;
            }
            if child.presence == Presence::Computed {
                child.replace = false;
            } else if child.on_change == OnChange::Cleared {
                child.on_change = OnChange::Unknown;
            }
            make_computed(&mut child.kind, child.presence);
        }
    }
}

fn same_but_for_case(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    }
}

/// Generates a configuration that Terraform could send for the schema.
pub(crate) fn config_of(schema: &Schema, unknowns: Unknowns) -> BoxedStrategy<Value> {
    config_object(&schema.attributes, unknowns)
}

fn config_object(attributes: &Attributes, unknowns: Unknowns) -> BoxedStrategy<Value> {
    let names: Vec<String> = attributes.keys().cloned().collect();
    let values: Vec<_> = attributes
        .values()
        .map(|attribute| config_value(attribute, unknowns))
        .collect();
    values
        .prop_map(move |values| Value::object(names.iter().cloned().zip(values)))
        .boxed()
}

fn config_value(attribute: &Attribute, unknowns: Unknowns) -> BoxedStrategy<Value> {
    let set = match &attribute.kind {
        AttributeKind::Typed(kind) => known_value(kind, unknowns),
        AttributeKind::Nested(nesting, children) => {
            let object = config_object(children, unknowns);
            match nesting {
                Nesting::Single => object,
                Nesting::List => vec(object, 0..3).prop_map(Value::List).boxed(),
                Nesting::Set => vec(object, 0..3).prop_map(Value::set).boxed(),
                Nesting::Map => btree_map("[a-b]", object, 0..3)
                    .prop_map(Value::Map)
                    .boxed(),
            }
        }
    };
    let unknown = u32::from(unknowns == Unknowns::Included);
    match attribute.presence {
        Presence::Computed => Just(Value::Null).boxed(),
        Presence::Required => prop_oneof![unknown => Just(Value::Unknown), 6 => set].boxed(),
        _ => prop_oneof![
            2 => Just(Value::Null),
            unknown => Just(Value::Unknown),
            4 => set,
        ]
        .boxed(),
    }
}

/// Replaces every unknown part by some value of its type, as a successful operation does.
pub(crate) fn resolve_unknowns(schema: &Schema, value: &Value) -> Value {
    resolve_object(&schema.attributes, value)
}

fn resolve_object(attributes: &Attributes, value: &Value) -> Value {
    let resolved = attributes.iter().map(|(name, attribute)| {
        let value = value.attribute(name);
        let resolved = match &attribute.kind {
            _ if attribute.presence == Presence::WriteOnly && value.is_unknown() => Value::Null,
            AttributeKind::Typed(kind) => resolve_typed(value, kind),
            AttributeKind::Nested(nesting, children) => match (nesting, value) {
                (Nesting::Single, Value::Unknown | Value::Object(_)) => {
                    resolve_element(children, value)
                }
                (_, Value::List(elements)) => Value::List(
                    elements
                        .iter()
                        .map(|e| resolve_element(children, e))
                        .collect(),
                ),
                (_, Value::Map(elements)) => {
                    let elements = elements.iter();
                    let resolved =
                        elements.map(|(key, e)| (key.clone(), resolve_element(children, e)));
                    Value::Map(resolved.collect())
                }
                (_, value) => resolve_typed(value, &attribute.kind.value_type()),
            },
        };
        (name.as_str(), resolved)
    });
    Value::object(resolved)
}

fn resolve_element(attributes: &Attributes, value: &Value) -> Value {
    match value {
        Value::Unknown => {
            let unknown = attributes
                .keys()
                .map(|name| (name.as_str(), Value::Unknown));
            resolve_object(attributes, &Value::object(unknown))
        }
        Value::Object(_) => resolve_object(attributes, value),
        other => other.clone(),
    }
}

fn resolve_typed(value: &Value, kind: &Type) -> Value {
    match (value, kind) {
        (Value::Unknown, kind) => placeholder(kind),
        (Value::List(elements), Type::List(element)) => Value::List(
            elements
                .iter()
                .map(|value| resolve_typed(value, element))
                .collect(),
        ),
        (Value::Map(elements), Type::Map(element)) => {
            let elements = elements.iter();
            Value::Map(
                elements
                    .map(|(key, value)| (key.clone(), resolve_typed(value, element)))
                    .collect(),
            )
        }
        (value, _) => value.clone(),
    }
}

fn placeholder(kind: &Type) -> Value {
    match kind {
        Type::Bool => Value::Bool(true),
        Type::Number => Value::Number(7u64.into()),
        Type::String | Type::Dynamic => Value::string("resolved"),
        Type::List(_) | Type::Tuple(_) => Value::List(Vec::new()),
        Type::Set(_) => Value::set([]),
        Type::Map(_) => Value::Map(BTreeMap::new()),
        Type::Object(kinds) => Value::object(
            kinds
                .iter()
                .map(|(name, kind)| (name.clone(), placeholder(kind))),
        ),
    }
}
