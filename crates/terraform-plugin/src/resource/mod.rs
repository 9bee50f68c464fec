//! Managed resources: the trait to implement, and what its methods receive.

mod erased;
mod import_mark;
mod operation;
mod planned_private;
mod planning;
mod private;
mod timeouts;

use std::future::{Future, ready};

pub(crate) use erased::{ErasedResource, PlanRequest, Registered};
pub(crate) use import_mark::{add_import_mark, take_import_mark};
pub use operation::Operation;
pub(crate) use operation::{Limits, Outcome};
pub(crate) use planned_private::{PlannedAction, PlannedPrivate};
pub use planning::{PlanKind, Planning};
pub use private::PrivateState;
pub(crate) use timeouts::OperationKind;
pub use timeouts::{DefaultTimeouts, Timeouts};

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::{Model, PlanOf};
use crate::value::{JsonError, Type, Value, from_json};

/// A kind of managed resource.
///
/// The framework plans according to the schema of [`Resource::State`], validates values, enforces time limits and
/// responds to Terraform. An implementation creates, reads, updates and deletes the remote object.
///
/// A creation must be able to resume an earlier one that failed: if it fails, Terraform stores nothing, and the next
/// apply calls it again.
pub trait Resource: Send + Sync + 'static {
    /// The client that the provider's configuration produced, shared by all resources.
    type Client: Send + Sync + 'static;
    /// The state. In [`Resource::create`] and [`Resource::update`] its computed fields may be unknown.
    type State: Model;
    /// The attributes that identify the remote object, or [`NoIdentity`].
    type Identity: Model;

    /// The type name, with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// The version of the stored state.
    const VERSION: i64 = 0;
    /// The version of the stored identity.
    const IDENTITY_VERSION: i64 = 0;
    /// Whether the identity of an object may change while the object exists.
    ///
    /// A change is a bug otherwise, because users and other tools find the object by it.
    const IDENTITY_MAY_CHANGE: bool = false;
    /// The time limits of operations without a `timeouts` attribute.
    const TIMEOUTS: DefaultTimeouts = DefaultTimeouts::all(20 * 60);

    /// Creates the remote object, or resumes creating it, and returns the state with every field known.
    fn create(
        &self,
        operation: &mut Operation<Self::Client>,
        planned: Self::State,
    ) -> impl Future<Output = Result<Self::State, Diagnostics>> + Send;

    /// Reads the remote object. `None` means that the object does not exist; an error must never become `None`.
    fn read(
        &self,
        operation: &mut Operation<Self::Client>,
        state: Self::State,
    ) -> impl Future<Output = Result<Option<Self::State>, Diagnostics>> + Send;

    /// Updates the remote object to the plan and returns the state.
    ///
    /// If it fails, Terraform stores the last [recorded](Operation::record) state.
    fn update(
        &self,
        operation: &mut Operation<Self::Client>,
        prior: Self::State,
        planned: Self::State,
    ) -> impl Future<Output = Result<Self::State, Diagnostics>> + Send;

    /// Deletes the remote object. An object that does not exist is no error.
    fn delete(
        &self,
        operation: &mut Operation<Self::Client>,
        state: Self::State,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Validates a configuration beyond its schema, without network access.
    fn validate(&self, config: &PlanOf<Self::State>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Adjusts the plan that follows from the schema. The same input must give the same plan.
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

    /// Checks a planned deletion.
    fn plan_delete(
        &self,
        operation: &mut Operation<Self::Client>,
        state: Self::State,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (operation, state);
        ready(Ok(()))
    }

    /// Returns the identity of the object with this state, or `None` for resources without one.
    fn identity(&self, state: &Self::State) -> Option<Self::Identity> {
        let _ = state;
        None
    }

    /// Reads an existing remote object to import. `None` means that it does not exist.
    fn import(
        &self,
        operation: &mut Operation<Self::Client>,
        target: ImportTarget<Self::Identity>,
    ) -> impl Future<Output = Result<Option<Self::State>, Diagnostics>> + Send {
        let _ = (operation, target);
        let unsupported = Diagnostic::error(
            format!("{} cannot be imported", Self::TYPE_NAME),
            "The provider does not support importing this kind of resource.",
        );
        ready(Err(unsupported.into()))
    }

    /// Upgrades state that an older version of the provider stored.
    fn upgrade(&self, stored: &StoredState<'_>) -> Result<Self::State, Diagnostics> {
        Err(stored.unsupported_version(&format!("the state of {}", Self::TYPE_NAME)))
    }

    /// Upgrades an identity that an older version of the provider stored.
    fn upgrade_identity(&self, stored: &StoredState<'_>) -> Result<Self::Identity, Diagnostics> {
        Err(stored.unsupported_version(&format!("the identity of {}", Self::TYPE_NAME)))
    }

    /// Converts the state of another type of resource in a `moved` block, or returns `None` for unsupported types.
    fn move_from(
        &self,
        source_type: &str,
        stored: &StoredState<'_>,
    ) -> Option<Result<Self::State, Diagnostics>> {
        let _ = (source_type, stored);
        None
    }
}

/// How the user identifies an object to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportTarget<I> {
    /// By the id on the command line or in an `import` block.
    Id(String),
    /// By the `identity` of an `import` block.
    Identity(I),
}

/// Stored state or identity, with the schema of any version and type.
#[derive(Debug, Clone, Copy)]
pub struct StoredState<'a> {
    /// The version of its schema.
    pub version: i64,
    /// The content as JSON.
    pub json: &'a str,
}

impl StoredState<'_> {
    /// Decodes a value of the type. Attributes that only the state has are dropped; those that it lacks are null.
    pub fn read(&self, kind: &Type) -> Result<Value, JsonError> {
        from_json(self.json, kind)
    }

    fn unsupported_version(&self, subject: &str) -> Diagnostics {
        let version = self.version;
        Diagnostic::error(
            format!("Cannot upgrade {subject}"),
            format!("It has version {version}, which this version of the provider does not support. Upgrade the provider in smaller steps, or downgrade to the version that wrote the state."),
        )
        .into()
    }
}

/// The identity type of resources without an identity.
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
