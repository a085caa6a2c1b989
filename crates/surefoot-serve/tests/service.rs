//! The service over its socket: what is asked by many at once, what is refused, and how it ends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ndarray::Array2;
use serde_json::Value;
use surefoot::{Activation, Loss, Model, Network, Parameters, draw_defaults};
use surefoot_serve::{Listener, Service};
use surefoot_table::{Encoding, Predictions, Roles, Table, Target};
use tokio::sync::oneshot;

const TABLE: &str = "size,colour,price\n1.5,red,10\n2,blue,11\n,red,13\n2.5,blue,11.5\n3,red,12\n4,blue,17\n";

/// A model of random parameters for two columns, one of them of categories.
fn model() -> Model {
    let table = Table::read("t", TABLE.as_bytes()).unwrap();
    let target = Target::find(&table, None, &[], None).unwrap();
    let roles = Roles { categorical: vec!["colour"], ..Roles::default() };
    let learned = Encoding::learn(&table, &table.all_rows(), &target, &roles).unwrap();
    let inputs = learned.encoding.input_names().len();
    let network = Network::new(inputs, &[(5, Activation::Tanh), (1, Activation::Identity)]).unwrap();
    let theta: Vec<f32> = draw_defaults(&network, 3);
    let model = Model::new(network, Parameters::F32(theta), Loss::SquaredError, 0.0).unwrap();
    Model {
        input_columns: learned.encoding.input_names(),
        target_columns: vec!["price".into()],
        encoding: learned.encoding.to_json(),
        input_scaling: Some(learned.scaling),
        ..model
    }
}

struct Server {
    port: u16,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn new(is_strict: bool) -> Self {
        let listener = Listener::bind("127.0.0.1", 0).unwrap();
        let port = listener.url().rsplit(':').next().unwrap().parse().unwrap();
        let service = Service::new(model(), is_strict).unwrap();
        let (end, ended) = oneshot::channel::<()>();
        let serve = move || service.serve(listener, async { drop(ended.await) }).unwrap();
        Server { port, end: Some(end), thread: Some(thread::spawn(serve)) }
    }

    fn connect(&self) -> Connection {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Connection(stream)
    }

