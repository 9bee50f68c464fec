//! What runtimes are in a cluster, as pure functions from data to objects.

pub(crate) mod pipeline;
