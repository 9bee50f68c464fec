//! The files of the tenant's repository from which the Argo CD of a Nautes installation makes clusters what they are.
//!
//! They are those of Nautes's own templates (v0.4.0), written by typed builders. Only the files of clusters whose
//! manifests change are written, and those of their hosts; the others stay as they are. Secrets are references: the
//! client of the single sign-on is in the Secret [`OIDC_SECRET`], which the platform team provides.

mod host;
mod objects;
mod worker;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::entity::{Cluster, ClusterShape, ClusterUsage, ComponentSlot, Entity};
use crate::entity_name::EntityName;
use crate::tree::ManifestTree;
use crate::yaml;

/// The Secret with the client of the single sign-on, in the namespaces `argocd` and `oauth2-proxy` of a cluster. Its
/// keys are `client-id`, `client-secret` and `cookie-secret`.
pub const OIDC_SECRET: &str = "nautes-oidc";

/// The folder that the Argo CD of the tenant applies.
pub const APPLIED_FOLDER: &str = "tenant/production";

/// What the files say besides the clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The tenant, which is the Argo CD project of its Applications.
    pub tenant: String,
    /// The SSH URL of the tenant's repository.
    pub repository_url: String,
    /// The URL of the GitLab.
    pub git_url: String,
    /// The certificate of the GitLab's authority; empty if it is a public one.
    pub git_ca_pem: String,
    /// The URL of Vault as pods reach it.
    pub vault_url: String,
    /// The certificate of Vault's authority; empty if it is a public one.
    pub vault_ca_pem: String,
    /// The URL of the single sign-on's issuer; empty if there is none.
    pub issuer: String,
    /// The client that is registered there.
    pub client_id: String,
    /// The certificate of the issuer's authority; empty if it is a public one.
    pub issuer_ca_pem: String,
}

/// The files of some clusters, by their paths.
type Files = BTreeMap<String, String>;

/// The files of the clusters that differ between two trees, and of their hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendering {
    /// The files, by their paths.
    pub files: BTreeMap<String, String>,
    /// The folders of these clusters, with a slash at their ends, and files that go with the last cluster of their kind.
    owned: BTreeSet<String>,
}

impl Rendering {
    /// Renders the files of the clusters that a tree has and an earlier one has not, or not so.
    pub fn new(before: &ManifestTree, after: &ManifestTree, installation: &Installation) -> Self {
        let (old, new) = (clusters(before), clusters(after));
        let mut rendering = Self {
            files: Files::new(),
            owned: BTreeSet::new(),
        };
        let is_changed = |name: &&EntityName| old.get(*name) != new.get(*name);
        let names: BTreeSet<&EntityName> =
            old.keys().chain(new.keys()).filter(is_changed).collect();
        if names.is_empty() {
            return rendering;
        }
        let Self { files, owned } = &mut rendering;
        let mut hosts = BTreeSet::new();
        let changed = names
            .iter()
            .flat_map(|name| [old.get(*name), new.get(*name)]);
        for cluster in changed.flatten() {
            owned.extend(folders(cluster));
            hosts.extend(cluster.shape.host_cluster());
            hosts.extend((cluster.shape == ClusterShape::Host).then_some(&cluster.name));
        }
        let clusters = Clusters {
            all: &new,
            installation,
        };
        for host in hosts {
            for folder in ["production", "oauth2-proxy", "traefik"] {
                owned.insert(format!("host-clusters/{host}/{folder}/"));
            }
            if let Some(host) = new
                .get(host)
                .filter(|host| host.shape == ClusterShape::Host)
            {
                host::files(host, &clusters, files);
            }
        }
        for cluster in names.iter().filter_map(|name| new.get(*name)) {
            if cluster.shape.usage() == ClusterUsage::Worker {
                worker::files(cluster, &clusters, files);
                host::virtual_cluster(cluster, &clusters, files);
            }
        }
        owned.extend(shared(&clusters, files).map(str::to_owned));
        rendering
    }

    /// Returns whether nothing is to be written or removed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.owned.is_empty()
    }

    /// Returns whether a file is one of these clusters' and not among those that are rendered.
    pub fn is_obsolete(&self, path: &str) -> bool {
        let is_owned = |owned: &String| match owned.strip_suffix('/') {
            Some(_) => path.starts_with(owned.as_str()),
            None => path == owned,
        };
        !self.files.contains_key(path) && self.owned.iter().any(is_owned)
    }
}

