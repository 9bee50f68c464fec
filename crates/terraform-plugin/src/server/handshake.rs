//! The texts that tell a client where to connect.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::json;

use super::listener::Address;

/// The version of go-plugin's own protocol.
const CORE_PROTOCOL: u32 = 1;

/// The only major version that the server supports. Every Terraform since 1.0 and every OpenTofu supports it. A client
/// that does not gets the same handshake and reports the mismatch itself.
pub(super) const PROVIDER_PROTOCOL: u32 = 6;

/// The handshake line on standard output, without its newline.
///
/// `<core>|<protocol>|<network>|<address>|grpc|<certificate>[|<multiplex>]`, where the certificate
/// is base64 of the DER without padding, or empty (go-plugin `server.go`, `client.go`).
#[derive(Debug)]
pub(super) struct HandshakeLine<'a> {
    pub(super) address: &'a Address,
    /// The server's certificate as DER if the connection is encrypted.
    pub(super) certificate: Option<&'a [u8]>,
    /// Whether to state that connections are not multiplexed, for clients that read this field.
    pub(super) refuse_multiplexing: bool,
}

impl fmt::Display for HandshakeLine<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{CORE_PROTOCOL}|{PROVIDER_PROTOCOL}|{}|{}|grpc|{}{}",
            self.address.network(),
            self.address,
            self.certificate
                .map(|der| STANDARD_NO_PAD.encode(der))
                .unwrap_or_default(),
            if self.refuse_multiplexing {
                "|false"
            } else {
                ""
            },
        )
    }
}

/// The instructions for attaching commands to a provider in debug mode.
#[derive(Debug)]
pub(super) struct ReattachInstructions<'a> {
    /// The full address of the provider.
    pub(super) provider: &'a str,
    pub(super) version: &'a str,
    pub(super) address: &'a Address,
    /// The id of this process.
    pub(super) process: u32,
}

impl ReattachInstructions<'_> {
    /// Returns the value of `TF_REATTACH_PROVIDERS` (terraform `internal/getproviders/reattach`). `Test` prevents
    /// clients from ending the process.
    fn variable(&self) -> serde_json::Value {
        json!({
            self.provider: {
                "Protocol": "grpc",
                "ProtocolVersion": PROVIDER_PROTOCOL,
                "Pid": self.process,
                "Test": true,
                "Addr": { "Network": self.address.network(), "String": self.address.to_string() },
            }
        })
    }
}

impl fmt::Display for ReattachInstructions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let export = if cfg!(windows) { "$env:" } else { "export " };
        write!(
            formatter,
            "The provider {} {} is running. Set this variable in the shell of the commands:\n\n\
             {export}TF_REATTACH_PROVIDERS='{}'\n\n\
             It serves any number of commands. Press Ctrl-C to stop it.",
            self.provider,
            self.version,
            self.variable(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> Address {
        Address::Unix("/run/tf 7".into())
    }

    #[test]
    fn the_line_has_the_certificate_without_padding() {
        let address = socket();
        let line = HandshakeLine {
            address: &address,
            certificate: Some(&[0xfb, 0xff]),
            refuse_multiplexing: false,
        };
        assert_eq!(line.to_string(), "1|6|unix|/run/tf 7|grpc|+/8");
    }

    #[test]
    fn without_encryption_the_certificate_is_empty() {
        let address = Address::Tcp(([127, 0, 0, 1], 10_000).into());
        let line = HandshakeLine {
            address: &address,
            certificate: None,
            refuse_multiplexing: true,
        };
        assert_eq!(line.to_string(), "1|6|tcp|127.0.0.1:10000|grpc||false");
    }

    #[test]
    fn the_reattach_instructions_contain_a_line_to_paste() {
        let address = socket();
        let text = ReattachInstructions {
            provider: "registry.example/acme/cloud",
            version: "1.2.3",
            address: &address,
            process: 7,
        };
        let text = text.to_string();
        let (_, quoted) = text.split_once("TF_REATTACH_PROVIDERS='").unwrap();
        let (json, _) = quoted.split_once("'\n").unwrap();
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let expected = json!({
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": 7,
            "Test": true,
            "Addr": { "Network": "unix", "String": "/run/tf 7" },
        });
        assert_eq!(value, json!({ "registry.example/acme/cloud": expected }));
    }
}
