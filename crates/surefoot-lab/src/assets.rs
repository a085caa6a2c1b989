//! The page, which is in the program.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(crate) async fn index() -> Html<&'static str> {
    Html(include_str!("assets/index.html"))
}

pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", include_str!("assets/style.css")),
        "lab.js" => (SCRIPT, include_str!("assets/lab.js")),
        "server.js" => (SCRIPT, include_str!("assets/server.js")),
        "colours.js" => (SCRIPT, include_str!("assets/colours.js")),
        "check.js" => (SCRIPT, include_str!("assets/check.js")),
        "network.js" => (SCRIPT, include_str!("assets/network.js")),
        "weights.js" => (SCRIPT, include_str!("assets/weights.js")),
        "drawing.js" => (SCRIPT, include_str!("assets/drawing.js")),
        "walk.js" => (SCRIPT, include_str!("assets/walk.js")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
