//! The manifests that may resolve a violation.

use std::collections::HashSet;
use std::mem::discriminant;

use nautes_model::entity::{Entity, WorkerType};
use nautes_model::layout::Repository;
use nautes_model::tree::ManifestTree;
use nautes_model::validation::{
    Context, EntityPattern, FieldPath, ManifestPattern, OtherRuntime, Problem, Rule, Subject,
    Violation, violations,
};
use nautes_model::{EntityKey, Kind, ProductId, RepositoryId};

use crate::golden::{PRODUCT, name};
use crate::shop::{self, SOURCE, key};

const OWN: Repository = Repository::Product(PRODUCT);
const OTHER: Repository = Repository::Product(ProductId::new(7));

fn entity(repository: Repository, key: EntityKey) -> ManifestPattern {
    ManifestPattern {
        repository,
        entities: EntityPattern::Entity(key),
    }
}

fn kind(repository: Repository, kind: Kind) -> ManifestPattern {
    ManifestPattern {
        repository,
        entities: EntityPattern::Kind(kind),
    }
}

fn runtime() -> EntityKey {
    key(Kind::PipelineRuntime, "ci")
}

/// Every rule, with the manifests that may resolve its violation by the pipeline runtime `ci`.
#[expect(clippy::too_many_lines, reason = "it has an entry for every rule")]
fn every_rule() -> Vec<(Rule, Vec<ManifestPattern>)> {
    let field = || FieldPath::new("field");
    let subject = || entity(OWN, runtime());
    let cluster = || name("build-01");
    let code_repo = || entity(OWN, key(Kind::CodeRepo, "repo-128"));
    let other = || key(Kind::DeploymentRuntime, "live");
    let other_runtime = |product| OtherRuntime {
        product,
        key: other(),
    };
    vec![
        (
            Rule::Unreadable {
                reason: String::new(),
            },
            vec![],
        ),
        (
            Rule::Misplaced {
                path: "runtimes/ci.yaml".into(),
            },
            vec![],
        ),
        (Rule::Duplicate { paths: vec![] }, vec![subject()]),
        (
            Rule::PathTaken {
                path: "projects/ci/ci.yaml".into(),
                occupant: Some(key(Kind::Project, "ci")),
            },
            vec![entity(OWN, key(Kind::Project, "ci"))],
        ),
        (
            Rule::PathTaken {
                path: "projects/shop/ci.yaml".into(),
                occupant: None,
            },
            vec![entity(OWN, runtime())],
        ),
        (
            Rule::Invalid {
                field: field(),
                problem: Problem::Empty,
            },
            vec![],
        ),
        (
            Rule::ForeignProduct {
                product: ProductId::new(7),
            },
            vec![],
        ),
        (
            Rule::Missing {
                field: field(),
                target: key(Kind::Project, "shop"),
            },
            vec![subject(), entity(OWN, key(Kind::Project, "shop"))],
        ),
        (
            Rule::Missing {
                field: field(),
                target: key(Kind::Cluster, "build-01"),
            },
            vec![
                subject(),
                entity(Repository::Tenant, key(Kind::Cluster, "build-01")),
            ],
        ),
        (
            Rule::NotAuthorised {
                field: field(),
                project: name("shop"),
                code_repo: SOURCE,
            },
            vec![subject(), kind(OWN, Kind::CodeRepoBinding), code_repo()],
        ),
        (
            Rule::NotReported {
                field: field(),
                event: "push_events".into(),
                code_repo: SOURCE,
            },
            vec![subject(), code_repo()],
        ),
        (
            Rule::ClusterShared {
                cluster: cluster(),
                with: other(),
            },
            vec![subject(), entity(OWN, other())],
        ),
        (
            Rule::SourceShared {
                with: other(),
                path: "ci.yaml".into(),
            },
            vec![subject(), entity(OWN, other())],
        ),
        (
            Rule::NamespaceShared {
                cluster: cluster(),
                namespace: "ci".into(),
                with: other_runtime(None),
            },
            vec![
                subject(),
                entity(OWN, other()),
                kind(OWN, Kind::Environment),
            ],
        ),
        (
            Rule::ApplicationShared {
                cluster: cluster(),
                with: other_runtime(Some(ProductId::new(7))),
            },
            vec![
                subject(),
                entity(OTHER, other()),
                kind(OWN, Kind::Environment),
                kind(OTHER, Kind::Environment),
            ],
        ),
        (
            Rule::WrongWorkerType {
                cluster: cluster(),
                expected: WorkerType::Pipeline,
            },
            vec![],
        ),
        (Rule::NoPipelineComponent { cluster: cluster() }, vec![]),
        (
            Rule::ReservedNamespace {
                cluster: cluster(),
                namespace: "argocd".into(),
            },
            vec![],
        ),
        (Rule::NotAHost { host: cluster() }, vec![]),
        (
            Rule::ClusterInUse {
                product: ProductId::new(7),
                environment: name("build"),
            },
            vec![subject(), entity(OTHER, key(Kind::Environment, "build"))],
        ),
    ]
}

