//! The private state that a plan writes reaches every operation on the object.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use terraform_plugin::diagnostics::Diagnostics;
use terraform_plugin::model::Model;
use terraform_plugin::provider::{ConfigureContext, Provider, Registry};
use terraform_plugin::resource::{
    NoIdentity, Operation, PlanKind, Planning, PrivateState, Resource,
};
use terraform_plugin::testing::driver::{Driver, Stored};
use terraform_plugin::value::Value;

use crate::bucket::text;

const SLOT: &str = "claims_slot";
const CLAIM: &str = "claim";

/// What saw which claim.
type Seen = (&'static str, Option<String>);

#[derive(Default)]
struct Record {
    claims: u64,
    seen: Vec<Seen>,
}

type Shared = Arc<Mutex<Record>>;

/// A slot that its object claims.
#[derive(Model)]
struct Slot {
    /// Name of the slot.
    #[tf(replace)]
    name: String,
    /// Free text.
    note: Option<String>,
}

struct SlotResource;

fn claim(private: &PrivateState) -> Option<String> {
    private.get(CLAIM)
}

fn see(operation: &Operation<Shared>, name: &'static str) {
    let seen = (name, claim(&operation.private));
    operation.client().lock().unwrap().seen.push(seen);
}

impl Resource for SlotResource {
    type Client = Shared;
    type State = Slot;
    type Identity = NoIdentity;
    const TYPE_NAME: &'static str = SLOT;

    async fn create(
        &self,
        operation: &mut Operation<Shared>,
        planned: Slot,
    ) -> Result<Slot, Diagnostics> {
        see(operation, "create");
        Ok(planned)
    }

    async fn read(
        &self,
        operation: &mut Operation<Shared>,
        state: Slot,
    ) -> Result<Option<Slot>, Diagnostics> {
        see(operation, "read");
        Ok(Some(state))
    }

    async fn update(
        &self,
        operation: &mut Operation<Shared>,
        _: Slot,
        planned: Slot,
    ) -> Result<Slot, Diagnostics> {
        see(operation, "update");
        Ok(planned)
    }

    async fn delete(&self, operation: &mut Operation<Shared>, _: Slot) -> Result<(), Diagnostics> {
        see(operation, "delete");
        Ok(())
    }

    async fn modify_plan(&self, planning: &mut Planning<'_, Self>) -> Result<(), Diagnostics> {
        let mut record = planning.client.unwrap().lock().unwrap();
        let (name, seen) = match planning.kind {
            PlanKind::Create => (
                "plan of a creation",
                planning.replaced.as_ref().and_then(claim),
            ),
            PlanKind::Update => ("plan of an update", claim(&planning.private)),
        };
        record.seen.push((name, seen));
        if claim(&planning.private).is_none() {
            record.claims += 1;
            let new = format!("{:016x}", record.claims);
            planning.private.set(CLAIM, &new).unwrap();
        }
        Ok(())
    }

    async fn plan_delete(
        &self,
        operation: &mut Operation<Shared>,
        _: Slot,
    ) -> Result<(), Diagnostics> {
        see(operation, "plan of a deletion");
        Ok(())
    }
}

/// Keeps slots.
#[derive(Model)]
struct Configuration {}

#[derive(Default)]
struct Claims(Shared);

impl Provider for Claims {
    type Config = Configuration;
    type Client = Shared;

    async fn configure(
        &self,
        _: Configuration,
        _: &mut ConfigureContext,
    ) -> Result<Shared, Diagnostics> {
        Ok(Arc::clone(&self.0))
    }

    fn register(&self, registry: &mut Registry<Shared>) {
        registry.resource(SlotResource);
    }
}

struct Run {
    driver: Driver<Claims>,
    record: Shared,
}

impl Run {
    async fn new() -> Self {
        let provider = Claims::default();
        let record = Arc::clone(&provider.0);
        let driver = Driver::configure(provider, Value::Object(BTreeMap::new())).await;
        Self {
            driver: driver.unwrap(),
            record,
        }
    }

    async fn apply(&self, config: &Value, prior: Option<&Stored>) -> Option<Stored> {
        let applied = self.driver.apply(SLOT, config, prior).await.unwrap();
        assert!(applied.diagnostics.is_empty());
        applied.stored
    }

    /// Returns what saw which claim since the last call. Equal entries in a row are one.
    fn seen(&self) -> Vec<Seen> {
        let mut seen = std::mem::take(&mut self.record.lock().unwrap().seen);
        seen.dedup();
        seen
    }
}

fn slot(name: &str, note: Value) -> Value {
    Value::object([("name", text(name)), ("note", note)])
}

fn numbered(number: u64) -> String {
    format!("{number:016x}")
}

fn stored_claim(stored: &Stored) -> Option<String> {
    let private: serde_json::Value = serde_json::from_slice(&stored.private).ok()?;
    Some(private.get(CLAIM)?.as_str()?.to_owned())
}

#[tokio::test]
async fn every_operation_sees_what_the_plan_of_the_creation_wrote() {
    let run = Run::new().await;
    let created = run.apply(&slot("a", Value::Null), None).await.unwrap();
    // Terraform plans twice, and the creation has the private state of the last plan.
    let expected = [("plan of a creation", None), ("create", Some(numbered(2)))];
    assert_eq!(run.seen(), expected);

    let read = run.driver.read(SLOT, &created).await.unwrap().unwrap();
    assert_eq!(run.seen(), [("read", Some(numbered(2)))]);
    assert_eq!(read.private, created.private);

    let updated = run.apply(&slot("a", text("n")), Some(&read)).await.unwrap();
    let expected = [
        ("plan of an update", Some(numbered(2))),
        ("update", Some(numbered(2))),
    ];
    assert_eq!(run.seen(), expected);
    assert_eq!(stored_claim(&updated), Some(numbered(2)));

    assert!(run.apply(&Value::Null, Some(&updated)).await.is_none());
    let expected = [
        ("plan of a deletion", Some(numbered(2))),
        ("delete", Some(numbered(2))),
    ];
    assert_eq!(run.seen(), expected);
}

#[tokio::test]
async fn an_update_stores_what_its_plan_wrote() {
    let run = Run::new().await;
    let created = run.apply(&slot("a", Value::Null), None).await.unwrap();
    run.seen();
    let unclaimed = Stored {
        private: Vec::new().into(),
        ..created
    };
    let updated = run.apply(&slot("a", text("n")), Some(&unclaimed)).await;
    let expected = [("plan of an update", None), ("update", Some(numbered(4)))];
    assert_eq!(run.seen(), expected);
    assert_eq!(stored_claim(&updated.unwrap()), Some(numbered(4)));
}

#[tokio::test]
async fn both_plans_and_the_deletion_of_a_replacement_see_the_private_data_of_the_replaced_object()
{
    let run = Run::new().await;
    let created = run.apply(&slot("a", Value::Null), None).await.unwrap();
    run.seen();
    let replaced = run.apply(&slot("b", Value::Null), Some(&created)).await;
    let expected = [
        ("plan of an update", Some(numbered(2))),
        ("plan of a creation", Some(numbered(2))),
        ("delete", Some(numbered(2))),
        ("plan of a creation", None),
        ("create", Some(numbered(4))),
    ];
    assert_eq!(run.seen(), expected);
    assert_eq!(stored_claim(&replaced.unwrap()), Some(numbered(4)));
}
