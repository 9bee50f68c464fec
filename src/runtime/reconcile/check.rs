//! What may be refused, asked before the first effect.

use nautes_model::ProductId;
use terraform_plugin::diagnostics::{Diagnostic, Diagnostics};

use super::Reconciler;
use crate::clusters::NAMESPACE;
use crate::components::Component;
use crate::runtime::registry::Contribution;

impl Reconciler {
    /// Checks that the namespaces of a contribution are the product's, or free.
    pub(crate) async fn check(&self, contribution: &Contribution) -> Result<(), Diagnostics> {
        let product = self.runtime.product.to_string();
        for space in &contribution.spaces {
            if let Some(reason) = self.reservation(space) {
                let detail = format!(
                    "The namespace {space} is {reason} in the cluster {}. Choose another namespace.",
                    self.worker.name
                );
                let summary = format!("The namespace {space} is taken");
                return Err(Diagnostic::error(summary, detail).into());
            }
        }
        let spaces = contribution.spaces.iter().map(String::as_str);
        for space in spaces.chain([product.as_str()]) {
            if let Some(found) = self.find_namespace(space).await? {
                self.require_own_namespace(&found)?;
            }
        }
        Ok(())
    }

    /// Returns what a namespace is that no product may have.
    fn reservation(&self, space: &str) -> Option<String> {
        if space == "default" || space.starts_with("kube-") {
            return Some("one of Kubernetes itself".to_owned());
        }
        if space == NAMESPACE || space == "vault" {
            return Some("one of the provider".to_owned());
        }
        if space.parse::<ProductId>().is_ok() {
            return Some("one that is called like a product".to_owned());
        }
        let mut components = Component::ALL.into_iter();
        let component = components.find(|component| {
            space == component.namespace() || space == self.worker.namespace_of(*component)
        });
        component.map(|component| format!("that of {component}"))
    }
}
