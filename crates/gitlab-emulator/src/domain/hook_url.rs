//! Valid URLs of webhooks (GitLab `lib/gitlab/url_blocker.rb`).

use std::net::IpAddr;

use super::settings::Settings;

/// Returns whether a hook may have a URL: HTTP, and not local unless the settings allow that. Host
/// names are not resolved.
pub fn is_valid_url(url: &str, settings: &Settings) -> bool {
    let Some((host, port)) = host_and_port(url) else {
        return false;
    };
    !is_local(host)
        || settings.allow_local_requests_from_web_hooks_and_services
        || settings
            .outbound_local_requests_whitelist
            .iter()
            .any(|entry| matches_entry(entry, host, port))
}

fn host_and_port(url: &str) -> Option<(&str, Option<&str>)> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let address = authority.rsplit('@').next()?;
    let (host, port) = match address.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6.split_once(']')?;
            (host, port.strip_prefix(':'))
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    (!host.is_empty() && !url.contains(char::is_whitespace)).then_some((host, port))
}

fn is_local(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    match host.parse() {
        Ok(IpAddr::V4(v4)) => {
            v4.is_loopback() || v4.is_unspecified() || v4.is_private() || v4.is_link_local()
        }
        Ok(IpAddr::V6(v6)) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
        Err(_) => false,
    }
}

/// Returns whether an entry of the allow list, a host, address or range, matches. Hosts and addresses
/// may have a port.
fn matches_entry(entry: &str, host: &str, port: Option<&str>) -> bool {
    if let (Some((network, length)), Ok(address)) = (entry.split_once('/'), host.parse()) {
        return is_in_range(network, length, address);
    }
    entry.eq_ignore_ascii_case(host)
        || port.is_some_and(|port| {
            entry.eq_ignore_ascii_case(&format!("{host}:{port}"))
                || entry.eq_ignore_ascii_case(&format!("[{host}]:{port}"))
        })
}

fn is_in_range(network: &str, length: &str, address: IpAddr) -> bool {
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(u32::from(network)),
            u128::from(u32::from(address)),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            (u128::from(network), u128::from(address), 128)
        }
        _ => return false,
    };
    let Some(host_bits) = u32::checked_sub(width, length) else {
        return false;
    };
    // A shift by the full width yields `None`: a range of all addresses.
    (network ^ address).checked_shr(host_bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses_are_refused_unless_allowed() {
        let strict = Settings::default();
        let lenient = Settings {
            allow_local_requests_from_web_hooks_and_services: true,
            ..Settings::default()
        };
        assert!(is_valid_url("https://hooks.example.com/x", &strict));
        assert!(is_valid_url("http://user@8.8.8.8:80", &strict));
        for local in [
            "http://localhost:1/x",
            "http://a.localhost",
            "http://[::1]/",
            "http://[fd00::1]:80",
            "http://10.1.2.3",
            "http://127.0.0.1:80",
            "http://169.254.0.1",
            "http://0.0.0.0",
        ] {
            assert!(!is_valid_url(local, &strict), "{local}");
            assert!(is_valid_url(local, &lenient), "{local}");
        }
        for invalid in ["ftp://example.com", "http://", "http://a b", "example.com"] {
            assert!(!is_valid_url(invalid, &lenient), "{invalid}");
        }
    }

    #[test]
    fn allow_list_matches_hosts_addresses_and_ranges() {
        let is_allowed = |entry: &str, url: &str| {
            let settings = Settings {
                outbound_local_requests_whitelist: vec![entry.to_owned()],
                ..Settings::default()
            };
            is_valid_url(url, &settings)
        };
        assert!(is_allowed("localhost", "http://localhost:8080"));
        assert!(is_allowed("127.0.0.1:8080", "http://127.0.0.1:8080/x"));
        assert!(!is_allowed("127.0.0.1:8080", "http://127.0.0.1:8081/x"));
        assert!(is_allowed("10.0.0.0/8", "http://10.1.2.3"));
        assert!(!is_allowed("10.0.0.0/16", "http://10.1.2.3"));
        assert!(is_allowed("fd00::/8", "http://[fd12::1]/"));
        assert!(is_allowed("::/0", "http://[::1]:1"));
        assert!(!is_allowed("10.0.0.0/33", "http://10.0.0.0"));
    }
}
