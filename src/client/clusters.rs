//! Connections to clusters.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use kubernetes_apply::cluster::Cluster;
use kubernetes_apply::connection::{Access, AccessError, ExecPlugins, Limits};

use crate::components::Sha256;
use crate::secret::{ExposeSecret as _, Secret};

/// Connections to clusters, each made once for an address and a kubeconfig.
///
/// All who call a cluster share one circuit breaker, so that a cluster that gives no answer is waited for once in a run.
#[derive(Default)]
pub(crate) struct Clusters(Mutex<HashMap<Key, Arc<Cluster>>>);

/// An address, and the digest of a kubeconfig.
type Key = (String, String);

impl Clusters {
    /// Returns the connection to a cluster at an address with a kubeconfig; nothing is sent.
    pub(crate) fn open(
        &self,
        api_server: &str,
        kubeconfig: &Secret,
    ) -> Result<(Access, Arc<Cluster>), AccessError> {
        let text = kubeconfig.expose_secret();
        let access = Access::parse(text, None, ExecPlugins::Refused)?;
        let access = access.with_server(api_server)?;
        let key = (
            api_server.to_owned(),
            Sha256::compute(text.as_bytes()).to_string(),
        );
        let mut clusters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = clusters.get(&key) {
            return Ok((access, Arc::clone(cluster)));
        }
        let cluster = Arc::new(Cluster::new(&access, Limits::default())?);
        clusters.insert(key, Arc::clone(&cluster));
        Ok((access, cluster))
    }
}

impl fmt::Debug for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clusters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_shared_by_those_with_the_same_address_and_kubeconfig() {
        let kubeconfig = |token: &str| {
            Secret::from(format!(
                "current-context: a\ncontexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
                 clusters: [{{name: a, cluster: {{server: 'https://10.0.0.1:6443'}}}}]\n\
                 users: [{{name: a, user: {{token: {token}}}}}]\n"
            ))
        };
        let clusters = Clusters::default();
        let open = |api_server: &str, token: &str| {
            let opened = clusters.open(api_server, &kubeconfig(token));
            opened.unwrap().1
        };
        let first = open("https://10.0.0.1:6443", "one");
        assert!(Arc::ptr_eq(&first, &open("https://10.0.0.1:6443", "one")));
        assert!(!Arc::ptr_eq(&first, &open("https://10.0.0.1:6443", "two")));
        assert!(!Arc::ptr_eq(&first, &open("https://10.0.0.2:6443", "one")));
    }
}
