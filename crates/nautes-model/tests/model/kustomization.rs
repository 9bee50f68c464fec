//! Kustomizations: rendered for a product, edited for the tenant.

use std::collections::BTreeSet;

use nautes_model::Kind;
use nautes_model::entity::ClusterShape;
use nautes_model::layout::{PRODUCT_KUSTOMIZATION, Repository, TENANT_KUSTOMIZATION};
use nautes_model::tree::{Kustomization, ManifestTree};
use nautes_model::yaml;
use proptest::prelude::*;
use serde_json::Value;

use crate::golden::{self, PRODUCT, name};
use crate::shop;

#[test]
fn entries_are_in_the_order_of_a_directory_walk() {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    for project in ["a", "a-b", "a.b"] {
        let mut entity = golden::project();
        entity.name = name(project);
        tree.put(&entity.into()).expect("its path is free");
    }
    let mut runtime = golden::pipeline_runtime();
    runtime.project = name("a");
    tree.put(&runtime.into()).expect("its path is free");
    assert!(tree.kustomization().ends_with(
        "resources:\n- ../projects/a/a.yaml\n- ../projects/a/checkout-ci.yaml\n\
         - ../projects/a-b/a-b.yaml\n- ../projects/a.b/a.b.yaml\n"
    ));
}

#[test]
fn the_tenants_kustomization_lists_cluster_files() {
    let tree = shop::tenant();
    assert!(
        tree.kustomization()
            .ends_with("resources:\n- build-01.yaml\n- deploy-01.yaml\n- host-01.yaml\n")
    );
    assert!(tree.is_listed(&shop::key(Kind::Cluster, "host-01")));
}

#[test]
fn a_kustomization_with_the_same_entries_stays_as_it_is() {
    let mut tree = shop::product();
    let text = tree.file(PRODUCT_KUSTOMIZATION).expect("it exists");
    let (mut entries, head): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with('-'));
    entries.reverse();
    let text = [head, entries].concat().join("\n");
    tree.put_file(PRODUCT_KUSTOMIZATION, text.clone());
    tree.update_kustomization();
    assert_eq!(tree.file(PRODUCT_KUSTOMIZATION), Some(text.as_str()));
}

#[test]
fn missing_and_stale_entries_are_reported_and_fixed() {
    let mut tree = shop::product();
    let key = shop::key(Kind::Environment, "staging");
    assert!(tree.is_listed(&key));
    let text = tree
        .file(PRODUCT_KUSTOMIZATION)
        .expect("it exists")
        .replace("envs/staging.yaml", "envs/gone.yaml");
    tree.put_file(PRODUCT_KUSTOMIZATION, text);
    assert!(!tree.is_listed(&key));
    assert_eq!(
        tree.stale_kustomization_entries(),
        BTreeSet::from(["../envs/gone.yaml".to_owned()])
    );
    tree.update_kustomization();
    assert!(tree.is_listed(&key));
    tree.remove_file(PRODUCT_KUSTOMIZATION);
    assert!(!tree.is_listed(&key));
}

#[test]
fn unknown_kinds_are_listed_but_invalid_files_are_not() {
    let mut tree = ManifestTree::new(Repository::Product(PRODUCT));
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    tree.put_file("artifact-repos/a/a.yaml", secret);
    tree.put_file("envs/broken.yaml", "a: [b");
    tree.put_file("envs/note.txt", "text");
    let listed = Kustomization::parse(&tree.kustomization())
        .expect("it is valid")
        .resources;
    assert_eq!(
        listed,
        BTreeSet::from(["../artifact-repos/a/a.yaml".to_owned()])
    );
}

#[test]
fn an_invalid_kustomization_is_rejected() {
    assert!(Kustomization::parse("a: [b").is_err());
    assert!(Kustomization::parse("resources: a").is_err());
    assert_eq!(
        Kustomization::parse("").expect("it lists nothing"),
        Kustomization::default()
    );
}

/// The tenant's repository with a kustomization.
fn tenant_with(kustomization: &str) -> ManifestTree {
    let mut tree = shop::tenant();
    tree.put_file(TENANT_KUSTOMIZATION, kustomization);
    tree
}

