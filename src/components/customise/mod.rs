//! What is changed in the manifest of each component: pure functions from objects to objects.

pub(super) mod argo_cd;
pub(super) mod argo_events;
pub(super) mod argo_rollouts;
pub(super) mod cert_manager;
pub(super) mod external_secrets;
pub(super) mod hnc;
pub(super) mod tekton;
