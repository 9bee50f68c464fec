//! Serves webhook Services, and writes the certificate authority where their callers look for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::ready;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::{BoxStream, select_all};
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{Settings, admission};
use crate::certificates::CertificateAuthority;
use crate::{Error, progress};

/// A Service that webhooks name, with a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    namespace: String,
    service: String,
    port: u16,
}

/// An object that a change was reported of.
enum Changed {
    Validating(ValidatingWebhookConfiguration),
    Mutating(MutatingWebhookConfiguration),
    Definition(Box<CustomResourceDefinition>),
    Service(Box<Service>),
}

struct Webhooks {
    client: Client,
    authority: CertificateAuthority,
    settings: watch::Receiver<Settings>,
    /// The Services that webhooks name and nobody serves yet.
    wanted: BTreeSet<Target>,
    /// The addresses of Services by namespace and name.
    addresses: BTreeMap<(String, String), String>,
    served: BTreeSet<Target>,
    listeners: JoinSet<()>,
}

/// Serves webhooks, for ever.
pub(super) async fn run(
    client: Client,
    authority: CertificateAuthority,
    settings: watch::Receiver<Settings>,
) {
    let mut changes = select_all([
        changes(&client, Changed::Validating),
        changes(&client, Changed::Mutating),
        changes(&client, |definition| {
            Changed::Definition(Box::new(definition))
        }),
        changes(&client, |service| Changed::Service(Box::new(service))),
    ]);
    let mut webhooks = Webhooks {
        client,
        authority,
        settings,
        wanted: BTreeSet::new(),
        addresses: BTreeMap::new(),
        served: BTreeSet::new(),
        listeners: JoinSet::new(),
    };
    while let Some(changed) = changes.next().await {
        webhooks.handle(changed).await;
    }
}

/// Watches all objects of a kind. The watcher repeats what fails.
fn changes<K>(client: &Client, wrap: fn(K) -> Changed) -> BoxStream<'static, Changed>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + fmt::Debug + Send + 'static,
{
    watcher(Api::all(client.clone()), watcher::Config::default())
        .default_backoff()
        .applied_objects()
        .filter_map(move |object| ready(object.ok().map(wrap)))
        .boxed()
}

impl Webhooks {
    async fn handle(&mut self, changed: Changed) {
        let patched = match changed {
            Changed::Validating(configuration) => {
                let webhooks = configuration.webhooks.iter().flatten();
                let webhooks = webhooks.map(|webhook| (&webhook.name, &webhook.client_config));
                let patch = self.authority_patch(webhooks);
                self.patch_webhooks(&configuration, patch).await
            }
            Changed::Mutating(configuration) => {
                let webhooks = configuration.webhooks.iter().flatten();
                let webhooks = webhooks.map(|webhook| (&webhook.name, &webhook.client_config));
                let patch = self.authority_patch(webhooks);
                self.patch_webhooks(&configuration, patch).await
            }
            Changed::Definition(definition) => self.handle_definition(&definition).await,
            Changed::Service(service) => {
                let key = (service.namespace().unwrap_or_default(), service.name_any());
                let address = service.spec.and_then(|spec| spec.cluster_ip);
                self.addresses.extend(address.map(|address| (key, address)));
                Ok(())
            }
        };
        // After a conflict, the watcher reports the object again.
        let _ = patched;
        self.serve_wanted().await;
    }

    /// Notes the Services that webhooks name. Returns, for each webhook without the certificate
    /// authority, its name and that authority.
    fn authority_patch<'a>(
        &mut self,
        webhooks: impl Iterator<Item = (&'a String, &'a WebhookClientConfig)>,
    ) -> Vec<Value> {
        let authority = ByteString(self.authority.pem().into_bytes());
        let mut patch = Vec::new();
        for (name, config) in webhooks {
            let Some(service) = &config.service else {
                continue;
            };
            self.want(&service.namespace, &service.name, service.port);
            if config.ca_bundle.as_ref() != Some(&authority) {
                patch.push(json!({ "name": name, "clientConfig": { "caBundle": authority } }));
            }
        }
        patch
    }

    async fn patch_webhooks<K>(&self, configuration: &K, patch: Vec<Value>) -> kube::Result<()>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + fmt::Debug,
    {
        if patch.is_empty() {
            return Ok(());
        }
        let api: Api<K> = Api::all(self.client.clone());
        // This kind of patch finds the webhooks by name.
        let patch = Patch::Strategic(json!({ "webhooks": patch }));
        let name = configuration.name_any();
        api.patch(&name, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    async fn handle_definition(
        &mut self,
        definition: &CustomResourceDefinition,
    ) -> kube::Result<()> {
        let conversion = definition.spec.conversion.as_ref();
        let config =
            conversion.and_then(|conversion| conversion.webhook.as_ref()?.client_config.as_ref());
        let Some((config, service)) =
            config.and_then(|config| Some((config, config.service.as_ref()?)))
        else {
            return Ok(());
        };
        self.want(&service.namespace, &service.name, service.port);
        let authority = ByteString(self.authority.pem().into_bytes());
        if config.ca_bundle.as_ref() == Some(&authority) {
            return Ok(());
        }
        let api: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let config = json!({ "clientConfig": { "caBundle": authority } });
        let patch = Patch::Merge(json!({ "spec": { "conversion": { "webhook": config } } }));
        let name = definition.name_any();
        api.patch(&name, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    fn want(&mut self, namespace: &str, service: &str, port: Option<i32>) {
        let target = Target {
            namespace: namespace.to_owned(),
            service: service.to_owned(),
            port: port.and_then(|port| port.try_into().ok()).unwrap_or(443),
        };
        if !self.served.contains(&target) {
            self.wanted.insert(target);
        }
    }

    /// Listens on the addresses of the wanted Services that exist.
    async fn serve_wanted(&mut self) {
        for target in std::mem::take(&mut self.wanted) {
            let key = (target.namespace.clone(), target.service.clone());
            let Some(address) = self.addresses.get(&key) else {
                self.wanted.insert(target);
                continue;
            };
            match listen(address, &target, &self.authority).await {
                Ok((listener, tls)) => {
                    let settings = self.settings.clone();
                    self.listeners
                        .spawn(admission::serve(listener, tls, key, settings));
                }
                Err(error) => progress::say(&format!(
                    "the stand-in cannot serve the webhooks of {}/{}: {}",
                    key.0,
                    key.1,
                    error.error_chain(),
                )),
            }
            self.served.insert(target);
        }
    }
}

async fn listen(
    address: &str,
    target: &Target,
    authority: &CertificateAuthority,
) -> Result<(TcpListener, TlsAcceptor), Error> {
    let name = format!("{}.{}.svc", target.service, target.namespace);
    let certificate = authority.server(&[name])?;
    let listener = TcpListener::bind(format!("{address}:{}", target.port))
        .await
        .map_err(|source| Error::Start {
            command: format!("a webhook at {address}:{}", target.port),
            source,
        })?;
    Ok((listener, Arc::new(certificate.server_config()?).into()))
}