fn put_cluster(tree: &mut ManifestTree, name: &str) {
    tree.put(&shop::cluster(name, ClusterShape::Host).into())
        .expect("its path is free");
    tree.update_kustomization();
}

fn remove_cluster(tree: &mut ManifestTree, name: &str) {
    tree.remove(&shop::key(Kind::Cluster, name));
    tree.update_kustomization();
}

fn tenant_kustomization(tree: &ManifestTree) -> &str {
    tree.file(TENANT_KUSTOMIZATION).expect("it exists")
}

const EDITED_BY_PEOPLE: &str = "\
# The platform team owns this file.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: nautes

resources: # in any order
  # Before our clusters.
  - ../base
  - ./build-01.yaml
  - 'deploy-01.yaml' # production
  # The machines.
  - host-01.yaml

  - extra.yml # of the network team

# What follows is theirs too.
patches:
  - path: patch.yaml
    target: {kind: Cluster}
";

#[test]
fn the_tenants_kustomization_keeps_what_people_wrote() {
    let mut tree = tenant_with(EDITED_BY_PEOPLE);
    tree.put_file("nautes/overlays/production/clusters/extra.yml", "a: 1");
    tree.update_kustomization();
    assert_eq!(tenant_kustomization(&tree), EDITED_BY_PEOPLE);
    put_cluster(&mut tree, "edge-01");
    put_cluster(&mut tree, "zone-01");
    assert_eq!(
        tenant_kustomization(&tree),
        EDITED_BY_PEOPLE
            .replace(
                "  # The machines.\n  - host-01.yaml\n",
                "  # The machines.\n  - edge-01.yaml\n  - host-01.yaml\n"
            )
            .replace(
                "  - extra.yml # of the network team\n",
                "  - extra.yml # of the network team\n  - zone-01.yaml\n"
            )
    );
    for cluster in ["edge-01", "zone-01", "deploy-01", "build-01", "host-01"] {
        remove_cluster(&mut tree, cluster);
    }
    assert_eq!(
        tenant_kustomization(&tree),
        EDITED_BY_PEOPLE
            .replace("  - ./build-01.yaml\n", "")
            .replace("  - 'deploy-01.yaml' # production\n", "")
            .replace("  - host-01.yaml\n", "")
    );
}

#[test]
fn the_last_cluster_leaves_an_empty_list() {
    let mut tree = tenant_with("# ours\nresources: # all\n- host-01.yaml\nnamespace: a");
    for cluster in ["build-01", "deploy-01", "host-01"] {
        remove_cluster(&mut tree, cluster);
    }
    let emptied = "# ours\nresources: [] # all\nnamespace: a\n";
    assert_eq!(tenant_kustomization(&tree), emptied);
    put_cluster(&mut tree, "host-01");
    assert_eq!(
        tenant_kustomization(&tree),
        "# ours\nresources: # all\n- host-01.yaml\nnamespace: a\n"
    );
}

#[test]
fn a_kustomization_without_resources_gets_them() {
    let mut tree = tenant_with("namespace: a # theirs");
    tree.update_kustomization();
    assert_eq!(
        tenant_kustomization(&tree),
        "namespace: a # theirs\nresources:\n- build-01.yaml\n- deploy-01.yaml\n- host-01.yaml\n"
    );
}

#[test]
fn a_flow_sequence_is_rendered_anew() {
    let mut tree = tenant_with("{namespace: a, resources: [../base, host-01.yaml, gone.yaml]}");
    tree.update_kustomization();
    assert_eq!(
        tenant_kustomization(&tree),
        "namespace: a\nresources:\n- ../base\n- build-01.yaml\n- deploy-01.yaml\n- host-01.yaml\n"
    );
}

#[test]
fn an_unreadable_tenant_kustomization_stays_as_it_is() {
    for text in ["a: [b", "resources: a", "resources: [{a: b}]", "- a"] {
        let mut tree = tenant_with(text);
        put_cluster(&mut tree, "edge-01");
        assert_eq!(tenant_kustomization(&tree), text);
        assert!(!tree.is_listed(&shop::key(Kind::Cluster, "edge-01")));
    }
}

