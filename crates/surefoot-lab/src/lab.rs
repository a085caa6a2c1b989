//! The server of the page.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::error::{Error, Result};
use crate::guard::{Guard, harden, new_token};
use crate::sessions::{Sessions, State};
use crate::{api, assets};

/// The largest request, such as a table that is sent.
const LARGEST: usize = 16 << 20;

/// A page to learn and play with, for whoever has its address.
pub struct Lab {
    listener: std::net::TcpListener,
    address: SocketAddr,
    guard: Guard,
    state: Arc<State>,
}

impl Lab {
    /// Listens at `host` and `port` (0: any that is free), with a token drawn for this run. `data` is a table that the page can learn
    /// from beside those in the program; the page can name no other file.
    ///
    /// # Errors
    /// [`Error::Io`] when the address cannot be listened at.
    pub fn bind(host: &str, port: u16, data: Option<String>) -> Result<Self> {
        let io = |source| Error::Io { doing: format!("listen at {host}:{port}"), source };
        let listener = std::net::TcpListener::bind((host, port)).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        let host = (!address.ip().is_loopback()).then(|| host.to_string());
        let guard = Guard { token: new_token()?, host };
        Ok(Lab { listener, address, guard, state: Arc::new(State { sessions: Sessions::default(), given: data }) })
    }

    /// The address of the page, with its token.
    pub fn url(&self) -> String {
        let address = match self.address.ip().is_unspecified() {
            true => format!("127.0.0.1:{}", self.address.port()),
            false => self.address.to_string(),
        };
        format!("http://{address}/?token={}", self.guard.token)
    }

    /// Whether other machines can reach it.
    pub fn is_shared(&self) -> bool {
        self.guard.host.is_some()
    }

    /// Serves until `end` is ready; requests that are on the way are answered, and trainings end.
    ///
    /// # Errors
    /// [`Error::Io`] when serving fails.
    pub fn serve(self, end: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let io = |source| Error::Io { doing: "serve".into(), source };
        let Lab { listener, guard, state, .. } = self;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(io)?;
        let kept = Arc::clone(&state);
        runtime
            .block_on(async move {
                let listener = TcpListener::from_std(listener)?;
                axum::serve(listener, router(guard, state)).with_graceful_shutdown(end).await
            })
            .map_err(io)?;
        kept.sessions.clear();
        Ok(())
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

fn router(guard: Guard, state: Arc<State>) -> Router {
    let guarded = move |request: Request, next: Next| {
        let refusal = guard.refusal(&request);
        async move {
            harden(match refusal {
                Some(refusal) => refusal,
                None => next.run(request).await,
            })
        }
    };
    Router::new()
        .route("/", get(assets::index))
        .route("/assets/{name}", get(assets::asset))
        .route("/api/choices", get(api::choices))
        .route("/api/sessions", post(api::create))
        .route("/api/sessions/{id}", get(api::now).delete(api::remove))
        .route("/api/sessions/{id}/go", post(api::go))
        .route("/api/sessions/{id}/equation", post(api::equation))
        .route("/api/sessions/{id}/check", post(api::check))
        .route("/api/sessions/{id}/lines", get(api::lines))
        .route("/api/sessions/{id}/model", get(api::model))
        .route("/api/sessions/{id}/report", get(api::report))
        .route("/api/sessions/{id}/data", get(api::data))
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn(guarded))
        .with_state(state)
}
