//! The provider under the real command line, against the GitLab emulator and a real OpenBao.
//!
//! There is a file for each kind of resource and for each kind of failure. Every case has its own
//! workspace and emulator, checks that the plan after an apply is empty, and limits how many calls a
//! step may make.

#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod attack;
mod authorisation;
mod brownfield;
mod cleanup;
mod cluster;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod cluster_access;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod cluster_components;
mod cluster_credential;
mod cluster_data_source;
mod cluster_destroy;
mod cluster_faults;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod cluster_gone;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod cluster_lock;
mod cluster_nautes;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod cluster_ownership;
mod cluster_removal;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod cluster_reviewer;
mod cluster_virtual;
mod code_repo;
mod code_repo_binding;
mod code_repo_failure;
mod code_repo_guard;
mod code_repo_rename;
mod code_repo_repair;
mod code_repo_secrecy;
mod credentials_work;
mod data_source;
mod deadlock;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod deployment_runtime;
mod deployment_runtime_faults;
mod environment;
mod example;
mod fault;
mod interrupt;
mod kill;
mod messages;
mod mission;
mod mistakes;
mod openssh_key;
mod parallel;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod pipeline_runtime;
mod plan;
mod plan_offline;
mod product;
mod product_destroy;
mod product_guard;
mod product_identity;
mod product_operators;
mod product_validation;
mod project;
mod refactor;
#[expect(
    clippy::indexing_slicing,
    reason = "an absent field of a JSON value is null"
)]
mod safety;
mod secrecy;
mod test_env;
mod vault_fault;
mod writers;

#[test]
fn every_file_in_this_folder_is_a_declared_module() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance");
    let undeclared: Vec<_> = test_env::modules_in(&folder)
        .unwrap()
        .into_iter()
        .filter(|module| !include_str!("main.rs").contains(&format!("\nmod {module};\n")))
        .collect();
    assert!(
        undeclared.is_empty(),
        "main.rs does not declare: {undeclared:?}"
    );
}