/// The clusters of a tenant, and what their files say besides.
struct Clusters<'a> {
    all: &'a BTreeMap<EntityName, Cluster>,
    installation: &'a Installation,
}

impl Clusters<'_> {
    /// Returns the virtual clusters of a host.
    fn on<'s>(&'s self, host: &'s EntityName) -> impl Iterator<Item = &'s Cluster> {
        let clusters = self.all.values();
        clusters.filter(move |cluster| cluster.shape.host_cluster() == Some(host))
    }

    /// Returns the port for HTTPS of the gateway in front of a cluster: its own, or its host's.
    fn https_port(&self, cluster: &Cluster) -> String {
        let host = cluster.shape.host_cluster();
        let in_front = host.and_then(|host| self.all.get(host)).unwrap_or(cluster);
        let port = addition(in_front, ComponentSlot::Gateway, "httpsNodePort");
        if port.is_empty() {
            "30443".to_owned()
        } else {
            port
        }
    }
}

fn clusters(tree: &ManifestTree) -> BTreeMap<EntityName, Cluster> {
    let entities = tree.entities().filter_map(|entity| match entity {
        Entity::Cluster(cluster) => Some((cluster.name.clone(), cluster.clone())),
        _ => None,
    });
    entities.collect()
}

/// Returns the folders of a cluster's own files, with a slash at their ends.
fn folders(cluster: &Cluster) -> Vec<String> {
    let name = &cluster.name;
    match &cluster.shape {
        ClusterShape::Host => Vec::new(),
        ClusterShape::PhysicalWorker(_) => vec![format!("runtimes/{name}-runtime/")],
        ClusterShape::VirtualWorker { host_cluster, .. } => vec![
            format!("runtimes/{name}-runtime/"),
            format!("host-clusters/{host_cluster}/vclusters/{name}/"),
        ],
    }
}

/// Adds the files of all clusters together. Returns the path of the one that goes with the last host.
fn shared(clusters: &Clusters<'_>, files: &mut Files) -> Option<&'static str> {
    let Clusters { all, installation } = clusters;
    let names = |usage| {
        let clusters = all.values();
        let clusters = clusters.filter(move |cluster| cluster.shape.usage() == usage);
        clusters
            .map(|cluster| cluster.name.as_str())
            .collect::<Vec<_>>()
    };
    let path = |name: &str| format!("{APPLIED_FOLDER}/{name}");
    if !names(ClusterUsage::Worker).is_empty() {
        for (name, folder, namespace) in [
            ("runtime", "", "argocd"),
            ("runtime-initial", "/initial/overlays/production", "nautes"),
            ("runtime-argocd", "/argocd/overlays/production", "argocd"),
        ] {
            let set = objects::worker_application_set(installation, name, folder, namespace);
            put(files, path(&format!("{name}-appset.yaml")), &set);
        }
    }
    let hosts = names(ClusterUsage::Host);
    if hosts.is_empty() {
        return Some("tenant/production/host-cluster-appset.yaml");
    }
    let set = objects::list_application_set(
        installation,
        "host-cluster-appset",
        &hosts,
        ("{{cluster}}", "host-clusters/{{cluster}}/production"),
        true,
    );
    put(files, path("host-cluster-appset.yaml"), &set);
    None
}

fn put(files: &mut Files, path: String, object: &Value) {
    files.insert(path, yaml::write(object));
}

fn put_all(files: &mut Files, path: String, objects: &[Value]) {
    let documents: Vec<String> = objects.iter().map(yaml::write).collect();
    files.insert(path, documents.join("---\n"));
}

/// Returns the host of a URL, and its port if it has one.
fn host_and_port(url: &str) -> (&str, Option<u16>) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
        _ => (authority, None),
    }
}

/// Returns an additional setting of a component; empty if there is none.
fn addition(cluster: &Cluster, slot: ComponentSlot, key: &str) -> String {
    let component = cluster.components.get(&slot);
    let value = component.and_then(|component| component.additions.get(key));
    value.cloned().unwrap_or_default()
}

