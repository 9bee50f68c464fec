//! What failed connections say about the server's certificate.

/// Whether the TLS library refused the server's certificate. I/O errors keep it inside and do not
/// show it as their source.
pub(super) fn is_certificate_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref)
        .map(|inner| inner as &(dyn std::error::Error + 'static));
    let tls = inner.unwrap_or(error).downcast_ref::<rustls::Error>();
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
        || inner
            .or_else(|| error.source())
            .is_some_and(is_certificate_refused)
}
