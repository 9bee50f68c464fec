//! The objects of all components on a real API server, which knows more rules for objects than a comparison.

use kubernetes_apply::apply_set::{ApplyOptions, ApplySet, Parent};
use kubernetes_apply::cluster::Cluster;
use kubernetes_apply::connection::{Access, ExecPlugins, Limits};
use kubernetes_apply::live_objects::LiveObjects;
use kubernetes_apply::object::Object;
use kubernetes_apply::ownership::{FieldManager, Label, Owner};
use testbed::ControlPlane;

use super::super::{Component, Settings, TektonDashboard, WebhookCertificate};
use super::manifests::{all, argo_cd, argo_events, exposure};
use super::vcluster::virtual_cluster;
use super::{built_in, customise, installation, manifests_are_there};

/// Every component with all that its settings can add, in the order of installation.
fn sets() -> Vec<(&'static str, Vec<Object>)> {
    let mut sets = Vec::new();
    for component in Component::ALL {
        let objects = match component {
            Component::Traefik => {
                let mut traefik = built_in::traefik();
                traefik.tls_secret = Some("wildcard".into());
                installation(Settings::Traefik(traefik)).objects(None)
            }
            Component::Oauth2Proxy => {
                let mut proxy = built_in::oauth2_proxy();
                proxy.ca_pem = Some("-----BEGIN CERTIFICATE-----\n".into());
                installation(Settings::Oauth2Proxy(Box::new(proxy))).objects(None)
            }
            other => {
                let (settings, file) = all()
                    .into_iter()
                    .find_map(|(settings, file, _)| {
                        (settings.component() == other).then_some((settings, file))
                    })
                    .unwrap();
                customise(&installation(with_everything(settings)), file)
            }
        };
        sets.push((component.name(), objects.unwrap()));
    }
    sets.push(("vcluster", virtual_cluster().objects()));
    sets
}

fn with_everything(settings: Settings) -> Settings {
    match settings {
        Settings::ArgoCd(_) => {
            let mut argo_cd = argo_cd();
            argo_cd.exposure = Some(exposure("argocd.example.com"));
            Settings::ArgoCd(Box::new(argo_cd))
        }
        Settings::ArgoEvents(_) => {
            let mut argo_events = argo_events();
            argo_events.webhook_certificate = Some(WebhookCertificate {
                issuer: "letsencrypt".into(),
                host: "webhook.example.com".into(),
            });
            Settings::ArgoEvents(argo_events)
        }
        Settings::TektonDashboard(_) => Settings::TektonDashboard(TektonDashboard::SingleSignOn {
            exposure: exposure("tekton.example.com"),
            middleware: "traefik-oauth-pipe-01@kubernetescrd".into(),
        }),
        other => other,
    }
}

#[tokio::test]
async fn the_api_server_takes_the_objects_as_they_are() {
    if !manifests_are_there() {
        return;
    }
    let control_plane = tokio::task::spawn_blocking(ControlPlane::shared);
    let control_plane = control_plane.await.unwrap().unwrap();
    let access = Access::load(&control_plane.kubeconfig(), None, ExecPlugins::Refused).unwrap();
    let cluster = Cluster::new(&access, Limits::default()).unwrap();
    let owner = Owner {
        field_manager: FieldManager::new("test").unwrap(),
        label: Label::new("app.kubernetes.io/managed-by", "test").unwrap(),
    };
    for (name, mut objects) in sets() {
        // Nobody answers them here, so they would refuse everything.
        objects.retain(|object| {
            !object
                .reference()
                .kind
                .kind
                .ends_with("WebhookConfiguration")
        });
        let parent = Parent {
            namespace: "default".into(),
            name: format!("component-{name}"),
        };
        let set = ApplySet::new(&cluster, owner.clone(), parent);
        let applied = set.apply(objects.clone(), &ApplyOptions::default()).await;
        applied.unwrap_or_else(|error| panic!("{name}: {error}"));
        let live = LiveObjects::new(&cluster, &owner.label);
        let drift = set.drift(objects, None, &live).await.unwrap();
        assert_eq!(drift, [], "{name}");
    }
}
