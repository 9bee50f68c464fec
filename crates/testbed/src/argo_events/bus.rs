//! The bus: a NATS server with `JetStream` for one test.

use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use super::START_LIMIT;
use super::pod::BUS_PORT;
use crate::Error;
use crate::certificates::CertificateAuthority;
use crate::free_ports::free_ports;
use crate::server_process::{ServerProcess, write_private};

const NAME: &str = "nats-server";

/// The settings of the stream, as an `EventBus` has them, for a bus of one server.
const STREAM: &str = "maxMsgs: 1000\nmaxAge: 1h\nmaxBytes: -1\nreplicas: 1\nduplicates: 300s\n";

#[derive(Debug)]
pub(super) struct Bus {
    /// Host and port.
    pub(super) address: String,
    _process: ServerProcess,
}

impl Bus {
    /// Starts a server, and waits until it accepts connections.
    pub(super) fn start(program: &Path, folder: &Path) -> Result<Self, Error> {
        let [port] = free_ports(NAME)?;
        let address = format!("127.0.0.1:{port}");
        // Clients speak TLS always, and verify nothing.
        let keys = CertificateAuthority::new("bus")?.server(&["127.0.0.1".to_owned()])?;
        let (certificate, key) = (folder.join("bus.crt"), folder.join("bus.key"));
        write_private(&certificate, &keys.certificate)?;
        write_private(&key, &keys.key)?;
        let configuration = folder.join("bus.json");
        let text = json!({
            "listen": address,
            "jetstream": { "store_dir": folder.join("bus") },
            "tls": { "cert_file": certificate, "key_file": key },
        });
        write_private(&configuration, &text.to_string())?;
        let arguments = [
            "nats-server".as_ref(),
            "--config".as_ref(),
            configuration.as_os_str(),
        ];
        let mut process = ServerProcess::spawn_bound(NAME, program, arguments, folder)?;
        process.wait_until(NAME, START_LIMIT, || {
            Ok(TcpStream::connect(&address).ok().map(|_| ()))
        })?;
        Ok(Self {
            address,
            _process: process,
        })
    }

    /// Returns what the status of an `EventBus` tells the programs, as seen from a pod.
    pub(super) fn config() -> Value {
        json!({ "jetstream": {
            "url": format!("nats://127.0.0.1:{BUS_PORT}"),
            "streamConfig": STREAM,
        } })
    }
}
