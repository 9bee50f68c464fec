use std::collections::{BTreeMap, BTreeSet};

use kubernetes_apply::object::ObjectRef;
use nautes_model::{EntityName, RepositoryId};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::runtime::registry::{Contribution, Entry, Progress, RuntimeKey, RuntimeKind};

fn context() -> SharedContext {
    SharedContext {
        product: ProductId::new(42),
        members: "platform/demo".to_owned(),
        groups_prefix: "gitlab:".to_owned(),
        argo_cd: "argocd".to_owned(),
        vault: VaultAccess {
            server: "https://vault.example.com:8200".to_owned(),
            namespace: None,
            ca_pem: None,
            auth_mount: "deploy-01".to_owned(),
            audience: "vault".to_owned(),
        },
        has_hierarchies: false,
        reserved_namespaces: BTreeSet::from(["argo-rollouts".to_owned()]),
        cluster_resources: BTreeSet::from([ProductResource {
            group: "scheduling.k8s.io".to_owned(),
            kind: "PriorityClass".to_owned(),
            name: Some("shop-*".to_owned()),
        }]),
    }
}

fn runtime(name: &str) -> RuntimeKey {
    RuntimeKey {
        product: ProductId::new(42),
        kind: RuntimeKind::Deployment,
        name: EntityName::new(name).unwrap(),
    }
}

fn contribution(spaces: &[&str], account: &str, repository: u64) -> Contribution {
    let repository = RepositoryId::new(repository);
    Contribution {
        spaces: spaces.iter().map(|space| (*space).to_owned()).collect(),
        account: Some(account.to_owned()),
        vault: BTreeSet::from([readonly_policy(repository)]),
        repos: BTreeMap::from([(repository, format!("ssh://git@host/{repository}.git"))]),
        apps: BTreeSet::from([format!("product-42-{account}")]),
        push: BTreeSet::from([repository]),
    }
}

fn registry(entries: &[(&str, Contribution)]) -> Registry {
    let mut registry = Registry::default();
    for (name, contribution) in entries {
        let entry = Entry::new(Progress::Complete, contribution.clone());
        registry = registry.with(&runtime(name), Some(entry));
    }
    registry
}

fn find<'s>(shared: &'s Shared, kind: &str, namespace: &str, name: &str) -> &'s Value {
    let found = shared.objects.iter().find(|object| {
        let reference = object.reference();
        reference.kind.kind == kind
            && reference.namespace.as_deref().unwrap_or_default() == namespace
            && reference.name == name
    });
    found
        .unwrap_or_else(|| panic!("there is no {kind} {namespace}/{name}"))
        .json()
}

#[test]
fn the_objects_of_a_product_are_the_union_of_what_its_runtimes_contribute() {
    let registry = registry(&[
        ("web", contribution(&["shop-test"], "shop", 7)),
        ("api", contribution(&["shop-test", "shop-api"], "api", 8)),
    ]);
    let shared = Shared::derive(&registry, &context()).unwrap();

    let project = find(&shared, "AppProject", "argocd", "product-42");
    let to = |namespace: &str| json!({ "server": IN_CLUSTER, "namespace": namespace });
    let destinations = ["argo-rollouts", "product-42", "shop-api", "shop-test"].map(to);
    assert_eq!(
        project["spec"],
        json!({
            "sourceRepos": ["ssh://git@host/repo-7.git", "ssh://git@host/repo-8.git"],
            "destinations": destinations,
            "clusterResourceWhitelist": [
                { "group": "scheduling.k8s.io", "kind": "PriorityClass", "name": "shop-*" },
            ],
        })
    );
    for namespace in ["product-42", "shop-test", "shop-api"] {
        let members = find(&shared, "RoleBinding", namespace, "product-42");
        assert_eq!(members["subjects"][0]["name"], "gitlab:platform/demo");
        assert_eq!(members["roleRef"]["name"], "admin");
        let object = find(&shared, "Namespace", "", namespace);
        let label = &object["metadata"]["labels"]["resource.nautes.io/belongsto"];
        assert_eq!(label, "product-42");
    }
    find(&shared, "ServiceAccount", "shop-api", "api");
    let credential = find(
        &shared,
        "ExternalSecret",
        "argocd",
        "nautes-product-42-repo-7",
    );
    let template = &credential["spec"]["target"]["template"];
    assert_eq!(
        template["metadata"]["labels"]["argocd.argoproj.io/secret-type"],
        "repository"
    );
    assert_eq!(
        template["data"],
        json!({
            "type": "git", "name": "repo-7", "project": "product-42",
            "url": "ssh://git@host/repo-7.git", "sshPrivateKey": "{{ .deploykey }}",
        })
    );

    let role = &shared.roles["product-42-api"];
    assert_eq!(role.service_accounts, BTreeSet::from(["api".to_owned()]));
    let namespaces = ["shop-api", "shop-test"].map(str::to_owned);
    assert_eq!(role.namespaces, BTreeSet::from(namespaces));
    let policies = ["gitlab-repo-8-default-readonly".to_owned()];
    assert_eq!(role.token_policies, BTreeSet::from(policies));
    let reader = &shared.roles["product-42"];
    assert_eq!(reader.token_policies.len(), 2);
    assert_eq!(reader.audience, "vault");

    let policy = shared.policy.unwrap();
    assert_eq!(policy.key, "policy.nautes-product-42.csv");
    assert!(
        policy
            .text
            .ends_with("g, platform/demo, role:nautes-product-42\n"),
        "{}",
        policy.text
    );
}

