//! The provider under the real command line, against the GitLab emulator.
//!
//! One file per kind of resource, and one per kind of trouble. Every case has a workspace and an emulator
//! of its own, applies with an empty plan afterwards, and states how many calls a step may make.

mod authorisation;
mod brown_field;
mod code_repo;
mod code_repo_binding;
mod code_repo_failure;
mod code_repo_guard;
mod code_repo_name;
mod code_repo_repair;
mod code_repo_secrecy;
mod credentials_work;
mod data_source;
mod environment;
mod example;
mod fault;
mod harness;
mod interrupt;
mod kill;
mod openssh_key;
mod parallel;
mod product;
mod product_guard;
mod product_identity;
mod product_operators;
mod product_refusal;
mod product_remains;
mod project_life;
mod refactor;
mod remains;
mod secrecy;
mod vault_fault;
mod writers;

#[test]
fn every_file_of_this_folder_is_part_of_the_tests() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/acceptance");
    let forgotten: Vec<_> = harness::modules_in(&folder)
        .unwrap()
        .into_iter()
        .filter(|module| !include_str!("main.rs").contains(&format!("\nmod {module};\n")))
        .collect();
    assert!(
        forgotten.is_empty(),
        "main.rs does not declare: {forgotten:?}"
    );
}
