//! What to do when a back end gives no usable answer.

use terraform_plugin::diagnostics::SharedCause;

use crate::backends::http::{ConnectFailure, TransportError, TrustFailure};

/// How messages name a back end and its part of the provider block.
pub(super) struct BackEnd {
    /// `GitLab`.
    pub(super) name: &'static str,
    /// The provider argument with its address: `gitlab.url`.
    pub(super) address: &'static str,
    /// The provider arguments with the certificates of private authorities.
    pub(super) authority: &'static str,
}

/// Says what to do next; empty when that depends on what was attempted.
pub(super) fn hint(error: &TransportError, back_end: &BackEnd) -> String {
    let BackEnd { name, address, .. } = back_end;
    match error {
        TransportError::Unreachable {
            reason: ConnectFailure::Unresolved,
        } => format!(
            "Check the host in the provider argument {address}, and that this machine can resolve its name."
        ),
        TransportError::Unreachable { .. } => format!(
            "Check the provider argument {address}, and that this machine reaches it, directly or through HTTPS_PROXY."
        ),
        TransportError::Untrusted { reason } => untrusted(*reason, back_end),
        TransportError::NotTls => format!(
            "Begin the provider argument {address} with http:// instead of https://, or name the port on which the {name} speaks TLS."
        ),
        TransportError::CircuitOpen { cause, .. } => {
            let check = match &**cause {
                TransportError::Interrupted { .. } => format!(
                    "Check that the {name} is running, and that the provider argument {address} leads to it."
                ),
                cause => hint(cause, back_end),
            };
            format!("{check} What was done so far is kept. Apply again when it answers.")
        }
        TransportError::Interrupted { .. }
        | TransportError::Server { .. }
        | TransportError::Limited { .. } => {
            "What was done so far is kept. Apply again to finish it.".to_owned()
        }
        TransportError::Redirected { .. } => {
            format!(
                "Set the provider argument {address} to the address that the {name} itself uses."
            )
        }
        TransportError::UnexpectedBody => format!(
            "Check that the provider argument {address} is the root of a {name}: something else seems to answer there, such as a proxy or a login page."
        ),
        TransportError::TooLarge | TransportError::Unsendable => String::new(),
    }
}

/// Returns the cause that errors of a back end share, if it is one of all calls; `kind` is that of the error.
pub(super) fn shared_cause(
    kind: &impl std::fmt::Display,
    transport: Option<&TransportError>,
    back_end: &BackEnd,
) -> Option<SharedCause> {
    let cause = match transport.map(TransportError::cause) {
        None => kind.to_string(),
        Some(cause) => match cause {
            TransportError::Unreachable { .. }
            | TransportError::Untrusted { .. }
            | TransportError::NotTls
            | TransportError::UnexpectedBody
            | TransportError::Redirected { .. } => cause.to_string(),
            // A single call may fail like this, but the circuit opens for all of them.
            cause => match transport? {
                TransportError::CircuitOpen { .. } => cause.to_string(),
                _ => return None,
            },
        },
    };
    let name = back_end.name;
    Some(SharedCause {
        key: format!("{name}: {cause}"),
        short_detail: format!("{name}: {cause}. The first error with this cause tells what to do."),
    })
}

fn untrusted(reason: TrustFailure, back_end: &BackEnd) -> String {
    let BackEnd {
        name,
        address,
        authority,
    } = back_end;
    match reason {
        TrustFailure::UnknownAuthority { private_ca: false } => format!(
            "If a private authority signed the certificate of the {name}, give the authority's certificate in the provider argument {authority}."
        ),
        TrustFailure::UnknownAuthority { private_ca: true } => format!(
            "The provider argument {authority} does not hold the authority that signed the certificate of the {name}. Give the authority's certificate there: the server's own certificate is no authority, unless it is self-signed."
        ),
        TrustFailure::AuthorityAsServer => format!(
            "The certificate of the {name} is self-signed and marked as an authority (CA:TRUE), which `openssl req -x509` does by default. It is no certificate of a server, so it is not trusted, even if the provider argument {authority} holds it. Give the {name} a certificate that is not marked as an authority (`-addext basicConstraints=critical,CA:FALSE`), or one that an authority signed, and give that certificate or the authority's there."
        ),
        TrustFailure::WrongHost => format!(
            "Use a host in the provider argument {address} that the certificate of the {name} is for."
        ),
        TrustFailure::Expired => {
            format!("Renew the certificate of the {name}, or correct the clock of this machine.")
        }
        TrustFailure::Other => format!("Check the certificate of the {name}."),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;

    const GITLAB: BackEnd = BackEnd {
        name: "GitLab",
        address: "gitlab.url",
        authority: "gitlab.ca_file or gitlab.ca_pem",
    };

    #[test]
    fn the_hint_for_a_certificate_that_is_given_already_does_not_ask_for_it() {
        for reason in [
            TrustFailure::UnknownAuthority { private_ca: true },
            TrustFailure::AuthorityAsServer,
        ] {
            let untrusted = TransportError::Untrusted { reason };
            let hint = hint(&untrusted, &GITLAB);
            assert!(!hint.starts_with("If a private authority"), "{hint}");
            assert!(
                hint.contains("no authority") || hint.contains("CA:FALSE"),
                "{hint}"
            );
        }
    }

    #[test]
    fn an_open_circuit_is_answered_by_its_cause() {
        let reason = ConnectFailure::Refused;
        let cause = TransportError::Unreachable { reason };
        let refused = hint(&cause, &GITLAB);
        let open = TransportError::CircuitOpen {
            since: SystemTime::UNIX_EPOCH,
            cause: Arc::new(cause),
        };
        let open = hint(&open, &GITLAB);
        assert!(open.starts_with(&refused), "{open}");
        assert!(open.ends_with("Apply again when it answers."), "{open}");
    }

    #[test]
    fn a_wrong_address_is_answered_by_its_argument() {
        let reason = ConnectFailure::Unresolved;
        for (error, expected) in [
            (TransportError::UnexpectedBody, "is the root of a GitLab"),
            (TransportError::NotTls, "with http:// instead of https://"),
            (TransportError::Unreachable { reason }, "Check the host"),
            (
                TransportError::Redirected { location: None },
                "to the address that the GitLab itself uses",
            ),
        ] {
            let hint = hint(&error, &GITLAB);
            assert!(hint.contains(expected), "{hint}");
            assert!(hint.contains("gitlab.url"), "{hint}");
        }
    }
}
