//! The values that can be the default of a field.

use crate::value::{Convert, Tf, Value};

/// A value that can be the default of a field of type `F`.
///
/// The derive macro requires it, so that a default of another type does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the default of a field of type `{F}`",
    label = "a default has the type of the field, without `Option` or `Tf`"
)]
#[doc(hidden)]
pub trait DefaultFor<F> {
    /// Converts the default to a value.
    fn into_default(self) -> Value;
}

impl<T: Convert> DefaultFor<T> for T {
    fn into_default(self) -> Value {
        self.to_value()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Convert> DefaultFor<Option<T>> for T {
    fn into_default(self) -> Value {
        self.to_value()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Convert> DefaultFor<Tf<T>> for T {
    fn into_default(self) -> Value {
        self.to_value()
    }
}

#[diagnostic::do_not_recommend]
impl DefaultFor<String> for &str {
    fn into_default(self) -> Value {
        Value::string(self)
    }
}

#[diagnostic::do_not_recommend]
impl DefaultFor<Option<String>> for &str {
    fn into_default(self) -> Value {
        Value::string(self)
    }
}

#[diagnostic::do_not_recommend]
impl DefaultFor<Tf<String>> for &str {
    fn into_default(self) -> Value {
        Value::string(self)
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Model;
    use crate::schema::Presence;
    use crate::value::{Tf, Value};

    /// A server.
    #[derive(Model)]
    struct Server {
        /// Port of the server.
        #[tf(default(443))]
        port: u64,
        /// Name of the server.
        #[tf(default("main"))]
        name: String,
        /// Region of the server.
        #[tf(default("eu"))]
        region: Option<String>,
        /// Zones of the server.
        #[tf(default(vec!["a".to_owned()]))]
        zones: Tf<Vec<String>>,
    }

    #[test]
    fn the_field_decides_the_type_of_its_default() {
        let attributes = Server::attributes();
        let expected = [
            ("name", Value::string("main")),
            ("port", Value::Number(443_u64.into())),
            ("region", Value::string("eu")),
            ("zones", Value::List(vec![Value::string("a")])),
        ];
        for (name, default) in expected {
            assert_eq!(attributes[name].default_value(), Some(&default), "{name}");
            assert_eq!(attributes[name].presence(), Presence::OptionalComputed);
        }
    }
}
