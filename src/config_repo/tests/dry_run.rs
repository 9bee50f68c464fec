//! Creations that are validated before they are made.

use std::time::Duration;

use nautes_model::RepositoryId;
use nautes_model::validation::explain::{ChangeContext, explain};

use super::waiting::code_repo;
use super::world::{World, project};
use crate::config_repo::{Error, PutMode, Validation};

const UNASSIGNED: u64 = RepositoryId::UNASSIGNED.number();

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_waits_for_what_another_request_brings_and_writes_nothing_itself() {
    let world = World::new().await;
    let process = world.process();
    let shop = project(world.product, "shop", "");
    let repo = code_repo(world.product, UNASSIGNED, "shop");
    let (repository, busy) = (process.open(), process.begin(&shop.key()));
    let request = process.begin(&repo.key());
    let dry_run = repository.dry_run(&request, repo.clone(), PutMode::Create, Validation::Full);
    let brings = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        process.put(&busy, shop, PutMode::Create).await
    };
    let (checked, brought) = tokio::join!(dry_run, brings);
    let brought = brought.unwrap().snapshot;
    let checked = checked.unwrap();
    assert_eq!(checked.commit(), brought.commit());
    assert_eq!(checked.tree().code_repos().count(), 0);
    assert_eq!(world.commits().await.len(), 3);

    let again = repository.dry_run(&request, repo, PutMode::Create, Validation::Full);
    again.await.unwrap();
    assert_eq!(world.commits_sent(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_that_nobody_can_help_fails_as_the_creation_would() {
    let world = World::new().await;
    let process = world.process();
    let repository = process.open();
    let entity = code_repo(world.product, UNASSIGNED, "shop");
    let request = process.begin(&entity.key());
    let outcome = repository
        .dry_run(&request, entity, PutMode::Create, Validation::Full)
        .await;
    let Err(Error::Refused {
        key,
        violations,
        trees,
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    let situation = ChangeContext {
        before: &trees.before,
        after: &trees.after,
        clusters: None,
        product_name: Some("shop"),
    };
    let [explanation] = &explain(&violations, &key, &situation)[..] else {
        panic!("{violations:?}")
    };
    assert_eq!(explanation.summary, "The project `shop` does not exist");
    assert_eq!(
        explanation.detail,
        "The code repository `source` references it (`project`). Product `shop` has no project."
    );
    assert_eq!(explanation.field.as_ref().unwrap().to_string(), "project");
    assert_eq!(world.commits_sent(), 0);
}
