//! The names by which a server lets itself be called.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

/// Whether the `Host` header of a request names this server. A page of a stranger whose name was pointed at this machine (DNS
/// rebinding) does not.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// The host that was listened at, where it is not that of this machine alone.
    pub(crate) shared: Option<String>,
}

impl Hosts {
    /// Whether a request with these headers is for this server: by `localhost`, `127.0.0.1` or `[::1]`; where other machines can reach
    /// it also by the host that was listened at, and by any number of the network, which no name can be pointed at.
    pub fn are_known(&self, headers: &HeaderMap) -> bool {
        headers.get(header::HOST).and_then(|host| host.to_str().ok()).is_some_and(|host| self.is_known(host))
    }

    fn is_known(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        let is_number = self.shared.is_some() && name.parse::<IpAddr>().is_ok();
        is_number || matches!(name, "127.0.0.1" | "localhost" | "::1") || self.shared.as_deref() == Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_known() {
        let alone = Hosts { shared: None };
        for host in ["127.0.0.1:8080", "localhost", "localhost:1", "[::1]:80"] {
            assert!(alone.is_known(host), "{host}");
        }
        for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example:80", "", "10.0.0.1:80"] {
            assert!(!alone.is_known(host), "{host}");
        }
        let shared = Hosts { shared: Some("0.0.0.0".into()) };
        assert!(shared.is_known("10.0.0.1:80") && !shared.is_known("evil.example"));
    }
}
