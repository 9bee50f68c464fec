//! Argo CD: its address, single sign-on, the hosts that it trusts, and the token of push hooks.

use serde_json::{Value, json};

use super::super::error::ComponentError;
use super::super::ingress::{Backend, Exposure, ingress};
use super::super::manifest::{Manifest, insert, name, set_entries, text};
use crate::secret::{ExposeSecret, Secret};

/// The settings of Argo CD.
#[derive(Clone, Debug)]
pub struct ArgoCd {
    /// Its namespace.
    pub namespace: String,
    /// How it is reached; `None` leaves that to the user.
    pub exposure: Option<Exposure>,
    /// Its address, with port, as browsers know it.
    pub url: Option<String>,
    /// Single sign-on.
    pub single_sign_on: Option<ArgoCdSingleSignOn>,
    /// The claim that holds the groups of a user: `groups_direct` or `groups`.
    pub groups_claim: String,
    /// Lines in the format of OpenSSH with the host keys of the servers that it clones from, added to those of
    /// the manifest.
    pub known_hosts: Option<String>,
    /// The token that GitLab's push hooks show.
    pub webhook_token: Secret,
}

/// How users of Argo CD log in.
#[derive(Clone, Debug)]
pub struct ArgoCdSingleSignOn {
    /// The issuer of tokens.
    pub issuer: String,
    /// The client that is registered there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// Certificates of a private authority that signs the issuer's certificate.
    pub ca_pem: Option<String>,
}

/// The keys of ours in `argocd-secret`.
const WEBHOOK_TOKEN: &str = "webhook.gitlab.secret";
const CLIENT_SECRET: &str = "oidc.nautes.clientSecret";

impl ArgoCd {
    pub(in super::super) fn customise(
        &self,
        manifest: &mut Manifest,
    ) -> Result<(), ComponentError> {
        manifest.require("Deployment", "argocd-server")?;
        manifest.require("StatefulSet", "argocd-application-controller")?;
        // Argo CD talks to the issuer itself, so nothing uses the Dex that it brings.
        manifest.remove(|object| name(object) == "argocd-dex-server" || is_dex_policy(object));
        manifest.move_namespace("argocd", &self.namespace);
        if let Some(url) = &self.url {
            manifest.set_data("argocd-cm", [("url", url.clone())])?;
        }
        manifest.set_data("argocd-rbac-cm", [("scopes", self.scopes())])?;
        if let Some(known_hosts) = &self.known_hosts {
            let config = manifest.require("ConfigMap", "argocd-ssh-known-hosts-cm")?;
            let shipped = text(config, "/data/ssh_known_hosts").unwrap_or_default();
            let all = joined_lines(shipped, known_hosts);
            set_entries(config, "data", [("ssh_known_hosts", all)]);
        }
        let secret = manifest.require("Secret", "argocd-secret")?;
        let token = self.webhook_token.expose_secret().to_owned();
        set_entries(secret, "stringData", [(WEBHOOK_TOKEN, token)]);
        if let Some(single_sign_on) = &self.single_sign_on {
            let client_secret = single_sign_on.client_secret.expose_secret().to_owned();
            set_entries(secret, "stringData", [(CLIENT_SECRET, client_secret)]);
            let config = single_sign_on.config(&self.groups_claim);
            manifest.set_data("argocd-cm", [("oidc.config", config)])?;
        }
        if let Some(exposure) = &self.exposure {
            // The gateway ends TLS. It would need the right to refer to objects of other namespaces to reach
            // a server with a certificate of its own.
            let insecure = ("server.insecure", "true".to_owned());
            manifest.set_data("argocd-cmd-params-cm", [insecure])?;
            let backend = Backend {
                path: "/",
                service: "argocd-server",
                port: "http".into(),
            };
            let ingress = ingress(&self.namespace, "argocd-server", exposure, &backend);
            manifest.objects.push(ingress);
        }
        Ok(())
    }

    /// Returns the keys that belong to the provider also in an Argo CD that it did not install, as objects
    /// with nothing else.
    pub(in super::super) fn own_keys(&self) -> Vec<Value> {
        let metadata = |name| json!({ "name": name, "namespace": self.namespace });
        vec![
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("argocd-rbac-cm"),
                "data": { "scopes": self.scopes() }
            }),
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": metadata("argocd-secret"),
                "stringData": { WEBHOOK_TOKEN: self.webhook_token.expose_secret() }
            }),
        ]
    }

    fn scopes(&self) -> String {
        format!("[{}]", self.groups_claim)
    }
}

impl ArgoCdSingleSignOn {
    /// Returns the value of `oidc.config`, as JSON, which is YAML too.
    fn config(&self, groups_claim: &str) -> String {
        let mut scopes = vec!["openid", "profile", "email"];
        // GitLab has no such scope: the groups are in every token.
        if groups_claim == "groups" {
            scopes.push("groups");
        }
        let mut config = json!({
            "name": "SSO",
            "issuer": self.issuer,
            "clientID": self.client_id,
            "clientSecret": format!("${CLIENT_SECRET}"),
            "requestedScopes": scopes
        });
        if let Some(ca_pem) = &self.ca_pem {
            insert(&mut config, "", "rootCA", ca_pem.as_str());
        }
        config.to_string()
    }
}

fn is_dex_policy(object: &Value) -> bool {
    name(object) == "argocd-dex-server-network-policy"
}

fn joined_lines(one: &str, other: &str) -> String {
    format!("{}\n{}\n", one.trim_end(), other.trim())
}
