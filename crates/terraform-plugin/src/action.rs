//! Actions: operations without an object in the state, such as a restart or a synchronisation.

use std::future::{Future, ready};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::{Diagnostic, Diagnostics, Warnings};
use crate::model::{Model, PlanOf};
use crate::schema::Schema;
use crate::value::{Convert, Path, Type, Value};

/// A kind of action.
pub trait Action: Send + Sync + 'static {
    /// The client that the provider's configuration produced.
    type Client: Send + Sync + 'static;
    /// The arguments. Their doc comment describes the action.
    type Config: Model;

    /// The type name, with the provider's prefix.
    const TYPE_NAME: &'static str;

    /// Validates a configuration beyond its schema, without network access.
    fn validate(&self, config: &PlanOf<Self::Config>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Checks a planned invocation.
    ///
    /// The client is `None` while the provider's configuration is not known.
    fn plan(
        &self,
        client: Option<&Arc<Self::Client>>,
        config: PlanOf<Self::Config>,
        warnings: &mut Warnings,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (client, config, warnings);
        ready(Ok(()))
    }

    /// Runs the action.
    ///
    /// It continues if Terraform exits. After an interrupt it has a few seconds to finish its current step.
    fn invoke(
        &self,
        invocation: &mut Invocation<Self::Client>,
        config: Self::Config,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;
}

/// One invocation of an action.
pub struct Invocation<C> {
    client: Arc<C>,
    interrupted: CancellationToken,
    progress: mpsc::Sender<String>,
    warnings: Diagnostics,
}

impl<C> Invocation<C> {
    pub(crate) fn new(
        client: Arc<C>,
        interrupted: CancellationToken,
        progress: mpsc::Sender<String>,
    ) -> Self {
        let warnings = Diagnostics::default();
        Self {
            client,
            interrupted,
            progress,
            warnings,
        }
    }

    /// Returns the client that the provider's configuration produced.
    pub fn client(&self) -> &Arc<C> {
        &self.client
    }

    /// Returns a token that is cancelled when the user interrupts the run. The invocation then has a few seconds left.
    pub fn interrupted(&self) -> &CancellationToken {
        &self.interrupted
    }

    /// Shows a line of progress to the user immediately.
    pub async fn progress(&mut self, message: impl Into<String>) {
        // The channel is closed if Terraform has exited.
        let _ = self.progress.send(message.into()).await;
    }

    /// Adds a warning, which users see when the invocation ends.
    pub fn warn(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.warnings.push(Diagnostic::warning(summary, detail));
    }

    pub(crate) fn into_warnings(self) -> Diagnostics {
        self.warnings
    }
}

#[async_trait]
pub(crate) trait ErasedAction<C>: Send + Sync {
    fn schema(&self) -> &Schema;
    fn value_type(&self) -> &Type;
    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics>;
    async fn plan(
        &self,
        client: Option<&Arc<C>>,
        config: &Value,
        warnings: &mut Warnings,
    ) -> Result<(), Diagnostics>;
    async fn invoke(
        &self,
        invocation: &mut Invocation<C>,
        config: &Value,
    ) -> Result<(), Diagnostics>;
}

pub(crate) struct Registered<A> {
    action: A,
    schema: Schema,
    value_type: Type,
}

impl<A: Action> Registered<A> {
    pub(crate) fn new(action: A) -> Self {
        let schema = A::Config::schema().into_arguments();
        Self {
            action,
            value_type: schema.value_type(),
            schema,
        }
    }
}

#[async_trait]
impl<A: Action> ErasedAction<A::Client> for Registered<A> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn value_type(&self) -> &Type {
        &self.value_type
    }

    fn validate(&self, config: &Value) -> Result<Diagnostics, Diagnostics> {
        let config = PlanOf::<A::Config>::from_value(config, &Path::root())?;
        Ok(self.action.validate(&config))
    }

    async fn plan(
        &self,
        client: Option<&Arc<A::Client>>,
        config: &Value,
        warnings: &mut Warnings,
    ) -> Result<(), Diagnostics> {
        let config = PlanOf::<A::Config>::from_value(config, &Path::root())?;
        self.action.plan(client, config, warnings).await
    }

    async fn invoke(
        &self,
        invocation: &mut Invocation<A::Client>,
        config: &Value,
    ) -> Result<(), Diagnostics> {
        let config = A::Config::from_value(config, &Path::root())?;
        self.action.invoke(invocation, config).await
    }
}
