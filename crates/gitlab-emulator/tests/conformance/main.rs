//! One test for each statement in the crate's README, named by its number.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail like tests"
)]

mod access_tokens;
mod auth_and_transport;
mod branches_and_protection;
mod deploy_key_actors;
mod deploy_keys;
mod groups;
mod hook_health;
mod hooks_members_deploy_tokens;
mod identity_and_visibility;
mod limits_pages_git;
mod names_and_roles;
mod projects;
mod receiver;
mod repository_reads;
mod repository_writes;
mod roles_and_life_cycles;
mod support;
mod table;
