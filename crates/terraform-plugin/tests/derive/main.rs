//! The compile errors for mistakes in the use of the derive macros.

#[test]
fn mistakes_are_compile_errors_at_their_place() {
    trybuild::TestCases::new().compile_fail("tests/derive/refused/*.rs");
}
