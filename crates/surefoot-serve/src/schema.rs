//! What can be asked, as OpenAPI.

use serde_json::{Value, json};
use surefoot::{Model, Task};
use surefoot_table::{Column, Encoding, Kind, target_names};

/// The values of a column that are shown.
const SHOWN: usize = 20;

/// The service of a model by OpenAPI 3.1.
pub(crate) fn schema(model: &Model, encoding: &Encoding) -> Value {
    let columns: serde_json::Map<String, Value> =
        encoding.columns.iter().map(|column| (column.name.clone(), schema_of(column))).collect();
    let names: Vec<&str> = encoding.columns.iter().map(|column| &*column.name).collect();
    let in_order: Vec<&Value> = names.iter().map(|name| &columns[*name]).collect();
    let count = names.len();
    let prediction = match (model.task, target_names(model)) {
        (Task::Classification, _) => {
            json!({"type": "string", "enum": (0..model.class_count()).map(|class| model.class_name(class)).collect::<Vec<_>>()})
        }
        (_, Some(names)) => {
            let numbers: serde_json::Map<String, Value> =
                names.iter().map(|name| (name.clone(), json!({"type": "number"}))).collect();
            json!({"type": "object", "properties": numbers, "required": names})
        }
        _ => json!({"type": "number"}),
    };
    let error = json!({"description": "What is wrong, and what to do about it",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "surefoot serve",
            "summary": format!("{} by the network {}", model.task.name(), model.network.widths()),
            "version": env!("CARGO_PKG_VERSION"),
        },
        "paths": {
            "/predict": {"post": {
                "operationId": "predict",
                "summary": "Predict rows",
                "parameters": [{
                    "name": "probabilities", "in": "query", "schema": {"type": "boolean", "default": false},
                    "description": "Whether the probability of each class is told, too",
                }],
                "requestBody": {"required": true, "content": {
                    "application/json": {"schema": {"anyOf": [
                        {"$ref": "#/components/schemas/Record"},
                        {"type": "array", "items": {"anyOf": [
                            {"$ref": "#/components/schemas/Record"}, {"$ref": "#/components/schemas/Values"},
                        ]}},
                    ]}},
                    "text/csv": {"schema": {"type": "string", "description": "A table with a header"}},
                }},
                "responses": {
                    "200": {"description": "A prediction for each row", "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Predictions"}},
                        "text/csv": {"schema": {"type": "string"}},
                    }},
                    "400": error, "406": error, "413": error, "415": error, "503": error,
                },
            }},
            "/schema": {"get": {
                "operationId": "schema", "summary": "This description",
                "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}},
            }},
            "/health": {"get": {
                "operationId": "health", "summary": "Whether the service can be asked",
                "responses": {"200": {"description": "It can", "content": {"application/json": {"schema": {"type": "object"}}}}},
            }},
        },
        "components": {"schemas": {
            "Record": {"type": "object", "description": "A row; other fields do not matter", "properties": columns, "required": names},
            "Values": {
                "type": "array", "description": "The values of a row in the order of the columns",
                "prefixItems": in_order, "minItems": count, "maxItems": count,
            },
            "Predictions": {"type": "object", "required": ["predictions"], "properties": {
                "predictions": {"type": "array", "items": {"type": "object", "required": ["prediction"], "properties": {
                    "prediction": prediction,
                    "probabilities": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}},
                }}},
                "unseen": {
                    "type": "array",
                    "description": "Values that the training data did not have, and the category that they are read as, if any",
                    "items": {"type": "object", "properties": {
                        "column": {"type": "string"}, "value": {"type": "string"}, "rows": {"type": "integer"},
                        "read_as": {"type": ["string", "null"]},
                    }},
                },
            }},
            "Error": {"type": "object", "required": ["error"], "properties": {
                "error": {"type": "string"}, "hint": {"type": ["string", "null"]},
            }},
        }},
    })
}

/// What a column takes.
fn schema_of(Column { kind, .. }: &Column) -> Value {
    match kind {
        Kind::Number { fill, .. } => {
            let (types, missing) = match fill {
                Some(_) => (vec!["number", "string", "null"], "; it may be missing"),
                None => (vec!["number", "string"], ""),
            };
            json!({"type": types, "description": format!("A number, or one written as in the training data{missing}")})
        }
        Kind::Binary { values, .. } => {
            json!({"type": ["string", "number", "boolean", "null"], "description": "One of two values", "examples": values})
        }
        Kind::Category { categories, .. } => {
            let shown = &categories[..categories.len().min(SHOWN)];
            let more = if categories.len() > SHOWN { ", of which some are shown" } else { "" };
            let description = format!("One of {} values{more}", categories.len());
            json!({"type": ["string", "number", "boolean", "null"], "description": description, "examples": shown})
        }
    }
}