/// Whether a cluster has a component with a name in a slot.
fn has(cluster: &Cluster, slot: ComponentSlot, name: &str) -> bool {
    let component = cluster.components.get(&slot);
    component.is_some_and(|component| component.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{Component, WorkerType};
    use crate::layout::Repository;

    fn cluster(name: &str, shape: ClusterShape) -> Cluster {
        let name = EntityName::new(name).unwrap();
        let slots = ComponentSlot::required_for(&shape).iter().copied();
        let components = slots.map(|slot| {
            let (component, namespace) = slot.default_component();
            let additions = match slot {
                ComponentSlot::Deployment | ComponentSlot::Pipeline => {
                    BTreeMap::from([("host".into(), format!("{component}.{name}.example.com"))])
                }
                ComponentSlot::Gateway => [("httpNodePort", "30080"), ("httpsNodePort", "30443")]
                    .map(|(key, port)| (key.into(), port.into()))
                    .into(),
                _ => BTreeMap::new(),
            };
            let component = Component {
                additions,
                name: component.into(),
                namespace: namespace.into(),
            };
            (slot, component)
        });
        Cluster {
            namespace: Cluster::NAMESPACE.into(),
            api_server: "https://10.1.1.1:31000".into(),
            components: components.collect(),
            primary_domain: Some("example.com".into()),
            reserved_namespaces_allowed_products: BTreeMap::new(),
            product_allowed_cluster_resources: BTreeMap::new(),
            shape,
            name,
        }
    }

    fn installation() -> Installation {
        Installation {
            tenant: "nautes".into(),
            repository_url: "git@gitlab.example.com:nautes/management.git".into(),
            git_url: "https://gitlab.example.com".into(),
            git_ca_pem: "git-ca".into(),
            vault_url: "https://vault.example.com".into(),
            vault_ca_pem: String::new(),
            issuer: "https://dex.example.com".into(),
            client_id: "nautes".into(),
            issuer_ca_pem: "issuer-ca".into(),
        }
    }

    fn with(tree: &ManifestTree, cluster: Cluster) -> ManifestTree {
        let mut changed = tree.clone();
        changed.put(&cluster.into()).unwrap();
        apply(&mut changed, tree);
        changed
    }

    /// Makes of a tree what a commit makes of the repository.
    fn apply(tree: &mut ManifestTree, before: &ManifestTree) {
        let rendering = Rendering::new(before, tree, &installation());
        let paths: Vec<String> = tree.files().map(|(path, _)| path.to_owned()).collect();
        for path in paths.iter().filter(|path| rendering.is_obsolete(path)) {
            tree.remove_file(path);
        }
        for (path, text) in rendering.files {
            tree.put_file(&path, text);
        }
    }

    fn is_file(path: &str) -> bool {
        !path.starts_with("nautes/")
    }

    fn without(tree: &ManifestTree, name: &str) -> ManifestTree {
        let mut changed = tree.clone();
        let name = EntityName::new(name).unwrap();
        changed.remove(&crate::EntityKey::new(crate::Kind::Cluster, name));
        apply(&mut changed, tree);
        changed
    }

    fn rendered(tree: &ManifestTree) -> Vec<&str> {
        let paths = tree.files().map(|(path, _)| path);
        paths.filter(|path| is_file(path)).collect()
    }

    fn hosted() -> ClusterShape {
        ClusterShape::VirtualWorker {
            worker_type: WorkerType::Pipeline,
            host_cluster: EntityName::new("host-a").unwrap(),
        }
    }

    #[test]
    fn every_file_of_each_shape_is_written_and_every_file_can_be_read() {
        let empty = ManifestTree::new(Repository::Tenant);
        let host = with(&empty, cluster("host-a", ClusterShape::Host));
        assert!(
            host.file("host-clusters/host-a/production/traefik-app.yaml")
                .is_some()
        );
        assert!(
            host.file("host-clusters/host-a/production/vcluster-appset.yaml")
                .is_none()
        );
        let both = with(&host, cluster("build-01", hosted()));
        let all = with(
            &both,
            cluster(
                "deploy-01",
                ClusterShape::PhysicalWorker(WorkerType::Deployment),
            ),
        );
        let paths = rendered(&all);
        for path in [
            "tenant/production/host-cluster-appset.yaml",
            "tenant/production/runtime-appset.yaml",
            "tenant/production/runtime-initial-appset.yaml",
            "tenant/production/runtime-argocd-appset.yaml",
            "host-clusters/host-a/production/vcluster-appset.yaml",
            "host-clusters/host-a/production/oauth2-proxy-resources-app.yaml",
            "host-clusters/host-a/oauth2-proxy/overlays/production/ingress-tekton-dashboard.yaml",
            "host-clusters/host-a/traefik/overlays/production/middleware-oauth.yaml",
            "host-clusters/host-a/vclusters/build-01/vcluster-app.yaml",
            "host-clusters/host-a/vclusters/build-01/vcluster-initial/svc.yaml",
            "runtimes/build-01-runtime/runtime-app.yaml",
            "runtimes/build-01-runtime/runtime-project.yaml",
            "runtimes/build-01-runtime/tekton/overlays/production/rbac-tekton-dashboard.yaml",
            "runtimes/build-01-runtime/argoevents/overlays/production/rbac-tekton.yaml",
            "runtimes/build-01-runtime/production/tekton-cluster-tasks-app.yaml",
            "runtimes/build-01-runtime/production/vault-app.yaml",
            "runtimes/deploy-01-runtime/initial/overlays/production/rbac-vault.yaml",
            "runtimes/deploy-01-runtime/argocd/overlays/production/patch-argocd-cm.yaml",
            "runtimes/deploy-01-runtime/production/argo-rollouts-app.yaml",
            "runtimes/deploy-01-runtime/production/traefik-app.yaml",
        ] {
            assert!(paths.contains(&path), "{path} is missing");
        }
        assert!(!paths.contains(&"runtimes/build-01-runtime/production/traefik-app.yaml"));
        let initial = "runtimes/build-01-runtime/initial/overlays/production/rbac-vault.yaml";
        assert!(!paths.contains(&initial));
        for (path, text) in all.files().filter(|(path, _)| is_file(path)) {
            for document in text.split("\n---\n") {
                let parsed = yaml::read(document).unwrap();
                assert!(parsed.get("kind").is_some(), "{path}");
            }
        }
        let service = "host-clusters/host-a/vclusters/build-01/vcluster-initial/svc.yaml";
        assert!(all.file(service).unwrap().contains("nodePort: 31000"));
        let argo_cd = "runtimes/build-01-runtime/argocd/overlays/production/patch-argocd-cm.yaml";
        let argo_cd = all.file(argo_cd).unwrap();
        assert!(
            argo_cd.contains("https://argocd.build-01.example.com:30443"),
            "{argo_cd}"
        );
        assert!(argo_cd.contains("$nautes-oidc:client-secret"), "{argo_cd}");
    }

    #[test]
    fn the_files_of_a_cluster_go_with_its_manifest_and_those_of_people_stay() {
        let empty = ManifestTree::new(Repository::Tenant);
        let host = with(&empty, cluster("host-a", ClusterShape::Host));
        let mut both = with(&host, cluster("build-01", hosted()));
        both.put_file(
            "runtimes/other-runtime/runtime-app.yaml",
            "kind: Application\n",
        );
        let mut without_build = without(&both, "build-01");
        without_build.remove_file("runtimes/other-runtime/runtime-app.yaml");
        let shared = "tenant/production/runtime-appset.yaml";
        let expected: Vec<&str> = rendered(&without_build)
            .into_iter()
            .filter(|path| !path.starts_with("tenant/production/runtime-"))
            .collect();
        assert_eq!(expected, rendered(&host));
        assert!(without_build.file(shared).is_some());
        let neither = without(&without_build, "host-a");
        let left = rendered(&neither);
        assert!(
            left.iter()
                .all(|path| path.starts_with("tenant/production/runtime-")),
            "{left:?}"
        );
    }

    #[test]
    fn a_change_of_one_cluster_leaves_the_files_of_others() {
        let empty = ManifestTree::new(Repository::Tenant);
        let worker = ClusterShape::PhysicalWorker(WorkerType::Deployment);
        let one = with(&empty, cluster("deploy-01", worker.clone()));
        let path = "runtimes/deploy-01-runtime/runtime-project.yaml";
        let mut edited = one.clone();
        edited.put_file(path, "kind: AppProject # by hand\n");
        let two = with(&edited, cluster("deploy-02", worker));
        assert_eq!(two.file(path), edited.file(path));
        let same = Rendering::new(&two, &two, &installation());
        assert!(same.is_empty());
    }
}
