use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use crate::support::{echo, floor, small_value, socket};

#[tokio::test]
async fn the_handshake_is_the_only_output_on_standard_output() {
    let process = floor().start().await.unwrap();
    println!("handshake after {:?}", process.start_time());
    // Far above the usual time, for a machine that is busy with other tests.
    assert!(process.start_time() < Duration::from_secs(2));
    echo(&mut process.client().await.unwrap(), &small_value())
        .await
        .unwrap();
    assert_eq!(process.later_stdout(), "");
    assert_eq!(process.stderr(), "");
}

#[tokio::test]
async fn the_socket_is_in_the_requested_directory_and_only_its_user_can_open_it() {
    let folder = tempfile::tempdir().unwrap();
    let process = floor()
        .env("PLUGIN_UNIX_SOCKET_DIR", folder.path())
        .start()
        .await
        .unwrap();
    let socket = socket(process.endpoint());
    assert_eq!(socket.parent(), Some(folder.path()));
    assert_eq!(
        socket.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[tokio::test]
async fn a_socket_that_cannot_be_bound_is_reported() {
    let launch = floor().env("PLUGIN_UNIX_SOCKET_DIR", "/no/such/folder");
    let error = launch.start().await.unwrap_err().to_string();
    assert!(
        error.contains("listening on /no/such/folder: No such file"),
        "{error}"
    );
    assert!(
        error.contains("Set PLUGIN_UNIX_SOCKET_DIR to a folder"),
        "{error}"
    );
}

#[tokio::test]
async fn a_malformed_client_certificate_is_reported() {
    let launch = floor()
        .identity(None)
        .env("PLUGIN_CLIENT_CERT", "not a certificate");
    let error = launch.start().await.unwrap_err().to_string();
    assert!(
        error.contains("reading the client's certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn a_host_that_supports_multiplexing_gets_the_field() {
    let process = floor()
        .identity(None)
        .env("PLUGIN_MULTIPLEX_GRPC", "true")
        .start()
        .await;
    assert_eq!(process.unwrap().endpoint().certificate, None);
}
