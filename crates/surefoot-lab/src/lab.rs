//! The server of the page.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::routing::{get, post};
use surefoot_serve::Listener;

use crate::error::Result;
use crate::guard::{Guard, harden, new_token};
use crate::sessions::{Sessions, State};
use crate::{api, assets};

/// The largest request, such as a table that is sent.
const LARGEST: usize = 16 << 20;
/// The threads that answer; what computes has its own.
const THREADS: usize = 2;

/// A page to learn and play with, for whoever has its address.
pub struct Lab {
    listener: Listener,
    guard: Guard,
    state: Arc<State>,
}

impl Lab {
    /// Listens at `host` and `port` (0: any that is free), with a token drawn for this run. `data` is a table that the page can learn
    /// from beside those in the program; the page can name no other file.
    ///
    /// # Errors
    /// [`Error::Serve`](crate::Error::Serve) when the address cannot be listened at.
    pub fn bind(host: &str, port: u16, data: Option<String>) -> Result<Self> {
        let listener = Listener::bind(host, port)?;
        let guard = Guard { token: new_token()?, hosts: listener.hosts().clone() };
        Ok(Lab { listener, guard, state: Arc::new(State { sessions: Sessions::default(), given: data }) })
    }

    /// The address of the page, with its token.
    pub fn url(&self) -> String {
        format!("{}/?token={}", self.listener.url(), self.guard.token)
    }

    /// Whether other machines can reach it.
    pub fn is_shared(&self) -> bool {
        self.listener.is_shared()
    }

    /// Serves until `end` is ready; requests that are on the way are answered, and trainings end.
    ///
    /// # Errors
    /// [`Error::Serve`](crate::Error::Serve) when serving fails.
    pub fn serve(self, end: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let Lab { listener, guard, state } = self;
        let kept = Arc::clone(&state);
        listener.serve(THREADS, router(guard, state), end)?;
        kept.sessions.clear();
        Ok(())
    }
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
