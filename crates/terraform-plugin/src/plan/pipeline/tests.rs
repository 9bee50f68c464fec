use proptest::prelude::*;

use super::*;
use crate::plan::{check_applied, check_planned};
use crate::testing::arbitrary::{Unknowns, config_of, resolve_unknowns, schema};
use crate::testing::core::proposed_new_state;
use crate::value::Tf;

fn schema_of<const N: usize>(attributes: [(&str, Attribute); N]) -> Schema {
    let attributes = attributes.map(|(name, attribute)| (name.to_owned(), attribute));
    Schema::new("A test.", Attributes::from(attributes))
}

fn object<const N: usize>(attributes: [(&str, Value); N]) -> Value {
    Value::object(attributes)
}

fn text(text: &str) -> Value {
    Value::string(text)
}

fn planned(schema: &Schema, prior: &Value, config: &Value) -> Planned {
    plan(
        schema,
        prior,
        &proposed_new_state(schema, prior, config),
        config,
    )
}

fn named() -> Schema {
    schema_of([
        ("name", Attribute::for_type::<String>().replace()),
        (
            "size",
            Attribute::for_type::<String>().default("small".to_owned()),
        ),
        ("note", Attribute::for_type::<Option<String>>()),
        ("id", Attribute::for_type::<Tf<String>>().stable()),
        ("revision", Attribute::for_type::<Tf<String>>()),
        ("url", Attribute::for_type::<Tf<String>>().follows(["size"])),
        ("drift", Attribute::for_type::<Tf<String>>().cleared()),
    ])
}

fn config(name: &str, size: Value, note: Value) -> Value {
    let null = || Value::Null;
    object([
        ("name", text(name)),
        ("size", size),
        ("note", note),
        ("id", null()),
        ("revision", null()),
        ("url", null()),
        ("drift", null()),
    ])
}

fn existing(drift: Value) -> Value {
    object([
        ("name", text("a")),
        ("size", text("small")),
        ("note", Value::Null),
        ("id", text("1")),
        ("revision", text("r1")),
        ("url", text("u1")),
        ("drift", drift),
    ])
}

#[test]
fn a_creation_leaves_computed_attributes_unknown_and_fills_defaults() {
    let planned = planned(
        &named(),
        &Value::Null,
        &config("a", Value::Null, Value::Null),
    );
    let expected = object([
        ("name", text("a")),
        ("size", text("small")),
        ("note", Value::Null),
        ("id", Value::Unknown),
        ("revision", Value::Unknown),
        ("url", Value::Unknown),
        ("drift", Value::Null),
    ]);
    assert_eq!(
        planned,
        Planned {
            value: expected,
            replace: vec![]
        }
    );
}

#[test]
fn defaults_apply_inside_configured_objects_and_create_none() {
    let port = Attribute::for_type::<String>().default("443".to_owned());
    let children = Attributes::from([("port".to_owned(), port)]);
    let server = |nesting| {
        let kind = AttributeKind::Nested(nesting, children.clone());
        Attribute::new(kind, Presence::Optional)
    };
    let schema = schema_of([
        ("server", server(Nesting::Single)),
        ("other", server(Nesting::Single)),
        ("more", server(Nesting::List)),
    ]);
    let empty = || object([("port", Value::Null)]);
    let config = object([
        ("server", empty()),
        ("other", Value::Null),
        ("more", Value::List(vec![empty(), Value::Unknown])),
    ]);
    let filled = || object([("port", text("443"))]);
    let expected = object([
        ("server", filled()),
        ("other", Value::Null),
        ("more", Value::List(vec![filled(), Value::Unknown])),
    ]);
    assert_eq!(apply_defaults(&schema.attributes, &config), expected);
}

#[test]
fn an_unchanged_configuration_plans_nothing() {
    let prior = existing(Value::Null);
    let planned = planned(&named(), &prior, &config("a", Value::Null, Value::Null));
    assert_eq!(
        planned,
        Planned {
            value: prior,
            replace: vec![]
        }
    );
}

#[test]
fn an_update_marks_only_what_may_change() {
    let prior = existing(Value::Null);
    let noted = planned(&named(), &prior, &config("a", Value::Null, text("n"))).value;
    assert_eq!(noted.attribute("id"), &text("1"));
    assert_eq!(noted.attribute("revision"), &Value::Unknown);
    assert_eq!(
        noted.attribute("url"),
        &text("u1"),
        "its sibling did not change"
    );
    let resized = planned(&named(), &prior, &config("a", text("big"), Value::Null)).value;
    assert_eq!(
        resized.attribute("url"),
        &Value::Unknown,
        "its sibling changed"
    );
}

#[test]
fn drift_found_by_a_refresh_plans_an_update_that_keeps_the_id() {
    let prior = existing(text("the file was edited"));
    let planned = planned(&named(), &prior, &config("a", Value::Null, Value::Null));
    assert_eq!(planned.value.attribute("drift"), &Value::Null);
    assert_eq!(planned.value.attribute("id"), &text("1"));
    assert!(planned.replace.is_empty());
}

#[test]
fn a_change_of_an_attribute_with_replace_is_collected() {
    let prior = existing(Value::Null);
    let renamed = planned(&named(), &prior, &config("b", Value::Null, Value::Null));
    assert_eq!(renamed.replace, vec![Path::to("name")]);
}

