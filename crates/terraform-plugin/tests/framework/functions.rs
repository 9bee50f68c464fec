use terraform_plugin::testing::driver::{Driver, Failure};
use terraform_plugin::value::Value;

use crate::bucket::{BUCKET, CloudProvider, start, text};

fn unconfigured() -> Driver<CloudProvider> {
    Driver::unconfigured(CloudProvider::default())
}

fn failure(result: Result<Value, Failure>) -> (String, Option<i64>) {
    match result {
        Err(Failure::Function { text, argument }) => (text, argument),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_function_works_with_and_without_a_configured_provider() {
    let arguments = [text("-"), text("a"), text("b")];
    let joined = unconfigured().call("join", &arguments).await.unwrap();
    assert!(joined == text("a-b"));
    let (configured, _) = start().await;
    assert!(configured.call("join", &arguments).await.unwrap() == joined);
}

#[tokio::test]
async fn a_variadic_parameter_accepts_no_arguments() {
    let joined = unconfigured().call("join", &[Value::Null]).await.unwrap();
    assert!(joined == text(""));
}

#[tokio::test]
async fn null_and_unknown_arguments_are_passed_where_they_are_allowed() {
    let driver = unconfigured();
    let of = async |value: Value| driver.call(BUCKET, &[value]).await.unwrap();
    assert!(of(Value::Null).await.is_null());
    assert!(of(Value::Unknown).await == Value::Bool(false));
    let in_part = Value::List(vec![text("a"), Value::Unknown]);
    assert!(of(in_part).await == Value::Bool(false));
    assert!(of(Value::List(vec![text("a")])).await == Value::Bool(true));
    let unknown = driver.call("join", &[Value::Null, Value::Unknown]).await;
    assert!(unknown.unwrap().is_unknown(), "not called at all");
}

#[tokio::test]
async fn an_error_names_the_argument_that_caused_it() {
    let arguments = [text("-"), text("a"), text("b-c")];
    let (text, argument) = failure(unconfigured().call("join", &arguments).await);
    assert_eq!(text, "a part contains the separator \"-\"");
    assert_eq!(argument, Some(2));
}

#[tokio::test]
async fn a_panic_is_an_error_of_the_call() {
    let driver = unconfigured();
    let many = [text("-"), text("a"), text("b"), text("c"), text("d")];
    let (text, argument) = failure(driver.call("join", &many).await);
    assert!(text.contains("too many parts"), "{text}");
    assert_eq!(argument, None);
    assert!(driver.call("join", &many[..2]).await.is_ok());
}
