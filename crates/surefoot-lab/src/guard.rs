//! Who may ask: whoever has the token, by the name of this machine.

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use surefoot_serve::Hosts;

use crate::error::{Error, Result};

/// Everything that a page may load comes from here, and no other page may frame it or read what it answers.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The header with the token.
pub(crate) const TOKEN: &str = "x-surefoot-token";

/// 128 random bits in hexadecimal.
pub(crate) fn new_token() -> Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| Error::Io {
        doing: "draw a token".into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(bits.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether two texts are equal, in a time that does not say where they differ.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// What is asked of each request.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub token: String,
    pub hosts: Hosts,
}

impl Guard {
    /// Why a request is refused, if it is.
    pub fn refusal(&self, request: &Request<Body>) -> Option<Response> {
        let text = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        if !self.hosts.are_known(request.headers()) {
            return Some((StatusCode::MISDIRECTED_REQUEST, "unknown Host\n").into_response());
        }
        let path = request.uri().path();
        if path.starts_with("/assets/") {
            return None;
        }
        let of_query = || {
            let pairs = request.uri().query().unwrap_or_default().split('&');
            pairs.filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == "token").map(|(_, token)| token)
        };
        let given = text(header::HeaderName::from_static(TOKEN)).or_else(of_query).unwrap_or_default();
        match is_equal(given.as_bytes(), self.token.as_bytes()) {
            true => None,
            false => Some(
                (StatusCode::FORBIDDEN, "open the address that `surefoot lab` printed, with its token\n")
                    .into_response(),
            ),
        }
    }
}

/// Adds what browsers are told of each answer.
pub(crate) fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name, value| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    response
}
