//! Managed resources: the trait that authors implement and what the framework hands them.

mod erased;
mod operation;
mod planned_action;
mod planning;
mod private;
mod timeouts;

use std::future::{Future, ready};

pub(crate) use erased::{ErasedResource, PlanRequest, Registered};
pub use operation::Operation;
pub(crate) use operation::{Limits, Outcome};
pub(crate) use planned_action::PlannedAction;
pub use planning::{PlanKind, Planning};
pub use private::PrivateState;
pub(crate) use timeouts::Timed;
pub use timeouts::{DefaultTimeouts, Timeouts};

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::{Model, PlanOf};
use crate::value::{JsonError, Type, Value, from_json};

/// A kind of managed resource.
///
/// The framework plans from the schema of [`Resource::State`], checks values, keeps deadlines and answers Terraform;
/// an author says how the remote object is created, read, updated and deleted.
///
/// A creation must be able to go on from whatever an earlier, failed one left: when it fails, Terraform keeps nothing,
/// and the next apply calls it again.
pub trait Resource: Send + Sync + 'static {
    /// What the provider made of its configuration, shared by all resources.
    type Client: Send + Sync + 'static;
    /// The shape of the state; in [`Resource::create`] and [`Resource::update`] its computed fields may be unknown.
    type State: Model;
    /// The attributes that identify the remote object; [`NoIdentity`] for none.
    type Identity: Model;

    /// The type name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// The version of the stored shape.
    const VERSION: i64 = 0;
    /// How long each operation may take unless the `timeouts` attribute says otherwise.
    const TIMEOUTS: DefaultTimeouts = DefaultTimeouts::all(20 * 60);

    /// Creates the remote object, or goes on creating it, and returns the state with every field known.
    fn create(
        &self,
        operation: &mut Operation<Self::Client>,
        planned: Self::State,
    ) -> impl Future<Output = Result<Self::State, Diagnostics>> + Send;

    /// Reads the remote object; `None` says that it is gone, which an error never may.
    fn read(
        &self,
        operation: &mut Operation<Self::Client>,
        state: Self::State,
    ) -> impl Future<Output = Result<Option<Self::State>, Diagnostics>> + Send;

    /// Changes the remote object to what is planned and returns the state.
    ///
    /// What has been done before a failure is kept when it was [recorded](Operation::record).
    fn update(
        &self,
        operation: &mut Operation<Self::Client>,
        prior: Self::State,
        planned: Self::State,
    ) -> impl Future<Output = Result<Self::State, Diagnostics>> + Send;

    /// Deletes the remote object; an object that is gone already is no error.
    fn delete(
        &self,
        operation: &mut Operation<Self::Client>,
        state: Self::State,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Checks a configuration beyond what the schema says, without the network.
    fn validate(&self, config: &PlanOf<Self::State>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Adjusts what the schema plans; must give the same answer for the same input.
    fn modify_plan(
        &self,
        planning: &mut Planning<'_, Self>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send
    where
        Self: Sized,
    {
        let _ = planning;
        ready(Ok(()))
    }

    /// Looks at a planned deletion, to warn or to refuse it.
    fn plan_delete(
        &self,
        operation: &mut Operation<Self::Client>,
        state: Self::State,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (operation, state);
        ready(Ok(()))
    }

    /// Returns the identity of an object in its state; `None` for resources without one.
    fn identity(&self, state: &Self::State) -> Option<Self::Identity> {
        let _ = state;
        None
    }

    /// Reads an existing remote object that is to be managed; `None` says that there is none.
    fn import(
        &self,
        operation: &mut Operation<Self::Client>,
        target: ImportTarget<Self::Identity>,
    ) -> impl Future<Output = Result<Option<Self::State>, Diagnostics>> + Send {
        let _ = (operation, target);
        let refused = Diagnostic::error(
            format!("{} cannot be imported", Self::TYPE_NAME),
            "The provider does not support importing this kind of resource.",
        );
        ready(Err(refused.into()))
    }

    /// Reads state that an older version of the provider stored.
    fn upgrade(&self, stored: &StoredState<'_>) -> Result<Self::State, Diagnostics> {
        Err(stored.unreadable(Self::TYPE_NAME))
    }

    /// Reads state of another type of resource whose object becomes this one; `None` for types that it cannot take.
    fn move_from(
        &self,
        source_type: &str,
        stored: &StoredState<'_>,
    ) -> Option<Result<Self::State, Diagnostics>> {
        let _ = (source_type, stored);
        None
    }
}

/// How a user names an object to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportTarget<I> {
    /// By the text of `terraform import` or an `import` block's `id`.
    Id(String),
    /// By an `import` block's `identity`.
    Identity(I),
}

/// State as it is stored, in the shape of some version of some type.
#[derive(Debug, Clone, Copy)]
pub struct StoredState<'a> {
    /// The version of the shape.
    pub version: i64,
    /// JSON.
    pub json: &'a str,
}

impl StoredState<'_> {
    /// Reads the state as a value of the type; what the type lacks is dropped, what the state lacks is null.
    pub fn read(&self, kind: &Type) -> Result<Value, JsonError> {
        from_json(self.json, kind)
    }

    fn unreadable(&self, type_name: &str) -> Diagnostics {
        let version = self.version;
        Diagnostic::error(
            format!("State of {type_name} cannot be upgraded"),
            format!("The state has version {version}, which this version of the provider cannot read. Upgrade in smaller steps."),
        )
        .into()
    }
}

/// The identity of resources that have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoIdentity;

mod no_identity {
    use super::NoIdentity;
    use crate::model::Model;
    use crate::schema::{AttributeKind, Attributes, Nesting};
    use crate::value::{AttributeValue, ConversionError, Convert, Path, Value};

    impl Convert for NoIdentity {
        fn from_value(_: &Value, _: &Path) -> Result<Self, ConversionError> {
            Ok(Self)
        }

        fn to_value(&self) -> Value {
            Value::Object(std::collections::BTreeMap::new())
        }
    }

    impl AttributeValue for NoIdentity {
        type Plan = Self;

        fn kind() -> AttributeKind {
            AttributeKind::Nested(Nesting::Single, Attributes::new())
        }
    }

    impl Model for NoIdentity {
        const DESCRIPTION: &'static str = "";

        fn attributes() -> Attributes {
            Attributes::new()
        }
    }
}
