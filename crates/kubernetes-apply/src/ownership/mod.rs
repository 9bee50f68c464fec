//! Which objects are one's own, and what follows from that.
//!
//! Everything here is judged from what the server says about an object; nothing is sent.

mod claim;
mod conflict;
mod owner;

pub use self::claim::{Adoption, Claim, ForeignObject, check_claim, check_deletion};
pub use self::conflict::{Conflict, Resolution, conflicts, resolve};
pub use self::owner::{FieldManager, InvalidOwner, Label, Owner};
