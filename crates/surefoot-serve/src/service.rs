//! What is answered to each request.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use surefoot::Model;
use surefoot_table::{Encoding, Predictions, Reading, Table};

use crate::answer::{Answer, Form};
use crate::batches::Batches;
use crate::error::{Error, Result, refusal};
use crate::hosts::Hosts;
use crate::listener::Listener;
use crate::rows::Rows;
use crate::schema::schema;

/// The largest request.
const LARGEST: usize = 16 << 20;
/// From so many bytes on a request is read where it does not hold up others.
const LARGE: usize = 1 << 16;
/// What errors call the table of a request.
const BODY: &str = "the body";

/// A model that answers requests:
///
/// * `POST /predict`: rows in, JSON or CSV by the header `Content-Type`; predictions out, in the form of the request or as the header
///   `Accept` asks; `?probabilities=true` adds those of the classes
/// * `GET /schema`: what can be asked, as OpenAPI 3.1
/// * `GET /health`: that it can be asked
///
/// Predictions have the bits of [`Model::predict`], whatever else is asked at the same time.
pub struct Service(Arc<Shared>);

struct Shared {
    model: Arc<Model>,
    encoding: Encoding,
    reading: Reading,
    known: Vec<String>,
    schema: String,
    batches: Batches,
    is_strict: bool,
}

impl Service {
    /// Of a model; one that is `strict` refuses values that the training data did not have.
    ///
    /// # Errors
    /// [`Error::Table`] when what the model says of columns is not understood; [`Error::Serve`] when there can be no thread.
    pub fn new(model: Model, is_strict: bool) -> Result<Self> {
        let model = Arc::new(model);
        let encoding = Encoding::of_rows(&model)?;
        let (reading, known) = (Encoding::reading_of(&model), Encoding::names_of(&model));
        let schema = schema(&model, &encoding).to_string();
        let batches = Batches::new(Arc::clone(&model))?;
        Ok(Service(Arc::new(Shared { model, encoding, reading, known, schema, batches, is_strict })))
    }

    /// Serves at this port, on all processors, until `end` is ready. Where other machines cannot reach it, it answers only to the names
    /// of this one.
    ///
    /// # Errors
    /// As [`Listener::serve`].
    pub fn serve(self, listener: Listener, end: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let router = router(self, (!listener.is_shared()).then(|| listener.hosts().clone()));
        listener.serve(threads, router, end)
    }
}

fn router(service: Service, hosts: Option<Hosts>) -> Router {
    let guarded = move |request: Request, next: Next| {
        let is_known = hosts.as_ref().is_none_or(|hosts| hosts.are_known(request.headers()));
        async move {
            match is_known {
                true => next.run(request).await,
                false => refusal(StatusCode::MISDIRECTED_REQUEST, "unknown Host", None),
            }
        }
    };
    Router::new()
        .route("/predict", post(predict))
        .route("/schema", get(|State(service): State<Arc<Shared>>| async move { as_json(service.schema.clone()) }))
        .route("/health", get(health))
        .fallback(|| async {
            let hint = "there are POST /predict, GET /schema and GET /health";
            refusal(StatusCode::NOT_FOUND, "there is nothing at this path", Some(hint))
        })
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(middleware::from_fn(guarded))
        .with_state(service.0)
}

fn as_json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn health(State(service): State<Arc<Shared>>) -> Response {
    let Shared { model, encoding, .. } = &*service;
    let body = json!({
        "status": "ok", "task": model.task.name(), "columns": encoding.columns.len(), "network": model.network.widths(),
        "networks": model.members(), "version": env!("CARGO_PKG_VERSION"),
    });
    as_json(body.to_string())
}