#[test]
fn the_last_runtime_takes_everything_with_it_and_one_before_takes_its_own() {
    let web = contribution(&["shop-test"], "shop", 7);
    let api = contribution(&["shop-test", "shop-api"], "shop", 8);
    let both = registry(&[("web", web), ("api", api.clone())]);
    let leaving = Transition::withdraw(&both, &runtime("web"), &context()).unwrap();
    let names = |shared: &Shared| -> Vec<String> {
        let objects = shared.objects.iter();
        objects
            .map(|object| object.reference().to_string())
            .collect()
    };
    // The namespace and the account are still needed.
    assert_eq!(
        names(&leaving.remove),
        ["ExternalSecret.external-secrets.io argocd/nautes-product-42-repo-7"]
    );
    assert!(leaving.remove.roles.is_empty() && leaving.remove.policy.is_none());

    let alone = registry(&[("api", api)]);
    let leaving = Transition::withdraw(&alone, &runtime("api"), &context()).unwrap();
    let after = alone.with(&runtime("api"), leaving.after.clone());
    let departing = Transition::depart(&after, &runtime("api"), &context()).unwrap();
    assert_eq!(departing.apply, Shared::default());
    assert!(names(&departing.remove).contains(&"Namespace product-42".to_owned()));
    assert_eq!(leaving.remove.roles.len(), 2);
}

/// A cluster and a Vault: what they have besides the registry.
#[derive(Clone, Debug, Default, PartialEq)]
struct World {
    objects: BTreeMap<ObjectRef, Object>,
    roles: BTreeMap<String, KubernetesRole>,
    policies: BTreeMap<String, String>,
    hooks: BTreeSet<RepositoryId>,
}

impl World {
    fn new(shared: &Shared) -> Self {
        let mut world = Self::default();
        world.apply(shared);
        world
    }

    fn apply(&mut self, shared: &Shared) {
        for object in &shared.objects {
            let reference = object.reference().clone();
            self.objects.insert(reference, object.clone());
        }
        self.roles.extend(shared.roles.clone());
        let policy = shared.policy.iter();
        self.policies
            .extend(policy.map(|policy| (policy.key.clone(), policy.text.clone())));
        self.hooks.extend(&shared.hooks);
    }

    fn remove(&mut self, shared: &Shared) {
        for object in &shared.objects {
            self.objects.remove(object.reference());
        }
        for name in shared.roles.keys() {
            self.roles.remove(name);
        }
        if let Some(policy) = &shared.policy {
            self.policies.remove(&policy.key);
        }
        self.hooks.retain(|hook| !shared.hooks.contains(hook));
    }
}

/// What happens to a runtime.
#[derive(Clone, Debug)]
enum Event {
    Contribute(usize, Contribution),
    Settle(usize),
    Delete(usize),
    /// A run is killed after it has written the entry of a deletion.
    KilledDelete(usize),
    /// A run is killed after it has written the entry of a change.
    KilledContribute(usize, Contribution),
}

const NAMES: [&str; 3] = ["web", "api", "ci"];

