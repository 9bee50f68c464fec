//! Tools for tests of providers: Terraform core's behaviour and rules, without Terraform.

#[cfg(test)]
pub(crate) mod arbitrary;
pub mod core;
pub mod driver;
#[cfg(feature = "testing")]
pub mod process;