    fn ask(&self, request: &str, headers: &str, body: &str) -> (u16, String, String) {
        let mut connection = self.connect();
        connection.send(request, headers, body);
        connection.answer()
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

/// A connection that stays open from one request to the next.
struct Connection(TcpStream);

impl Connection {
    fn send(&mut self, request: &str, headers: &str, body: &str) {
        let text = format!("{request} HTTP/1.1\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
        let _ = self.0.write_all(text.as_bytes()); // a body that is refused is not read to its end
    }

    /// Status, headers and body.
    fn answer(&mut self) -> (u16, String, String) {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head, String::from_utf8(body).unwrap())
    }
}

const JSON: &str = "host: localhost\r\ncontent-type: application/json\r\n";
const CSV: &str = "host: localhost\r\ncontent-type: text/csv\r\n";

/// What the model predicts for a table.
fn predicted(csv: &str) -> Array2<f64> {
    let (model, table) = (model(), Table::read("t", csv.as_bytes()).unwrap());
    let encoding = Encoding::of_model(&model, &table).unwrap();
    model.predict(encoding.inputs(&table, &table.all_rows()).unwrap().view()).unwrap()
}

#[test]
fn many_clients_at_once_get_the_bits_of_one() {
    let server = Server::new(false);
    let clients = 8;
    thread::scope(|scope| {
        for client in 0..clients {
            let mut connection = server.connect();
            scope.spawn(move || {
                for i in 0..100 {
                    let (size, colour) = (f64::from(i * clients + client) / 7.0, ["red", "blue"][i as usize % 2]);
                    connection.send("POST /predict", JSON, &format!("{{\"size\": {size}, \"colour\": \"{colour}\"}}"));
                    let (status, _, body) = connection.answer();
                    let answer: Value = serde_json::from_str(&body).unwrap();
                    let expected = predicted(&format!("size,colour\n{size},{colour}\n"))[[0, 0]];
                    assert_eq!((status, answer["predictions"][0]["prediction"].as_f64()), (200, Some(expected)));
                }
            });
        }
    });
}

#[test]
fn a_table_is_answered_as_a_table() {
    let server = Server::new(false);
    let csv = "colour,size\nred,1\nviolet,2.5\nblue,\n";
    let model = model();
    let predictions = Predictions::new(&model, predicted(csv), false).unwrap();
    let lines: Vec<String> = (0..3).map(|row| predictions.row(row).next().unwrap().to_string()).collect();
    let (status, head, body) = server.ask("POST /predict", CSV, csv);
    assert_eq!((status, body), (200, format!("prediction\n{}\n", lines.join("\n"))));
    assert!(head.contains("x-surefoot-unseen: 1\r\n") && head.contains("content-type: text/csv"), "{head}");
    let (_, _, json) = server.ask("POST /predict", &format!("{CSV}accept: application/json\r\n"), csv);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["predictions"][2]["prediction"].to_string(), lines[2]);
    assert_eq!(
        (json["unseen"][0]["column"].as_str(), json["unseen"][0]["value"].as_str()),
        (Some("colour"), Some("violet"))
    );
    let wrong = server.ask("POST /predict", CSV, "colour,size\nred,1\nred,tall\n");
    assert!(
        wrong.0 == 400 && wrong.2.contains("the body, line 3, column `size`: expected a finite number"),
        "{wrong:?}"
    );
}

#[test]
fn what_cannot_be_answered_says_why() {
    let server = Server::new(false);
    let row = "[[1, \"red\"]]";
    for (request, headers, body, status, part) in [
        ("POST /predict", "host: evil.example\r\ncontent-type: application/json\r\n", row, 421, "unknown Host"),
        ("POST /predict", "host: localhost\r\ncontent-type: text/plain\r\n", row, 415, "got `text/plain`"),
        ("POST /predict", "host: localhost\r\n", row, 415, "application/json or text/csv"),
        ("POST /predict?probabilities=true", JSON, row, 400, "not probabilities"),
        ("POST /predict?probability=true", JSON, row, 400, "got `probability=true`"),
        ("POST /predict", JSON, "[[1]]", 400, "expected 2 values, one for each column, got 1"),
        ("POST /predict", JSON, "[[1e300, \"red\"]]", 200, "prediction"),
        ("GET /predict", JSON, "", 405, ""),
        ("GET /../etc/passwd", JSON, "", 404, "GET /schema"),
        ("GET /health", "host: 127.0.0.1:1\r\n", "", 200, "\"network\":\"3-5-1\""),
    ] {
        let (got, _, text) = server.ask(request, headers, body);
        assert!(got == status && text.contains(part), "{request} {body}: {got} {text}");
    }
    let large = "1".repeat((16 << 20) + 1);
    assert_eq!(server.ask("POST /predict", JSON, &large).0, 413);
    let (status, _, text) = Server::new(true).ask("POST /predict", JSON, "[[1, \"violet\"]]");
    assert!(
        status == 400 && text.contains("column `colour`: expected a value of the training data, got `violet`"),
        "{text}"
    );
}

#[test]
fn a_request_on_its_way_is_answered_before_the_end() {
    let mut server = Server::new(false);
    let body = "[[1, \"red\"]]";
    let mut connection = server.connect();
    let mut idle = server.connect();
    idle.send("GET /health", JSON, "");
    assert_eq!(idle.answer().0, 200);
    let head = format!("POST /predict HTTP/1.1\r\n{JSON}content-length: {}\r\n\r\n", body.len());
    connection.0.write_all(head.as_bytes()).unwrap();
    connection.0.write_all(&body.as_bytes()[..5]).unwrap();
    thread::sleep(Duration::from_millis(100)); // it is being read
    drop(server.end.take());
    thread::sleep(Duration::from_millis(100));
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err(), "nobody new is let in");
    connection.0.write_all(&body.as_bytes()[5..]).unwrap();
    assert_eq!(connection.answer().0, 200);
    server.end();
}
