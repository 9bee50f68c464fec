//! Secrets stay out of logs, errors and debug output.

use serde_json::json;
use testbed::{Failure, Fault, Method};

use super::super::{Expected, Login};
use super::server::{Server, place, run, values};
use crate::backends::http::tests::Log;

#[test]
fn no_secret_is_printed_by_anything() {
    let server = Server::start();
    let policy = r#"path "git/*" { capabilities = ["create", "update", "read"] }"#;
    server.api(
        Method::PUT,
        "sys/policies/acl/ci",
        &json!({ "policy": policy }),
    );
    server.api(
        Method::POST,
        "sys/auth/approle",
        &json!({ "type": "approle" }),
    );
    let role = json!({ "token_policies": ["ci"] });
    server.api(Method::POST, "auth/approle/role/ci", &role);
    let secret_id = json!({ "secret_id": "s3cr3t-id" });
    server.api(
        Method::POST,
        "auth/approle/role/ci/custom-secret-id",
        &secret_id,
    );
    let role_id = json!({ "role_id": "ci" });
    server.api(Method::POST, "auth/approle/role/ci/role-id", &role_id);
    let login = || Login::AppRole {
        mount: "approle".to_owned(),
        role_id: "ci".to_owned(),
        secret_id: Some("s3cr3t-id".into()),
    };
    let token = "s.s3cr3t-token";
    let unexpected = Failure::Respond {
        status: 200,
        body: r#"{"data":{"data":"s3cr3t","metadata":{"version":"s3cr3t"}}}"#.to_owned(),
    };
    server.openbao.proxy().inject_fault(Fault {
        skip: 1,
        ..Fault::once("GET", "git/data", unexpected)
    });

    let log = Log::default();
    let printed = log.during(|| {
        let vault = server.log_in(login());
        let stranger = server.with_token(token);
        run(async {
            let expected = Expected::Absent;
            vault
                .write_secret(&place(), &values("7"), expected)
                .await
                .unwrap();
            let stored = vault.read_secret(&place()).await.unwrap();
            let unexpected = vault.read_secret(&place()).await.unwrap_err();
            let refused = vault.delete_secret(&place()).await.unwrap_err();
            let unknown = stranger.read_secret(&place()).await.unwrap_err();
            format!(
                "{vault:?} {stored:?} {unexpected:?} {refused:?} {unknown:?} {:?}",
                login()
            )
        })
    });
    let log = log.text();
    assert!(log.contains("vault call"), "nothing was traced");
    for text in [log.as_str(), printed.as_str()] {
        assert!(!text.contains("s3cr3t"), "{text}");
        assert!(
            !text.contains("hvs.") && !text.contains("client_token"),
            "{text}"
        );
    }
}
