//! Actions: what users can have done that is no object, such as a restart or a synchronisation.

use std::future::{Future, ready};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::model::{Model, PlanOf};
use crate::schema::Schema;
use crate::value::{Convert, Path, Type, Value};

/// A kind of action.
pub trait Action: Send + Sync + 'static {
    /// What the provider made of its configuration.
    type Client: Send + Sync + 'static;
    /// The arguments; their doc comment describes the action.
    type Config: Model;

    /// The type name with the provider's prefix.
    const TYPE_NAME: &'static str;

    /// Checks a configuration beyond what the schema says, without the network.
    fn validate(&self, config: &PlanOf<Self::Config>) -> Diagnostics {
        let _ = config;
        Diagnostics::default()
    }

    /// Looks at a planned invocation, to warn or to refuse it.
    ///
    /// The client is `None` while the provider's configuration is not known.
    fn plan(
        &self,
        client: Option<&Arc<Self::Client>>,
        config: PlanOf<Self::Config>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (client, config);
        ready(Ok(()))
    }

    /// Does it.
    ///
    /// It goes on when Terraform is gone, and gets a few seconds to come to a step's end when the user interrupts the
    /// run.
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

    /// What the provider made of its configuration.
    pub fn client(&self) -> &Arc<C> {
        &self.client
    }

    /// A token that is cancelled when the user interrupts the run; the invocation then has a few seconds left.
    pub fn interrupted(&self) -> &CancellationToken {
        &self.interrupted
    }

    /// Tells the user at once how far it has come, in one line.
    pub async fn progress(&mut self, message: impl Into<String>) {
        // Nobody reads on when Terraform is gone.
        let _ = self.progress.send(message.into()).await;
    }

    /// Adds a message that does not fail the invocation; users read it at the end.
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
    async fn plan(&self, client: Option<&Arc<C>>, config: &Value) -> Result<(), Diagnostics>;
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
    ) -> Result<(), Diagnostics> {
        let config = PlanOf::<A::Config>::from_value(config, &Path::root())?;
        self.action.plan(client, config).await
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
