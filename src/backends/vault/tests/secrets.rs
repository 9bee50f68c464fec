//! Secrets: check-and-set, deleted versions, lists.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::{Failure, Fault, Method, exactly};

use super::super::{Expected, Kind};
use super::server::{SECRET_TEXT, Server, place, run, values};
use crate::secret::ExposeSecret;

#[test]
fn a_write_replaces_the_version_that_it_expects_and_no_other() {
    let server = Server::start();
    let vault = server.root();
    run(async {
        let write = async |id: &str, expected| {
            let written = vault.write_secret(&place(), &values(id), expected).await;
            written.map_err(|error| error.kind().clone())
        };
        assert!(vault.read_secret(&place()).await.unwrap().is_none());
        assert_eq!(write("7", Expected::Version(1)).await, Err(Kind::Conflict));
        assert_eq!(write("7", Expected::Absent).await, Ok(1));
        assert_eq!(write("8", Expected::Absent).await, Err(Kind::Conflict));
        assert_eq!(write("8", Expected::Version(1)).await, Ok(2));
        assert_eq!(write("9", Expected::Version(1)).await, Err(Kind::Conflict));

        let stored = vault.read_secret(&place()).await.unwrap().unwrap();
        assert_eq!(stored.version, 2);
        assert_eq!(stored.values, values("8"));
        assert_ne!(stored.values, values("9"));
        let key = stored.values.get("deploykey").unwrap();
        assert_eq!(key.expose_secret(), SECRET_TEXT);
        assert!(stored.values.keys().eq(["deploykey", "id"]));
    });
}

#[test]
fn a_deleted_version_is_absent_and_is_written_upon() {
    let server = Server::start();
    let vault = server.root();
    let path = format!("git/data/{}", place().path());
    let absent = Expected::Absent;
    run(vault.write_secret(&place(), &values("7"), absent)).unwrap();
    server.api(Method::DELETE, &path, &Value::Null);
    assert!(run(vault.read_secret(&place())).unwrap().is_none());
    assert_eq!(
        run(vault.write_secret(&place(), &values("8"), absent)).unwrap(),
        2
    );

    let destroy = format!("git/destroy/{}", place().path());
    server.api(Method::POST, &destroy, &json!({ "versions": [2] }));
    assert!(run(vault.read_secret(&place())).unwrap().is_none());
    assert_eq!(
        run(vault.write_secret(&place(), &values("9"), absent)).unwrap(),
        3
    );
}

#[test]
fn deleting_leaves_nothing_and_a_list_shows_what_exists() {
    let server = Server::start();
    let vault = server.root();
    let before = server.openbao.inventory().unwrap();
    run(async {
        let folder = "gitlab/repo-12/default";
        let list = async || vault.list_secrets("git", folder).await.unwrap();
        assert_eq!(list().await, BTreeSet::new());
        let write = vault
            .write_secret(&place(), &values("7"), Expected::Absent)
            .await;
        write.unwrap();
        assert_eq!(list().await, BTreeSet::from(["readonly".to_owned()]));
        vault.delete_secret(&place()).await.unwrap();
        vault.delete_secret(&place()).await.unwrap();
        assert_eq!(list().await, BTreeSet::new());
        let error = vault.list_secrets("other", folder).await.unwrap_err();
        let mount = "other".to_owned();
        assert_eq!(*error.kind(), Kind::NoMount { mount });
    });
    assert_eq!(server.openbao.inventory().unwrap(), before);
}

#[test]
fn a_write_whose_answer_is_lost_succeeds_once() {
    let server = Server::start();
    let vault = server.root();
    let lost = Fault::once("POST", "git/data", Failure::DropResponse);
    server.openbao.proxy().inject_fault(lost);
    let write = || run(vault.write_secret(&place(), &values("7"), Expected::Absent));
    let (version, calls) = server.openbao.proxy().calls_during(write);
    assert_eq!(version.unwrap(), 1);
    calls.writes().assert_calls(exactly(2));
}

#[test]
fn a_value_that_is_no_text_is_read_as_json() {
    let server = Server::start();
    let path = format!("git/data/{}", place().path());
    server.api(Method::POST, &path, &json!({ "data": { "id": 7 } }));
    let stored = run(server.root().read_secret(&place())).unwrap().unwrap();
    assert_eq!(stored.values.get("id").unwrap().expose_secret(), "7");
}