#[test]
fn every_rule_has_its_resolving_manifests() {
    for (rule, expected) in every_rule() {
        let violation = Violation {
            subject: Subject::Entity(runtime()),
            rule,
        };
        let resolving = violation.resolved_by(OWN);
        assert_eq!(resolving, expected, "{violation:?}");
        assert_eq!(
            violation.may_resolve(),
            !resolving.is_empty(),
            "{violation:?}"
        );
    }
}

/// The repositories of two products and of the tenant.
#[derive(Clone)]
struct World {
    own: ManifestTree,
    other: ManifestTree,
    tenant: ManifestTree,
}

impl World {
    /// Violates every rule that may resolve, except the one for occupied paths, which no tree can
    /// violate.
    fn with_violations() -> Self {
        let other = ProductId::new(7);
        let mut world = Self {
            own: shop::product(),
            other: ManifestTree::new(Repository::Product(other)),
            tenant: shop::tenant(),
        };
        let mut again = shop::pipeline_runtime("again");
        again.destination.namespace = Some("checkout-ci".into());
        again.pipeline_source = RepositoryId::new(7);
        let mut foreign_environment = shop::environment("prod", "deploy-01");
        foreign_environment.product = other;
        let mut foreign_user = shop::environment("lost", "gone");
        foreign_user.product = other;
        let mut foreign_runtime = shop::deployment_runtime("checkout-staging");
        foreign_runtime.product = other;
        foreign_runtime.destination.environment = name("prod");
        let mut silent = shop::code_repo(SOURCE, "checkout-src", None);
        silent.webhook_events = None;
        let own: [Entity; 4] = [
            shop::environment("live", "deploy-01").into(),
            silent.into(),
            shop::deployment_runtime("copy").into(),
            again.into(),
        ];
        for entity in own {
            world.own.put(&entity).expect("its path is free");
        }
        for entity in [
            Entity::from(foreign_environment),
            foreign_user.into(),
            foreign_runtime.into(),
        ] {
            world.other.put(&entity).expect("its path is free");
        }
        let project = include_str!("../../golden/manifests/project.yaml");
        world.own.put_file("projects/checkout/copy.yaml", project);
        world
    }

    fn violations(&self) -> Vec<(Repository, Violation)> {
        let product = Context {
            clusters: Some(&self.tenant),
            other_products: &[&self.other],
            nautes_reconciles: true,
            ..Context::default()
        };
        let tenant = Context {
            other_products: &[&self.own, &self.other],
            ..Context::default()
        };
        let own = violations(&self.own, &product).into_iter();
        let own = own.map(|violation| (OWN, violation));
        let tenant = violations(&self.tenant, &tenant).into_iter();
        own.chain(tenant.map(|violation| (Repository::Tenant, violation)))
            .collect()
    }

    fn trees(&mut self) -> [&mut ManifestTree; 3] {
        [&mut self.own, &mut self.other, &mut self.tenant]
    }
}

#[test]
fn whatever_resolves_a_violation_matches_its_patterns() {
    let mut world = World::with_violations();
    let found = world.violations();
    let rules: HashSet<_> = found
        .iter()
        .map(|(_, violation)| discriminant(&violation.rule))
        .collect();
    assert_eq!(rules.len(), 9, "{found:#?}");
    let mut resolved = 0;
    for index in 0..3 {
        let tree = &world.trees()[index];
        let repository = tree.repository();
        let keys: Vec<EntityKey> = tree.entities().map(Entity::key).collect();
        for key in keys {
            let mut without = world.clone();
            without.trees()[index].remove(&key);
            let remaining = without.violations();
            for (owner, violation) in &found {
                let gone = !remaining.contains(&(*owner, violation.clone()));
                if gone {
                    let patterns = violation.resolved_by(*owner);
                    assert!(
                        patterns
                            .iter()
                            .any(|pattern| pattern.matches(repository, &key)),
                        "{key} of {repository:?} resolves {violation:?}"
                    );
                    resolved += 1;
                }
            }
        }
    }
    assert!(resolved > found.len(), "most violations have two parties");
}
