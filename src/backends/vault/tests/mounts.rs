//! Mounts that are missing, made, or of another kind.

use serde_json::json;
use testbed::{Method, exactly};

use super::super::{Expected, Kind, Options, Vault};
use super::server::{Server, place, run, values};
use crate::backends::vault::Login;

#[test]
fn a_missing_mount_is_an_error_unless_mounts_are_managed() {
    let server = Server::empty();
    let git = || "git".to_owned();
    let error = run(server.root().ensure_mount("git")).unwrap_err();
    assert_eq!(*error.kind(), Kind::NoMount { mount: git() });

    let login = Login::Token(server.openbao.root_token().into());
    let vault = Vault::new(Options {
        manage_mounts: true,
        ..server.options(login)
    });
    let vault = vault.unwrap();
    run(vault.ensure_mount("git")).unwrap();
    run(vault.write_secret(&place(), &values("7"), Expected::Absent)).unwrap();

    let again = || run(server.root().ensure_mount("git"));
    again().unwrap();
    let (known, calls) = server
        .openbao
        .proxy()
        .calls_during(|| run(vault.ensure_mount("git")));
    known.unwrap();
    calls.assert_calls(exactly(0));
}

#[test]
fn a_mount_of_another_kind_is_an_error() {
    let server = Server::empty();
    server.api(Method::POST, "sys/mounts/git", &json!({ "type": "kv" }));
    for manage_mounts in [false, true] {
        let login = Login::Token(server.openbao.root_token().into());
        let vault = Vault::new(Options {
            manage_mounts,
            ..server.options(login)
        });
        let error = run(vault.unwrap().ensure_mount("git")).unwrap_err();
        let mount = "git".to_owned();
        assert_eq!(*error.kind(), Kind::NotVersioned { mount });
    }
}
