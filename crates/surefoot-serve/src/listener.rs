//! The port of a server.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::hosts::Hosts;

/// How long requests that are on the way are waited for at the end.
const GRACE: Duration = Duration::from_secs(10);

/// A port that is listened at, and not served yet.
#[derive(Debug)]
pub struct Listener {
    listener: StdListener,
    address: SocketAddr,
    hosts: Hosts,
}

impl Listener {
    /// Listens at `host` and `port` (0: any that is free).
    ///
    /// # Errors
    /// [`Error::Listen`] when the address cannot be listened at.
    pub fn bind(host: &str, port: u16) -> Result<Self> {
        let failed = |source| Error::Listen { host: host.into(), port, source };
        let listener = StdListener::bind((host, port)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = (!address.ip().is_loopback()).then(|| host.to_string());
        Ok(Listener { listener, address, hosts: Hosts { shared } })
    }

    /// Where a program on this machine finds it, such as `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        match self.address.ip().is_unspecified() {
            true => format!("http://127.0.0.1:{}", self.address.port()),
            false => format!("http://{}", self.address),
        }
    }

    /// The names by which it lets itself be called.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Whether other machines can reach it.
    pub fn is_shared(&self) -> bool {
        self.hosts.shared.is_some()
    }

    /// Serves on so many threads until `end` is ready; then requests that are on the way are answered, for ten seconds at most.
    ///
    /// # Errors
    /// [`Error::Serve`] when serving fails.
    pub fn serve(self, threads: usize, router: Router, end: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let failed = |source| Error::Serve { source };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads.max(1)).enable_all().build();
        let served: io::Result<()> = runtime.map_err(failed)?.block_on(async move {
            // small answers are not held back until there are more
            let listener = TcpListener::from_std(self.listener)?.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            let (ended, is_ended) = oneshot::channel();
            let end = async move {
                end.await;
                let _ = ended.send(());
            };
            let patience = async move {
                // without an end there is nothing to be patient about
                match is_ended.await {
                    Ok(()) => tokio::time::sleep(GRACE).await,
                    Err(_) => std::future::pending().await,
                }
            };
            tokio::select! {
                served = async { axum::serve(listener, router).with_graceful_shutdown(end).await } => served,
                () = patience => Ok(()),
            }
        });
        served.map_err(failed)
    }
}

/// Ready on SIGINT, or SIGTERM where there is one.
pub async fn until_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
