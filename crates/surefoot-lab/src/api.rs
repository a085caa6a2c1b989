//! The requests of the page. What computes runs beside the server's own threads.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use surefoot::Activation;
use surefoot_fit::OptimizerKind;
use surefoot_table::BUILTIN;

use crate::choices::Choices;
use crate::data::Wanted;
use crate::drawn::Drawn;
use crate::error::{Error, Result};
use crate::gate::Permit;
use crate::session::Session;
use crate::sessions::State;
use crate::toys::Toy;
use crate::{checks, equations, take_away, view};

/// What every request is given.
type Lab = Shared<Arc<State>>;

/// Runs what computes on a thread that may be busy.
async fn beside<R: Send + 'static>(work: impl FnOnce() -> Result<R> + Send + 'static) -> Result<R> {
    let io = |error: tokio::task::JoinError| Error::Io { doing: "compute".into(), source: error.into() };
    tokio::task::spawn_blocking(work).await.map_err(io)?
}

async fn of_session<R: Send + 'static>(
    state: Arc<State>,
    id: u64,
    work: impl FnOnce(&Session) -> Result<R> + Send + 'static,
) -> Result<R> {
    let session = state.sessions.get(id)?;
    beside(move || work(&session)).await
}

pub(crate) async fn choices(Shared(state): Lab) -> Json<Value> {
    let activations: Vec<Value> =
        Activation::ALL.iter().map(|a| json!({"name": a.name(), "for_outputs": a.is_for_outputs()})).collect();
    Json(json!({
        "builtin": BUILTIN.iter().map(|b| json!({"name": b.name, "about": b.about})).collect::<Vec<_>>(),
        "toys": Toy::ALL.iter().map(|(toy, about)| json!({"name": toy, "about": about})).collect::<Vec<_>>(),
        "activations": activations,
        "optimizers": OptimizerKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
        "given": state.given,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    data: Wanted,
    #[serde(default)]
    choices: Choices,
}

pub(crate) async fn create(Shared(state): Lab, Json(new): Json<New>) -> Result<Json<Value>> {
    let answer = beside(move || {
        let session = Session::new(new.data, &new.choices, state.given.as_deref())?;
        let (id, session) = state.sessions.add(session)?;
        Ok(json!({"id": id, "summary": view::summary(&session), "now": view::now(&session, 0, &Drawn::default())?}))
    });
    answer.await.map(Json)
}

/// What a page has, and what it draws.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Seen {
    /// The epochs that it knows.
    since: usize,
    /// The first unit that is drawn of each layer, with commas between.
    from: String,
}

impl Seen {
    fn now(&self, session: &Session) -> Result<Value> {
        view::now(session, self.since, &Drawn::new(&self.from))
    }
}

pub(crate) async fn now(Shared(state): Lab, Path(id): Path<u64>, Query(seen): Query<Seen>) -> Result<Json<Value>> {
    of_session(state, id, move |session| seen.now(session)).await.map(Json)
}

pub(crate) async fn remove(Shared(state): Lab, Path(id): Path<u64>) -> Json<Value> {
    state.sessions.remove(id);
    Json(json!({}))
}

/// How far a training is to go.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Go {
    Run { pace: Option<f64> },
    Pause,
    Step,
    Epoch,
    Reset,
}

pub(crate) async fn go(
    Shared(state): Lab,
    Path(id): Path<u64>,
    Query(seen): Query<Seen>,
    Json(go): Json<Go>,
) -> Result<Json<Value>> {
    let answer = of_session(state, id, move |session| {
        let permit = match go {
            Go::Run { pace: Some(pace) } if !(0.1..=10_000.0).contains(&pace) => {
                return Err(Error::request("pace", "0.1 to 10000 epochs a second", pace));
            }
            Go::Run { pace } => Permit::Run(pace),
            Go::Pause => Permit::Pause,
            Go::Step => Permit::Step,
            Go::Epoch => Permit::Epoch,
            Go::Reset => {
                session.reset()?;
                Permit::Pause
            }
        };
        session.gate().let_go(permit);
        seen.now(session)
    });
    answer.await.map(Json)
}

pub(crate) async fn equation(
    Shared(state): Lab,
    Path(id): Path<u64>,
    Json(clicked): Json<equations::Clicked>,
) -> Result<Json<Value>> {
    of_session(state, id, move |session| equations::of(session, &clicked)).await.map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    fault: Option<checks::Fault>,
}

pub(crate) async fn check(
    Shared(state): Lab,
    Path(id): Path<u64>,
    Json(Check { fault }): Json<Check>,
) -> Result<Json<Value>> {
    of_session(state, id, move |session| checks::check(session, fault)).await.map(Json)
}

pub(crate) async fn lines(Shared(state): Lab, Path(id): Path<u64>) -> Result<Json<Value>> {
    of_session(state, id, take_away::lines).await.map(Json)
}

pub(crate) async fn model(Shared(state): Lab, Path(id): Path<u64>) -> Result<Response> {
    let bytes = of_session(state, id, take_away::model).await?;
    Ok(file("application/octet-stream", "lab.safetensors", bytes))
}

pub(crate) async fn report(Shared(state): Lab, Path(id): Path<u64>) -> Result<Response> {
    let page = of_session(state, id, take_away::report).await?;
    Ok(file("text/html; charset=utf-8", "lab.html", page.into_bytes()))
}

pub(crate) async fn data(Shared(state): Lab, Path(id): Path<u64>) -> Result<Response> {
    let text = of_session(state, id, |session| match session.data.text() {
        Some(text) => text.map_err(|source| Error::Io { doing: "read the table".into(), source }),
        None => Err(Error::request("data", "a table that was made or sent", "one that is a file or built in")),
    });
    Ok(file("text/csv; charset=utf-8", "data.csv", text.await?))
}

/// A file to be saved.
fn file(kind: &'static str, name: &str, bytes: Vec<u8>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_string()), (header::CONTENT_DISPOSITION, disposition)], bytes).into_response()
}
