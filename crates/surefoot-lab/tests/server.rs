//! The lab over its socket: who is let in, what is refused, and that a training of the page has the bits of the library's.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::JoinHandle;

use serde_json::{Value, json};
use surefoot::Model;
use surefoot_fit::{Input, Options, Tables, fit};
use surefoot_lab::Lab;
use tokio::sync::oneshot;

struct Server {
    port: u16,
    token: String,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn new() -> Self {
        let lab = Lab::bind("127.0.0.1", 0, None).unwrap();
        let url = lab.url();
        let (address, token) = url.strip_prefix("http://127.0.0.1:").unwrap().split_once("/?token=").unwrap();
        let (port, token) = (address.parse().unwrap(), token.to_string());
        let (end, ended) = oneshot::channel::<()>();
        let serve = move || lab.serve(async { drop(ended.await) }).unwrap();
        Server { port, token, end: Some(end), thread: Some(std::thread::spawn(serve)) }
    }

    /// Sends a request as it is, and gives status, headers and body.
    fn send(&self, head: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!("{head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        // a body that is refused is not read to its end
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let split = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
        let head = String::from_utf8(answer[..split].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head, answer[split + 4..].to_vec())
    }

    fn raw(&self, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nx-surefoot-token: {}\r\ncontent-type: application/json",
            self.port, self.token
        );
        let (status, _, body) = self.send(&head, body);
        (status, body)
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.raw(method, path, body.to_string().as_bytes());
        assert_eq!(status, 200, "{method} {path}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }

    fn refusal(&self, path: &str, body: &Value) -> String {
        let (status, answer) = self.raw("POST", path, body.to_string().as_bytes());
        assert!((400..500).contains(&status), "{status}");
        String::from_utf8(answer).unwrap()
    }

    /// A session on XOR, and its number.
    fn xor(&self, choices: Value) -> u64 {
        let mut all = json!({"hidden": [4], "activation": "tanh", "weight_decay": 0.0001});
        all.as_object_mut().unwrap().extend(choices.as_object().unwrap().clone());
        let made = self.json("POST", "/api/sessions", &json!({"data": {"builtin": "xor"}, "choices": all}));
        made["id"].as_u64().unwrap()
    }

    fn go(&self, id: u64, how: &Value) -> Value {
        self.json("POST", &format!("/api/sessions/{id}/go"), how)
    }

    fn end(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn only_who_has_the_token_and_asks_by_the_name_of_this_machine_is_answered() {
    let server = Server::new();
    let (port, token) = (server.port, &server.token);
    let status = |head: &str| server.send(head, b"").0;
    assert_eq!(status(&format!("GET /?token={token} HTTP/1.1\r\nhost: 127.0.0.1:{port}")), 200);
    assert_eq!(status(&format!("GET / HTTP/1.1\r\nhost: 127.0.0.1:{port}")), 403);
    assert_eq!(status(&format!("GET /api/choices HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nx-surefoot-token: 0")), 403);
    // a name of a stranger that points at this machine
    assert_eq!(status(&format!("GET /?token={token} HTTP/1.1\r\nhost: evil.example:{port}")), 421);
    let (_, head, _) = server.send(&format!("GET /?token={token} HTTP/1.1\r\nhost: localhost:{port}"), b"");
    for part in ["content-security-policy: default-src 'none'; script-src 'self'", "nosniff", "no-referrer"] {
        assert!(head.contains(part), "{head}");
    }
}

#[test]
fn no_file_of_the_machine_can_be_read() {
    let server = Server::new();
    for path in ["/assets/..%2f..%2fCargo.toml", "/assets/%2fetc%2fpasswd", "/../etc/passwd"] {
        assert_eq!(server.raw("GET", path, b"").0, 404, "{path}");
    }
    // a table that could be learned from
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("own.csv");
    std::fs::write(&table, "x,y\n0,no\n1,yes\n0,no\n1,yes\n").unwrap();
    for data in [json!({"builtin": table}), json!({"builtin": "../xor"}), json!("given")] {
        let refused = server.refusal("/api/sessions", &json!({"data": data}));
        assert!(refused.contains("data: expected"), "{refused}");
    }
    for choice in ["validation", "test", "target_file"] {
        server.refusal("/api/sessions", &json!({"data": {"builtin": "xor"}, "choices": {choice: "/etc/passwd"}}));
    }
    let table = json!({"csv": {"name": "../a.csv", "text": "x,y\n1,2\n"}});
    let refused = server.refusal("/api/sessions", &json!({"data": table}));
    assert!(!refused.contains("/tmp"), "{refused}");
}

#[test]
fn a_body_above_the_limit_is_refused() {
    let server = Server::new();
    let (status, _) = server.raw("POST", "/api/sessions", &vec![b' '; (16 << 20) + 1]);
    assert_eq!(status, 413);
}

#[test]
fn the_session_that_was_idle_for_longest_makes_room_for_the_twenty_first() {
    let server = Server::new();
    let ids: Vec<u64> = (0..20).map(|_| server.xor(json!({}))).collect();
    server.go(ids[0], &json!("step"));
    let newest = server.xor(json!({}));
    let status = |id: u64| server.raw("GET", &format!("/api/sessions/{id}"), b"").0;
    assert_eq!([status(ids[0]), status(ids[1]), status(ids[2]), status(newest)], [200, 404, 200, 200]);
}

#[test]
fn back_to_the_start_and_forth_again_gives_the_same_bits_and_steps_make_an_epoch() {
    let server = Server::new();
    let id = server.xor(json!({"batch_size": 1}));
    let path = format!("/api/sessions/{id}");
    let start = server.json("GET", &path, &json!(null));
    let after = server.go(id, &json!("epoch"));
    assert_eq!((&after["epoch"], &after["step"]), (&json!(1), &json!(4)));
    assert_ne!(start["lines"], after["lines"]);
    let again = server.go(id, &json!("reset"));
    assert_eq!((&again["lines"], &again["step"]), (&start["lines"], &json!(0)));
    let mut last = Value::Null;
    for step in 1..=4 {
        last = server.go(id, &json!("step"));
        assert_eq!(last["step"], step);
    }
    assert_eq!((&last["lines"], &last["history"]), (&after["lines"], &after["history"]));
}

#[test]
fn the_model_that_is_taken_away_is_the_network_of_the_page() {
    let server = Server::new();
    let id = server.xor(json!({"batch_size": 1, "learning_rate": 0.1, "seed": 3}));
    let path = format!("/api/sessions/{id}");
    for _ in 0..30 {
        server.go(id, &json!("epoch"));
    }
    let now = server.json("GET", &path, &json!(null));
    let (status, bytes) = server.raw("GET", &format!("{path}/model"), b"");
    assert_eq!(status, 200);
    let model = Model::from_bytes(&bytes).unwrap();
    let theta = model.parameters.to_f64();
    for (l, lines) in now["lines"].as_array().unwrap().iter().enumerate() {
        let lines: Vec<(usize, usize, f64)> = serde_json::from_value(lines.clone()).unwrap();
        let weight = model.network.weight(&theta, l);
        let all: Vec<_> = weight.indexed_iter().map(|((i, j), &w)| (i, j, w)).collect();
        assert_eq!(lines, all);
    }
    let (status, report) = server.raw("GET", &format!("{path}/report"), b"");
    assert!(status == 200 && String::from_utf8(report).unwrap().contains("surefoot train xor"));
}

#[test]
fn a_weight_has_its_derivative_by_both_ways_and_a_fault_is_found_in_its_layer() {
    let server = Server::new();
    let id = server.xor(json!({"hidden": [3, 3], "weight_decay": 0.01}));
    let path = format!("/api/sessions/{id}");
    for _ in 0..20 {
        server.go(id, &json!("epoch"));
    }
    let clicked = json!({"layer": 0, "unit": 1, "from": 0, "example": 1, "numeric": true, "fault": null});
    let said = server.json("POST", &format!("{path}/equation"), &clicked);
    let (analytic, numeric) = (said["analytic"].as_f64().unwrap(), said["numeric"].as_f64().unwrap());
    assert!((analytic - numeric).abs() < 5e-9 && analytic != 0.0, "{analytic} {numeric}");
    assert_eq!(said["value"], said["weights"][0]);
    let bias = json!({"layer": 0, "unit": 1, "from": null, "bias": true, "example": 1});
    let said = server.json("POST", &format!("{path}/equation"), &bias);
    assert_eq!(said["value"], said["bias"]);
    let check = |fault: Value| server.json("POST", &format!("{path}/check"), &json!({"fault": fault}));
    let wrong = |said: &Value| -> Vec<bool> {
        said["layers"].as_array().unwrap().iter().map(|layer| layer["wrong"].as_u64().unwrap() > 0).collect()
    };
    let right = check(Value::Null);
    assert!(right["passed"] == true && wrong(&right) == [false, false, false], "{right}");
    // the output layer has its δ from the loss
    assert_eq!(wrong(&check(json!("forget-slope"))), [true, true, false]);
    for fault in ["decay-bias", "drop-decay"] {
        let said = check(json!(fault));
        assert!(said["passed"] == false && wrong(&said) == [true, true, true], "{fault}: {said}");
        let places = said["layers"][0]["worst"]["place"].as_str().unwrap();
        assert!(places.contains(if fault == "decay-bias" { "bias" } else { "weight" }), "{places}");
    }
}

#[test]
fn of_large_layers_the_units_that_are_asked_for_are_drawn_with_their_largest_weights() {
    let server = Server::new();
    let data = json!({"builtin": "digits"});
    let made =
        server.json("POST", "/api/sessions", &json!({"data": data, "choices": {"hidden": [100, 30], "seed": 5}}));
    let id = made["id"].as_u64().unwrap();
    server.go(id, &json!("step"));
    let now = server.json("GET", &format!("/api/sessions/{id}?from=0,64,0,0"), &json!(null));
    let lines: Vec<Vec<(usize, usize, f64)>> = serde_json::from_value(now["lines"].clone()).unwrap();
    assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [256, 256, 256]);
    let units: BTreeSet<usize> = lines[0].iter().map(|line| line.0).chain(lines[1].iter().map(|line| line.1)).collect();
    assert!(units.iter().all(|unit| (64..100).contains(unit)), "{units:?}");
    assert_eq!(now["pictures"]["units"].as_array().unwrap().len(), 36);
    // the unit tells all of its weights, of which the lines are the largest
    let of_unit = |unit: usize| -> Vec<f64> {
        let clicked = json!({"layer": 1, "unit": unit, "from": null, "example": 0});
        let said = server.json("POST", &format!("/api/sessions/{id}/equation"), &clicked);
        serde_json::from_value(said["weights"].clone()).unwrap()
    };
    let mut all: Vec<f64> = (0..30).flat_map(|unit| of_unit(unit)[64..].to_vec()).map(f64::abs).collect();
    all.sort_by(|a, b| b.total_cmp(a));
    let mut shown: Vec<f64> = lines[1].iter().map(|line| line.2.abs()).collect();
    shown.sort_by(|a, b| b.total_cmp(a));
    let largest: Vec<f64> = all[..256].iter().map(|&w| f64::from(w as f32)).collect();
    assert_eq!(shown, largest);
}

#[test]
fn a_session_is_no_larger_than_its_bounds() {
    let server = Server::new();
    let large = json!({"data": {"builtin": "xor"}, "choices": {"hidden": [1000, 1000]}});
    let refused = server.refusal("/api/sessions", &large);
    assert!(refused.contains("at most 1000000 weights and biases") && refused.contains("got 1005001"), "{refused}");
    // a hundred categories in each of three columns are 300 inputs
    let row = |k: usize| format!("c{},d{},e{},{}\n", k % 100, k * 7 % 100, k * 3 % 100, ["yes", "no", "no"][k % 3]);
    let text: String = std::iter::once("a,b,c,t\n".into()).chain((0..40_000).map(row)).collect();
    let refused = server.refusal("/api/sessions", &json!({"data": {"csv": {"name": "wide.csv", "text": text}}}));
    assert!(refused.contains("at most 10000000 numbers") && refused.contains("of each row"), "{refused}");
}

#[test]
fn the_server_ends_while_trainings_run() {
    let mut server = Server::new();
    let id = server.xor(json!({}));
    server.go(id, &json!({"run": {"pace": null}}));
    server.end();
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
}

/// The Rust lines, with the options that stand in them.
#[test]
fn the_rust_lines_make_the_model_of_the_page() {
    let server = Server::new();
    let choices =
        json!({"hidden": [5, 4], "activation": ["sigmoid", "tanh"], "optimizer": "sgd", "validation": 0.2, "seed": 4});
    let made = server.json("POST", "/api/sessions", &json!({"data": {"builtin": "iris"}, "choices": choices}));
    let id = made["id"].as_u64().unwrap();
    (0..3).for_each(|_| drop(server.go(id, &json!("epoch"))));
    let lines = server.json("GET", &format!("/api/sessions/{id}/lines"), &json!(null));
    let command = lines["command"].as_str().unwrap();
    assert!(command.contains("--hidden 5,4 --activation sigmoid,tanh "), "{command}");
    let rust = lines["rust"].as_str().unwrap();
    let (_, rest) = rust.split_once("r#\"\n").unwrap();
    let (toml, rest) = rest.split_once("\"#.parse()?;").unwrap();
    assert!(rest.contains("Tables::read(\"iris\", &options)?"), "{rest}");
    let options: Options = toml.parse().unwrap();
    let tables = Tables::read("iris", &options).unwrap();
    let outcome = fit(&options, Input::Tables(&tables), &mut ()).unwrap();
    let (status, model) = server.raw("GET", &format!("/api/sessions/{id}/model"), b"");
    assert_eq!((status, outcome.epochs()), (200, 3));
    let names: Vec<_> = outcome.model.network.layers().iter().map(|layer| layer.activation.name()).collect();
    assert_eq!(names, ["sigmoid", "tanh", "softmax"]);
    assert!(outcome.model.to_bytes().unwrap() == model);
}
