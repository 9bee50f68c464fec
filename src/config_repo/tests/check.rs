//! Creations that are judged before they are made.

use std::time::Duration;

use nautes_model::RepositoryId;
use nautes_model::validation::explain::{Situation, explain};

use super::parking::code_repo;
use super::world::{World, project};
use crate::config_repo::{Checks, Error, PutMode};

const UNASSIGNED: u64 = RepositoryId::UNASSIGNED.number();

#[tokio::test(flavor = "multi_thread")]
async fn a_check_waits_for_what_another_request_brings_and_writes_nothing_itself() {
    let world = World::new().await;
    let process = world.process();
    let (repository, busy) = (process.open(), process.open());
    let checks = repository.check(code_repo(world.product, UNASSIGNED, "shop"), Checks::Full);
    let brings = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let shop = project(world.product, "shop", "");
        busy.put(shop, PutMode::Create, Checks::Full).await
    };
    let (checked, brought) = tokio::join!(checks, brings);
    let brought = brought.unwrap().snapshot;
    let checked = checked.unwrap();
    assert_eq!(checked.commit(), brought.commit());
    assert_eq!(checked.tree().code_repos().count(), 0);
    assert_eq!(world.commits().await.len(), 3);

    let again = code_repo(world.product, UNASSIGNED, "shop");
    repository.check(again, Checks::Full).await.unwrap();
    assert_eq!(world.commits_sent(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_nobody_can_help_fails_as_the_creation_would() {
    let world = World::new().await;
    let process = world.process();
    let repository = process.open();
    let entity = code_repo(world.product, UNASSIGNED, "shop");
    let outcome = repository.check(entity, Checks::Full).await;
    let Err(Error::Refused {
        key,
        violations,
        trees,
    }) = outcome
    else {
        panic!("{outcome:?}")
    };
    let situation = Situation {
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
        "The code repository `source` names it (`project`). Product `shop` has no project."
    );
    assert_eq!(explanation.field.as_ref().unwrap().to_string(), "project");
    assert_eq!(world.commits_sent(), 0);
}