async fn predict(
    State(service): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: std::result::Result<Bytes, BytesRejection>,
) -> Result<Response> {
    let probabilities = match query.as_deref().unwrap_or_default() {
        "" | "probabilities=false" => false,
        "probabilities=true" => true,
        other => return Err(Error::Query { got: other.into() }),
    };
    let body = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::Large { most: LARGEST },
        _ => Error::Body { expected: "a whole body", got: error.body_text() },
    })?;
    let given = form_of(&headers)?;
    let wanted = wanted_form(&headers, given)?;
    let read = || service.rows(given, &body);
    let Rows { inputs, unseen } = if body.len() < LARGE { read()? } else { tokio::task::block_in_place(read)? };
    if let Some(value) = unseen.iter().find(|value| service.is_strict && value.read_as.is_none()) {
        return Err(Error::Unseen { column: value.column.clone(), value: value.value.clone() });
    }
    let outputs = service.batches.predict(inputs).await?;
    let answer = || {
        let predictions = Predictions::new(&service.model, outputs, probabilities).ok_or(Error::NoProbabilities)?;
        Answer { model: &service.model, predictions, unseen }.response(wanted)
    };
    if body.len() < LARGE { answer() } else { tokio::task::block_in_place(answer) }
}

impl Shared {
    /// The rows of a request.
    fn rows(&self, form: Form, body: &[u8]) -> Result<Rows> {
        match form {
            Form::Json => Rows::of_json(body, &self.encoding),
            Form::Csv => {
                let table = Table::read_as(BODY, body, &self.reading, &self.known)?;
                let encoding = Encoding::of_model(&self.model, &table)?;
                let rows = table.all_rows();
                Ok(Rows { inputs: encoding.inputs(&table, &rows)?, unseen: encoding.unseen(&table, &rows)? })
            }
        }
    }
}

/// The form of a request. Only forms are taken that a page of another server cannot send without being asked for leave.
fn form_of(headers: &HeaderMap) -> Result<Form> {
    let given = text(headers, header::CONTENT_TYPE);
    match media_type(&given).as_str() {
        "application/json" => Ok(Form::Json),
        "text/csv" => Ok(Form::Csv),
        _ => Err(Error::Header { header: "Content-Type", expected: "application/json or text/csv", got: given }),
    }
}

/// The form of the answer: that of the request, unless it is not among those that are accepted.
fn wanted_form(headers: &HeaderMap, given: Form) -> Result<Form> {
    let accepted = text(headers, header::ACCEPT);
    if accepted.is_empty() {
        return Ok(given);
    }
    let types: Vec<String> = accepted.split(',').map(media_type).collect();
    let takes = |form: Form| {
        let names = match form {
            Form::Json => ["application/json", "application/*", "*/*"],
            Form::Csv => ["text/csv", "text/*", "*/*"],
        };
        types.iter().any(|accepted| names.contains(&accepted.as_str()))
    };
    let other = if given == Form::Json { Form::Csv } else { Form::Json };
    let found = [given, other].into_iter().find(|form| takes(*form));
    let expected = "application/json or text/csv";
    found.ok_or(Error::Header { header: "Accept", expected, got: accepted })
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> String {
    headers.get(name).map_or_else(String::new, |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A media type without its parameters.
fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_answer_has_the_form_of_the_request_or_the_one_that_is_accepted() {
        let wanted = |accept: Option<&str>, given| {
            let accept = accept.map(|accept| (header::ACCEPT, HeaderValue::from_str(accept).unwrap()));
            wanted_form(&accept.into_iter().collect(), given).ok()
        };
        use Form::{Csv, Json};
        for (accept, given, expected) in [
            (None, Csv, Some(Csv)),
            (Some("*/*"), Csv, Some(Csv)),
            (Some("application/json"), Csv, Some(Json)),
            (Some("Text/CSV; charset=utf-8"), Json, Some(Csv)),
            (Some("text/html, application/*;q=0.8"), Json, Some(Json)),
            (Some("text/csv, application/json"), Json, Some(Json)),
            (Some("image/png"), Json, None),
        ] {
            assert_eq!(wanted(accept, given), expected, "{accept:?}");
        }
    }
}
