//! Webhooks.

mod delivery;
pub(crate) mod payload;

pub(crate) use delivery::{Deliveries, Delivery, Request, deliver, deliver_always, run};
