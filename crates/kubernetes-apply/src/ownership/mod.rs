//! Which objects are one's own, and what follows from that.
//!
//! Everything here is judged from what the server says about an object; nothing is sent.

mod conflict;
mod foreign;
mod owner;

pub use self::conflict::Conflict;
pub(crate) use self::conflict::{Resolution, conflicts, resolve};
pub use self::foreign::{Adoption, ForeignObject};
pub(crate) use self::foreign::{check_deletion, check_ownership};
pub use self::owner::{FieldManager, InvalidOwner, Label, Owner};
