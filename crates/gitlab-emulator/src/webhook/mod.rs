//! Webhooks.

mod delivery;
pub(crate) mod payload;

pub(crate) use delivery::{Deliveries, Request, run};
