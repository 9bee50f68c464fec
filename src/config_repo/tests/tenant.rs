//! The tenant's repository, and what products depend on in it.

use std::time::Duration;

use nautes_model::Kind;
use nautes_model::entity::{Cluster, ClusterShape, Entity, WorkerType};

use super::world::{Process, World, default_project, key, name, on_cluster};
use crate::backends::gitlab::{NewGroup, Visibility};
use crate::config_repo::{Error, PutMode, TenantRepository, Validation};

fn cluster(of: &str) -> Entity {
    Entity::Cluster(Cluster {
        name: name(of),
        namespace: Cluster::NAMESPACE.into(),
        api_server: "https://10.0.0.1:6443".into(),
        shape: ClusterShape::PhysicalWorker(WorkerType::Deployment),
        primary_domain: None,
        components: [].into(),
        reserved_namespaces_allowed_products: [].into(),
        product_allowed_cluster_resources: [].into(),
    })
}

struct TenantWorld {
    world: World,
    place: TenantRepository,
}

impl TenantWorld {
    async fn new() -> Self {
        let world = World::new().await;
        let gitlab = world.gitlab();
        let group = NewGroup {
            name: "nautes".into(),
            path: "nautes".into(),
            parent_id: None,
            description: String::new(),
            visibility: Visibility::Private,
        };
        let group = gitlab.create_group(&group).await.unwrap();
        let mut management = default_project(group.id, true);
        "management".clone_into(&mut management.name);
        "management".clone_into(&mut management.path);
        gitlab.create_project(&management).await.unwrap();
        let place = TenantRepository {
            project: "nautes/management".into(),
            branch: "main".into(),
            create: false,
        };
        Self { world, place }
    }

    fn process(&self) -> Process {
        self.world.process_with(Some(self.place.clone()))
    }
}

async fn add_cluster(process: &Process, of: &str) {
    let tenant = process.repositories.tenant().await.unwrap().unwrap();
    let request = tenant.begin(cluster(of).key());
    tenant
        .put(&request, cluster(of), PutMode::Create, Validation::Skip)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_are_kept_in_the_tenants_repository() {
    let tenant = TenantWorld::new().await;
    add_cluster(&tenant.process(), "host-a").await;
    let process = tenant.process();
    let repository = process.repositories.tenant().await.unwrap().unwrap();
    let snapshot = repository.snapshot().await.unwrap();
    assert_eq!(
        snapshot.get(&key(Kind::Cluster, "host-a")),
        Some(&cluster("host-a"))
    );
    assert!(snapshot.tree().is_listed(&key(Kind::Cluster, "host-a")));
    assert!(
        tenant
            .world
            .process()
            .repositories
            .tenant()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_needs_its_cluster_and_waits_for_it() {
    let tenant = TenantWorld::new().await;
    let product = tenant.world.product;
    add_cluster(&tenant.process(), "a").await;
    let process = tenant.process();
    process
        .create(on_cluster(product, "dev", "a"))
        .await
        .unwrap();
    let refused = process.create(on_cluster(product, "test", "b")).await;
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");

    let waits = process.create(on_cluster(product, "test", "b"));
    let brings = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        add_cluster(&tenant.process(), "b").await;
    };
    let (waited, ()) = tokio::join!(waits, brings);
    waited.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_a_product_uses_is_not_deleted() {
    let tenant = TenantWorld::new().await;
    add_cluster(&tenant.process(), "a").await;
    let process = tenant.process();
    process
        .create(on_cluster(tenant.world.product, "dev", "a"))
        .await
        .unwrap();
    let repository = process.repositories.tenant().await.unwrap().unwrap();
    let repository = repository.beside([process.open()]);
    let a = key(Kind::Cluster, "a");
    let request = repository.begin(a.clone());
    let outcome = repository.delete(&request, &a, Validation::Full).await;
    assert!(matches!(outcome, Err(Error::Refused { .. })), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_repository_that_is_not_there_is_not_taken_for_the_products() {
    let world = World::new().await;
    let place = TenantRepository {
        project: "nautes/misspelt".into(),
        branch: "main".into(),
        create: false,
    };
    let process = world.process_with(Some(place));
    let outcome = process
        .create(on_cluster(world.product, "dev", "somewhere"))
        .await;
    let Err(Error::Tenant { project, source }) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(project, "nautes/misspelt");
    assert!(source.is_not_found());
    let opened = process.repositories.tenant().await;
    assert!(matches!(opened, Err(Error::Tenant { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_repository_is_created_when_it_is_first_written() {
    let tenant = TenantWorld::new().await;
    let place = TenantRepository {
        project: "nautes/clusters".into(),
        create: true,
        ..tenant.place.clone()
    };
    let process = tenant.world.process_with(Some(place.clone()));
    assert!(process.repositories.tenant().await.unwrap().is_none());
    let created = process.repositories.ensure_tenant().await.unwrap().unwrap();
    add_cluster(&process, "a").await;
    let other = tenant.world.process_with(Some(place));
    let found = other.repositories.tenant().await.unwrap().unwrap();
    assert_eq!(found.project(), created.project());
    let snapshot = found.snapshot().await.unwrap();
    assert!(snapshot.tree().is_listed(&key(Kind::Cluster, "a")));

    let without_group = TenantRepository {
        project: "nobody/clusters".into(),
        create: true,
        ..tenant.place
    };
    let process = tenant.world.process_with(Some(without_group));
    let refused = process.repositories.ensure_tenant().await;
    assert!(matches!(refused, Err(Error::Tenant { .. })), "{refused:?}");
}
