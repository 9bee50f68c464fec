//! What authors read when they use the derive macros wrongly.

#[test]
fn mistakes_are_named_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/derive/refused/*.rs");
}
