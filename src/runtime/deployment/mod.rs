//! What a deployment runtime makes in a cluster: an `Application` of Argo CD.

mod application;
mod status;

pub(crate) use self::application::{Application, CASCADE, IgnoredDifference, Sync};
pub(crate) use self::status::{Assessment, Goal, Watch, health_status, sync_status};
