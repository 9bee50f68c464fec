use proptest::prelude::*;

use super::*;
use crate::testing::arbitrary::{typed_value, wire_type};

fn list(kind: Type) -> Type {
    Type::List(Box::new(kind))
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

#[test]
fn golden_bytes_of_scalars() {
    for (bytes, kind, value) in [
        (&[0xc0][..], Type::String, Value::Null),
        (&[0xd4, 0, 0], Type::Bool, Value::Unknown),
        (&[0xc3], Type::Bool, Value::Bool(true)),
        (&[0xa3, b'0', b'.', b'1'], Type::Number, number("0.1")),
        (&[0xa2, b'4', b'2'], Type::Number, number("42")),
        (&[0xa2, b'h', b'i'], Type::String, Value::string("hi")),
    ] {
        assert_eq!(decode(bytes, &kind).unwrap(), value);
        assert_eq!(encode(&value, &kind), bytes);
    }
}

#[test]
fn numbers_are_decoded_from_every_form_that_terraform_sends() {
    for (bytes, value) in [
        (&[0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0][..], "1.5"),
        (&[0x2a], "42"),
        (&[0xff], "-1"),
        (&[0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0], "9223372036854775808"),
        (&[0xa4, b'1', b'e', b'3', b'0'], "1e30"),
    ] {
        assert_eq!(decode(bytes, &Type::Number).unwrap(), number(value));
    }
}

#[test]
fn a_large_whole_number_is_encoded_with_every_digit() {
    let bytes = encode(&number("1e30"), &Type::Number);
    assert_eq!(&bytes[1..], b"1000000000000000000000000000000");
    assert_eq!(decode(&bytes, &Type::Number).unwrap(), number("1e30"));
}

/// Returns `true` if the message contains a number in binary form.
fn has_binary_number(message: &rmpv::Value) -> bool {
    match message {
        rmpv::Value::Integer(_) | rmpv::Value::F32(_) | rmpv::Value::F64(_) => true,
        rmpv::Value::Array(elements) => elements.iter().any(has_binary_number),
        rmpv::Value::Map(entries) => entries.iter().any(|(_, value)| has_binary_number(value)),
        _ => false,
    }
}

#[test]
fn a_refined_unknown_is_unknown() {
    // Extension 12 with the map {1: false, 2: "pre-"}, as Terraform sends a string with a known prefix.
    let payload = [0x82, 0x01, 0xc2, 0x02, 0xa4, b'p', b'r', b'e', b'-'];
    let mut bytes = vec![0xc7, 9, 12];
    bytes.extend(payload);
    assert_eq!(decode(&bytes, &Type::String).unwrap(), Value::Unknown);
}

#[test]
fn a_dynamic_value_carries_its_type() {
    let tuple = Type::Tuple(vec![Type::String, Type::Bool]);
    let inner = Value::List(vec![Value::Unknown, Value::Bool(false)]);
    let value = Value::Dynamic(Box::new((tuple, inner)));
    let bytes = encode(&value, &Type::Dynamic);
    assert_eq!(
        &bytes[..2],
        &[0x92, 0xc4],
        "a 2-array that starts with a binary"
    );
    assert_eq!(decode(&bytes, &Type::Dynamic).unwrap(), value);
}

#[test]
fn a_null_of_a_known_type_inside_dynamic_is_null() {
    let mut bytes = vec![0x92, 0xc4, 8];
    bytes.extend(b"\"string\"");
    bytes.push(0xc0);
    assert_eq!(decode(&bytes, &Type::Dynamic).unwrap(), Value::Null);
}

#[test]
fn strings_are_normalised_to_composed_form() {
    let decomposed = "e\u{301}";
    let mut bytes = Vec::new();
    rmp::encode::write_str(&mut bytes, decomposed).unwrap();
    assert_eq!(
        decode(&bytes, &Type::String).unwrap().as_str(),
        Some("\u{e9}")
    );
}

#[test]
fn an_object_must_have_exactly_its_attributes() {
    let kind = Type::Object([("a".to_owned(), Type::Bool)].into());
    let missing = decode(&[0x80], &kind).unwrap_err();
    assert_eq!(missing.path, "a");
    let surplus = decode(&[0x81, 0xa1, b'b', 0xc2], &kind).unwrap_err();
    assert_eq!(surplus.path, "b");
}

#[test]
fn an_error_names_the_path_of_the_value() {
    let bytes = [0x92, 0xc2, 0xa1, b'x'];
    let error = decode(&bytes, &list(Type::Bool)).unwrap_err();
    assert_eq!(error.path, "[1]");
}

#[test]
fn bytes_after_the_value_are_an_error() {
    assert!(decode(&[0xc0, 0xc0], &Type::Bool).is_err());
}

#[test]
fn a_length_beyond_the_message_is_an_error_and_allocates_nothing() {
    assert!(decode(&[0xdd, 0xff, 0xff, 0xff, 0xff], &list(Type::Bool)).is_err());
    assert!(decode(&[0xdb, 0xff, 0xff, 0xff, 0xff], &Type::String).is_err());
}

proptest! {
    #[test]
    fn any_value_round_trips((kind, value) in wire_type().prop_flat_map(typed_value)) {
        let bytes = encode(&value, &kind);
        prop_assert_eq!(decode(&bytes, &kind).unwrap(), value);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in wire_type()) {
        let _ = decode(&bytes, &kind);
    }

    #[test]
    fn encoded_bytes_are_wellformed_for_another_decoder((kind, value) in wire_type().prop_flat_map(typed_value)) {
        let bytes = encode(&value, &kind);
        let mut rest = &bytes[..];
        rmpv::decode::read_value(&mut rest).unwrap();
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn numbers_are_encoded_as_strings_so_that_they_equal_those_of_the_state_file(
        (kind, value) in wire_type().prop_flat_map(typed_value),
    ) {
        let message = rmpv::decode::read_value(&mut &encode(&value, &kind)[..]).unwrap();
        prop_assert!(!has_binary_number(&message), "{message}");
    }
}