fn contributions() -> impl Strategy<Value = Contribution> {
    let spaces = proptest::sample::subsequence(vec!["a", "b", "c"], 1..=3);
    let account = proptest::sample::select(vec!["shop", "api"]);
    (spaces, account, 7..9_u64, any::<bool>()).prop_map(|(spaces, account, repository, deploys)| {
        let mut contribution = contribution(&spaces, account, repository);
        if !deploys {
            contribution.apps.clear();
            contribution.repos.clear();
        }
        contribution
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let runtime = || 0..NAMES.len();
    let event = prop_oneof![
        3 => (runtime(), contributions()).prop_map(|(runtime, it)| Event::Contribute(runtime, it)),
        2 => runtime().prop_map(Event::Settle),
        1 => runtime().prop_map(Event::Delete),
        1 => runtime().prop_map(Event::KilledDelete),
        1 => (runtime(), contributions()).prop_map(|(runtime, it)| Event::KilledContribute(runtime, it)),
    ];
    proptest::collection::vec(event, 1..30)
}

/// Whether a step of a run is the last one that it takes.
#[derive(Clone, Copy, PartialEq)]
enum Run {
    GoesOn,
    /// It was killed after it had written the entry.
    Killed,
}

/// Carries out a step: writes the entry, applies and removes.
fn step(registry: &mut Registry, world: &mut World, key: &RuntimeKey, step: &Transition, run: Run) {
    if let Some(entry) = &step.before {
        *registry = registry.with(key, Some(entry.clone()));
    }
    if run == Run::Killed {
        return;
    }
    if step.after.is_some() {
        let needed = Shared::derive(registry, &context()).unwrap();
        let kept = needed.without(&step.remove);
        assert_eq!(kept, needed, "something needed is removed");
    }
    world.apply(&step.apply);
    world.remove(&step.remove);
    *registry = registry.with(key, step.after.clone());
}

fn delete(registry: &mut Registry, world: &mut World, key: &RuntimeKey, run: Run) {
    if registry.get(key).is_none() {
        return;
    }
    let withdraw = Transition::withdraw(registry, key, &context()).unwrap();
    step(registry, world, key, &withdraw, run);
    if run == Run::GoesOn {
        let depart = Transition::depart(registry, key, &context()).unwrap();
        step(registry, world, key, &depart, run);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_history_ends_in_what_is_derived_from_the_final_registry(events in events()) {
        let (mut registry, mut world) = (Registry::default(), World::default());
        let foreign = contribution(&["theirs"], "theirs", 99);
        let foreign = self::registry(&[("theirs", foreign)]);
        let other = SharedContext { product: ProductId::new(43), ..context() };
        let foreign = Shared::derive(&foreign, &other).unwrap();
        world.apply(&foreign);
        for event in events {
            let (index, contribution, run) = match event {
                Event::Contribute(index, contribution) => (index, contribution, Run::GoesOn),
                Event::KilledContribute(index, contribution) => (index, contribution, Run::Killed),
                Event::Settle(index) => {
                    let key = runtime(NAMES[index]);
                    if registry.get(&key).is_some_and(|entry| entry.progress != Progress::Deleting) {
                        let settle = Transition::settle(&registry, &key, &context()).unwrap();
                        step(&mut registry, &mut world, &key, &settle, Run::GoesOn);
                    }
                    continue;
                }
                Event::Delete(index) => {
                    delete(&mut registry, &mut world, &runtime(NAMES[index]), Run::GoesOn);
                    continue;
                }
                Event::KilledDelete(index) => {
                    delete(&mut registry, &mut world, &runtime(NAMES[index]), Run::Killed);
                    continue;
                }
            };
            let key = runtime(NAMES[index]);
            let contribute =
                Transition::contribute(&registry, &key, contribution, &context()).unwrap();
            step(&mut registry, &mut world, &key, &contribute, run);
        }
        // What was begun is finished.
        for name in NAMES {
            let key = runtime(name);
            match registry.get(&key).map(|entry| entry.progress) {
                None => {}
                Some(Progress::Deleting) => delete(&mut registry, &mut world, &key, Run::GoesOn),
                Some(_) => {
                    let settle = Transition::settle(&registry, &key, &context()).unwrap();
                    step(&mut registry, &mut world, &key, &settle, Run::GoesOn);
                }
            }
        }
        let last = registry.clone();
        let mut expected = World::new(&Shared::derive(&last, &context()).unwrap());
        expected.apply(&foreign);
        prop_assert_eq!(world, expected);
    }
}