#[test]
fn an_equivalent_value_is_no_change() {
    let same: fn(&Value, &Value) -> bool =
        |a, b| a.as_str().map(str::to_lowercase) == b.as_str().map(str::to_lowercase);
    let schema = schema_of([(
        "name",
        Attribute::for_type::<String>().equivalent(same).replace(),
    )]);
    let prior = object([("name", text("Shop"))]);
    let planned = planned(&schema, &prior, &object([("name", text("shop"))]));
    assert_eq!(
        planned,
        Planned {
            value: prior,
            replace: vec![]
        }
    );
}

#[test]
fn computed_attributes_of_map_elements_are_kept_by_key() {
    let children = Attributes::from([
        ("path".to_owned(), Attribute::for_type::<String>()),
        (
            "id".to_owned(),
            Attribute::for_type::<Tf<String>>().stable(),
        ),
    ]);
    let map = AttributeKind::Nested(Nesting::Map, children);
    let schema = schema_of([("hooks", Attribute::new(map, Presence::Optional))]);
    let hook = |path: &str, id: Value| object([("path", text(path)), ("id", id)]);
    let hooks = |elements: &[(&str, Value)]| {
        let elements = elements
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        object([("hooks", Value::Map(elements.collect()))])
    };
    let prior = hooks(&[("a", hook("x", text("1")))]);
    let config = hooks(&[("a", hook("y", Value::Null)), ("b", hook("z", Value::Null))]);
    let expected = hooks(&[
        ("a", hook("y", text("1"))),
        ("b", hook("z", Value::Unknown)),
    ]);
    assert_eq!(planned(&schema, &prior, &config).value, expected);
}

#[test]
fn only_a_list_element_that_changes_in_place_replaces_the_resource() {
    let children = Attributes::from([
        ("path".to_owned(), Attribute::for_type::<String>().replace()),
        (
            "id".to_owned(),
            Attribute::for_type::<Tf<String>>().stable(),
        ),
    ]);
    let list = AttributeKind::Nested(Nesting::List, children);
    let schema = schema_of([("hooks", Attribute::new(list, Presence::Optional))]);
    let hooks = |elements: &[(&str, Value)]| {
        let elements = elements
            .iter()
            .map(|(path, id)| object([("path", text(path)), ("id", id.clone())]));
        object([("hooks", Value::List(elements.collect()))])
    };
    let null = || Value::Null;
    let prior = hooks(&[("a", text("1")), ("b", text("2"))]);
    let inserted = planned(
        &schema,
        &prior,
        &hooks(&[("x", null()), ("a", null()), ("b", null())]),
    );
    let expected = hooks(&[("x", Value::Unknown), ("a", text("1")), ("b", text("2"))]);
    assert_eq!(inserted.value, expected);
    assert!(inserted.replace.is_empty());
    let removed = planned(&schema, &prior, &hooks(&[("b", null())]));
    assert_eq!(removed.value, hooks(&[("b", text("2"))]));
    assert!(removed.replace.is_empty());
    let changed = planned(&schema, &prior, &hooks(&[("b", null()), ("c", null())]));
    assert_eq!(
        changed.value,
        hooks(&[("b", text("2")), ("c", Value::Unknown)])
    );
    let path = Path::to("hooks").index(1).attribute("path");
    assert_eq!(changed.replace, vec![path]);
}

/// Generates a schema, the configuration of an existing object, and a new configuration.
fn change() -> impl Strategy<Value = (Schema, Value, Value)> {
    schema().prop_flat_map(|schema| {
        let before = config_of(&schema, Unknowns::Excluded);
        let after = config_of(&schema, Unknowns::Included);
        (Just(schema), before, after)
    })
}

fn create(schema: &Schema, config: &Value) -> (Value, Value) {
    let planned = planned(schema, &Value::Null, config).value;
    let result = resolve_unknowns(schema, &planned);
    (planned, result)
}

proptest! {
    #[test]
    fn terraform_accepts_every_creation((schema, config, _) in change()) {
        let (planned, result) = create(&schema, &config);
        prop_assert_eq!(check_planned(&schema, &Value::Null, &config, &planned), vec![]);
        prop_assert_eq!(check_applied(&schema, &planned, &result), vec![]);
    }

    #[test]
    fn the_plan_after_a_creation_is_empty((schema, config, _) in change()) {
        let (_, result) = create(&schema, &config);
        let again = planned(&schema, &result, &config);
        prop_assert_eq!(&again.value, &result);
        prop_assert!(again.replace.is_empty());
    }

    #[test]
    fn terraform_accepts_every_update((schema, before, after) in change()) {
        let (_, prior) = create(&schema, &before);
        let update = planned(&schema, &prior, &after);
        prop_assert_eq!(check_planned(&schema, &prior, &after, &update.value), vec![]);
    }

    #[test]
    fn a_plan_with_unknown_configuration_stays_valid_once_it_is_known((schema, before, after) in change()) {
        let (_, prior) = create(&schema, &before);
        let early = planned(&schema, &prior, &after).value;
        let resolved = resolve_unknowns(&schema, &after);
        let late = planned(&schema, &prior, &resolved).value;
        let applied = resolve_unknowns(&schema, &late);
        prop_assert_eq!(check_applied(&schema, &early, &applied), vec![]);
    }
}
