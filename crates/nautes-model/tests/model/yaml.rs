//! The YAML emitter, compared with the output of `sigs.k8s.io/yaml` v1.3.0 and with the parser.

use nautes_model::yaml::{read, write};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::arbitrary::text;

/// Documents with the output of the Go library.
const GO_YAML: &str = include_str!("../golden/go_yaml.json");

#[test]
fn the_go_library_writes_the_same_bytes() {
    let golden: Vec<Value> = serde_json::from_str(GO_YAML).expect("the table is JSON");
    assert!(golden.len() > 1000);
    let mut wrong = Vec::new();
    for case in &golden {
        let expected = case["yaml"].as_str().expect("the text is a string");
        let written = write(&case["document"]);
        if written != expected {
            wrong.push(format!(
                "{}\n--- written\n{written}--- expected\n{expected}",
                case["document"]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ, first:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(12)].join("\n\n")
    );
}

#[test]
fn the_output_of_the_go_library_is_parsed() {
    let golden: Vec<Value> = serde_json::from_str(GO_YAML).expect("the table is JSON");
    for case in &golden {
        let text = case["yaml"].as_str().expect("the text is a string");
        assert_eq!(read(text).expect(text), case["document"], "{text}");
    }
}

#[test]
fn separators_and_huge_numbers_are_quoted_for_other_parsers() {
    let written = write(&json!({ "a": "x\u{2028}y", "b": "1e999", "c": "x\u{2029}" }));
    assert_eq!(written, "a: \"x\\Ly\"\nb: \"1e999\"\nc: \"x\\P\"\n");
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(text(), value, 0..5)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_document_round_trips(document in document()) {
        let written = write(&document);
        prop_assert_eq!(read(&written).expect(&written), document, "{}", written);
    }

    #[test]
    fn output_depends_on_the_document_only(document in document()) {
        let written = write(&document);
        prop_assert_eq!(write(&read(&written).expect(&written)), written);
    }
}
