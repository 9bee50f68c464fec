//! The files of hosts, and those of virtual clusters in their host.

use serde_json::{Value, json};

use super::objects::{
    Application, chart, folder, forward_middleware, ingress, kustomization, list_application_set,
    login_middlewares, namespace, oauth2_proxy, reviewer, secret, traefik,
};
use super::{Clusters, Files, addition, has, host_and_port, put, put_all};
use crate::entity::{Cluster, ComponentSlot};
use crate::yaml;

/// Adds the files of a host.
pub(super) fn files(host: &Cluster, clusters: &Clusters<'_>, files: &mut Files) {
    let installation = clusters.installation;
    let name = &host.name;
    let path = |file: &str| format!("host-clusters/{name}/{file}");
    let mut put_application = |suffix: &str, source: Value, namespace: &str| {
        let application = Application {
            name: format!("{name}-{suffix}"),
            project: &installation.tenant,
            source,
            server: &host.api_server,
            namespace,
            creates_namespace: true,
            cascades: false,
        };
        let file = path(&format!("production/{suffix}-app.yaml"));
        put(files, file, &application.object());
    };
    let (proxy, port) = (format!("{name}-oauth2-proxy"), clusters.https_port(host));
    if has(host, ComponentSlot::OauthProxy, "oauth2-proxy") {
        let domain = host.primary_domain.as_deref().unwrap_or_default();
        let auth = format!("auth.{name}.{domain}");
        let source = oauth2_proxy(installation, (&auth, &port), domain);
        put_application("oauth2-proxy", source, "oauth2-proxy");
        let overlay = path("oauth2-proxy/overlays/production");
        let source = folder(installation, &overlay);
        put_application("oauth2-proxy-resources", source, "oauth2-proxy");
    }
    if has(host, ComponentSlot::Gateway, "traefik") {
        let http = addition(host, ComponentSlot::Gateway, "httpNodePort");
        put_application("traefik", traefik(&http, &port), "traefik");
        let overlay = path("traefik/overlays/production");
        put_application(
            "traefik-resources",
            folder(installation, &overlay),
            "traefik",
        );
    }
    let virtual_clusters: Vec<&Cluster> = clusters.on(name).collect();
    if !virtual_clusters.is_empty() {
        let names: Vec<&str> = virtual_clusters.iter().map(|it| it.name.as_str()).collect();
        let set = list_application_set(
            installation,
            &format!("{name}-vcluster-appset"),
            &names,
            ("{{cluster}}", &path("vclusters/{{cluster}}")),
            false,
        );
        put(files, path("production/vcluster-appset.yaml"), &set);
    }
    let dashboards: Vec<(&Cluster, String)> = virtual_clusters
        .iter()
        .map(|it| (*it, addition(it, ComponentSlot::Pipeline, "host")))
        .filter(|(_, host)| !host.is_empty())
        .collect();
    if has(host, ComponentSlot::OauthProxy, "oauth2-proxy") {
        let overlay = |file: &str| path(&format!("oauth2-proxy/overlays/production/{file}"));
        let mut resources = vec!["secret-ipd-ca.yaml"];
        let ca = secret(None, "idp-ca-secret", "ca.crt", &installation.issuer_ca_pem);
        put(files, overlay("secret-ipd-ca.yaml"), &ca);
        let ingresses = dashboards.iter().map(|(cluster, dashboard)| {
            ingress(
                (
                    "oauth2-proxy",
                    &format!("{}-tekton-dashboard", cluster.name),
                ),
                &json!({}),
                (dashboard, "/oauth2"),
                (&proxy, &json!({ "number": 80 })),
            )
        });
        let ingresses: Vec<_> = ingresses.collect();
        if !ingresses.is_empty() {
            resources.push("ingress-tekton-dashboard.yaml");
            put_all(files, overlay("ingress-tekton-dashboard.yaml"), &ingresses);
        }
        let kustomization = kustomization(Some("oauth2-proxy"), &resources, &[]);
        put(files, overlay("kustomization.yaml"), &kustomization);
    }
    if has(host, ComponentSlot::Gateway, "traefik") {
        let overlay = |file: &str| path(&format!("traefik/overlays/production/{file}"));
        let mut resources = vec![
            "../../../../../traefik/overlays/production",
            "middleware-oauth-forward.yaml",
        ];
        let forward = forward_middleware(&proxy);
        put(files, overlay("middleware-oauth-forward.yaml"), &forward);
        let middlewares = dashboards.iter().flat_map(|(cluster, dashboard)| {
            let url = format!("https://{dashboard}:{port}");
            login_middlewares(&proxy, cluster.name.as_str(), &url)
        });
        let middlewares: Vec<_> = middlewares.collect();
        if !middlewares.is_empty() {
            resources.push("middleware-oauth.yaml");
            put_all(files, overlay("middleware-oauth.yaml"), &middlewares);
        }
        let kustomization = kustomization(Some("traefik"), &resources, &[]);
        put(files, overlay("kustomization.yaml"), &kustomization);
    }
}