#[test]
fn files_of_other_people_are_neither_listed_nor_unlisted() {
    let mut tree = shop::tenant();
    let folder = "nautes/overlays/production/clusters";
    for file in ["listed.yaml", "unlisted.yaml"] {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
        tree.put_file(&format!("{folder}/{file}"), text);
    }
    let text = "resources:\n- listed.yaml\n- sub\n- https://example.com/a.yaml\n";
    tree.put_file(TENANT_KUSTOMIZATION, text);
    assert_eq!(tree.stale_kustomization_entries(), BTreeSet::new());
    for cluster in ["build-01", "deploy-01", "host-01"] {
        remove_cluster(&mut tree, cluster);
    }
    put_cluster(&mut tree, "host-01");
    assert_eq!(
        tenant_kustomization(&tree),
        format!("{text}- host-01.yaml\n")
    );
}

/// The texts of a kustomization that other people wrote.
#[derive(Debug, Clone)]
struct Foreign {
    head: Vec<String>,
    resources: Resources,
    tail: Vec<String>,
    line_break: &'static str,
    ends_with_line_break: bool,
}

#[derive(Debug, Clone)]
enum Resources {
    Absent,
    Empty(&'static str),
    Block {
        indent: &'static str,
        lines: Vec<String>,
    },
    Flow(Vec<String>),
}

impl Foreign {
    fn text(&self) -> String {
        let mut lines = self.head.clone();
        match &self.resources {
            Resources::Absent => {}
            Resources::Empty(value) => lines.push(format!("resources:{value}")),
            Resources::Flow(entries) => lines.push(format!("resources: [{}]", entries.join(", "))),
            Resources::Block {
                indent,
                lines: block,
            } => {
                lines.push("resources: # list".to_owned());
                lines.extend(block.iter().map(|line| format!("{indent}{line}")));
            }
        }
        lines.extend(self.tail.clone());
        let mut text = lines.join(self.line_break);
        if self.ends_with_line_break {
            text.push_str(self.line_break);
        }
        text
    }
}

fn foreign_entry() -> BoxedStrategy<String> {
    prop_oneof![
        "[.][.]/[a-z]{1,6}",
        "[a-z]{1,6}",
        "[a-z]{1,4}/[a-z]{1,4}[.]yaml",
        "https://[a-z]{1,6}[.]com/[a-z]{1,4}[.]yaml",
        Just("theirs.yaml".to_owned()),
    ]
    .boxed()
}

/// A cluster's entry, as people may write it.
fn own_entry() -> BoxedStrategy<String> {
    prop_oneof![
        Just("cluster-0.yaml".to_owned()),
        Just("./cluster-1.yaml".to_owned()),
        Just("\"cluster-2.yaml\"".to_owned()),
        Just("'./cluster-3.yaml'".to_owned()),
        Just("gone.yaml".to_owned()),
    ]
    .boxed()
}

fn foreign() -> impl Strategy<Value = Foreign> {
    let comment = "# [a-z :'\\[-]{0,10}".boxed();
    let keys = |names: &'static [&'static str]| {
        let name = prop::sample::select(names);
        let flow = name
            .clone()
            .prop_map(|name| vec![format!("{name}: [a, {{b: c}}] # d")]);
        let block = name.prop_map(|name| {
            vec![
                format!("{name}: |"),
                "  resources:".to_owned(),
                "  - host.yaml".to_owned(),
            ]
        });
        let lines = prop::option::of(prop_oneof![2 => flow, 1 => block]);
        let comments = prop::collection::vec(comment.clone(), 0..3);
        (comments, lines).prop_map(|(comments, key)| {
            comments
                .into_iter()
                .chain(key.into_iter().flatten())
                .collect::<Vec<_>>()
        })
    };
    let entry = prop_oneof![foreign_entry(), own_entry()];
    let item = prop_oneof![
        4 => entry.clone().prop_map(|entry| format!("- {entry}")),
        2 => entry.clone().prop_map(|entry| format!("-   {entry}   # note")),
        1 => comment.clone(),
        1 => Just(String::new()),
    ];
    let resources = prop_oneof![
        1 => Just(Resources::Absent),
        2 => prop::sample::select(&["", " []", " # none", " ~", " null # none", " [ ]"][..])
            .prop_map(Resources::Empty),
        6 => (prop::sample::select(&["", "  ", "    "][..]), prop::collection::vec(item, 1..8))
            .prop_map(|(indent, lines)| Resources::Block { indent, lines }),
        1 => prop::collection::vec(entry, 0..4).prop_map(Resources::Flow),
    ];
    (
        keys(&["kind", "namespace", "labels"]),
        resources,
        keys(&["patches", "\"images\"", "components"]),
        prop::sample::select(&["\n", "\r\n"][..]),
        any::<bool>(),
    )
        .prop_map(
            |(head, resources, tail, line_break, ends_with_line_break)| Foreign {
                head,
                resources,
                tail,
                line_break,
                ends_with_line_break,
            },
        )
}