/// Adds the files of a virtual cluster in its host; none for a physical one.
pub(super) fn virtual_cluster(cluster: &Cluster, clusters: &Clusters<'_>, files: &mut Files) {
    let installation = clusters.installation;
    let hosts = clusters.all;
    let Some(host) = cluster
        .shape
        .host_cluster()
        .and_then(|host| hosts.get(host))
    else {
        return;
    };
    let name = &cluster.name;
    let parent = format!("host-clusters/{}/vclusters/{name}", host.name);
    let application = |suffix: &str, source| {
        let application = Application {
            name: format!("{name}-{suffix}"),
            project: &installation.tenant,
            source,
            server: &host.api_server,
            namespace: name.as_str(),
            creates_namespace: false,
            cascades: true,
        };
        application.object()
    };
    let documents: Vec<String> = reviewer().iter().map(yaml::write).collect();
    let values = json!({
        "vcluster": {
            "image": "rancher/k3s:v1.21.13-k3s1",
            "extraArgs": [
                format!("--kube-apiserver-arg=oidc-issuer-url={}", installation.issuer),
                format!("--kube-apiserver-arg=oidc-client-id={}", installation.client_id),
                "--kube-apiserver-arg=oidc-ca-file=/etc/ssl/certs/ca.crt",
                "--kube-apiserver-arg=oidc-groups-claim=groups",
            ],
            "extraVolumeMounts": [{
                "name": "ca", "mountPath": "/etc/ssl/certs/ca.crt", "subPath": "ca.crt",
            }],
        },
        "volumes": [{ "name": "ca", "secret": { "secretName": "ca" } }],
        "sync": { "ingresses": { "enabled": true } },
        "syncer": { "extraArgs": [format!("--tls-san={}", host_and_port(&host.api_server).0)] },
        "init": { "manifests": documents.join("---\n") },
    });
    let source = chart("https://charts.loft.sh", "vcluster", "0.10.1", &values);
    put(
        files,
        format!("{parent}/vcluster-app.yaml"),
        &application("vcluster-app", source),
    );
    let initial = format!("{parent}/vcluster-initial");
    put(
        files,
        format!("{parent}/vcluster-initial-app.yaml"),
        &application("vcluster-initial", folder(installation, &initial)),
    );
    put(
        files,
        format!("{initial}/namespace.yaml"),
        &namespace(name.as_str()),
    );
    let ca = secret(
        Some(name.as_str()),
        "ca",
        "ca.crt",
        &installation.issuer_ca_pem,
    );
    put(files, format!("{initial}/secret.yaml"), &ca);
    let (_, node_port) = host_and_port(&cluster.api_server);
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": format!("svc-{name}"), "namespace": name.as_str() },
        "spec": {
            "type": "NodePort",
            "selector": { "app": "vcluster" },
            "ports": [{ "name": "https", "port": 443, "targetPort": 8443, "nodePort": node_port }],
        },
    });
    put(files, format!("{initial}/svc.yaml"), &service);
}