fn document(text: &str) -> serde_json::Map<String, Value> {
    match yaml::read(text).expect(text) {
        Value::Null => serde_json::Map::new(),
        Value::Object(map) => map,
        other => panic!("{other} is no kustomization"),
    }
}

/// The entries of the list and the other keys.
fn split(text: &str) -> (Vec<String>, serde_json::Map<String, Value>) {
    let mut keys = document(text);
    let entries = keys.remove("resources").unwrap_or_default();
    let entries: Option<Vec<String>> = serde_json::from_value(entries).expect(text);
    (entries.unwrap_or_default(), keys)
}

fn is_cluster(entry: &str) -> bool {
    let entry = entry.trim_start_matches("./");
    entry.starts_with("cluster-") || entry == "gone.yaml"
}

fn comments(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| Some(line.get(line.find('#')?..)?.trim()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn foreign_content_survives_any_sequence_of_puts_and_removals(
        foreign in foreign(),
        steps in prop::collection::vec((0..5_usize, any::<bool>()), 1..10),
    ) {
        let text = foreign.text();
        let (before, keys) = split(&text);
        let foreign_entries = |entries: &[String]| -> Vec<String> {
            entries.iter().filter(|entry| !is_cluster(entry)).cloned().collect()
        };
        let mut tree = ManifestTree::new(Repository::Tenant);
        tree.put_file("nautes/overlays/production/clusters/theirs.yaml", "a: 1");
        tree.put_file(TENANT_KUSTOMIZATION, text.clone());
        let mut clusters: BTreeSet<String> = BTreeSet::new();
        for (number, put) in steps {
            let cluster = format!("cluster-{number}");
            if put {
                put_cluster(&mut tree, &cluster);
                clusters.insert(format!("{cluster}.yaml"));
            } else {
                remove_cluster(&mut tree, &cluster);
                clusters.remove(&format!("{cluster}.yaml"));
            }
            let now = tenant_kustomization(&tree);
            let (entries, other_keys) = split(now);
            prop_assert_eq!(foreign_entries(&entries), foreign_entries(&before), "{}", now);
            prop_assert_eq!(&other_keys, &keys, "{}", now);
            let own: BTreeSet<String> = Kustomization::parse(now)
                .expect(now)
                .resources
                .into_iter()
                .filter(|entry| is_cluster(entry))
                .collect();
            prop_assert_eq!(&own, &clusters, "{}", now);
            prop_assert_eq!(tree.stale_kustomization_entries(), BTreeSet::new());
        }
        if !matches!(foreign.resources, Resources::Flow(_)) {
            let now = tenant_kustomization(&tree);
            let kept = comments(now);
            for comment in comments(&text) {
                prop_assert!(comment == "# note" || kept.contains(&comment), "{comment}: {now}");
            }
        }
    }

    #[test]
    fn a_file_with_our_entries_alone_depends_on_the_clusters_alone(
        steps in prop::collection::vec((0..5_usize, any::<bool>()), 1..10),
    ) {
        let mut tree = ManifestTree::new(Repository::Tenant);
        for (number, put) in steps {
            let cluster = format!("cluster-{number}");
            if put {
                put_cluster(&mut tree, &cluster);
            } else {
                remove_cluster(&mut tree, &cluster);
            }
        }
        let (entries, _) = split(tenant_kustomization(&tree));
        let mut sorted = entries.clone();
        sorted.sort();
        prop_assert_eq!(entries, sorted);
    }
}
