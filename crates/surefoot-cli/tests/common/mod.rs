//! The command line in a folder of its own.
#![allow(dead_code)] // each test file uses its part

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

pub struct Shell(TempDir);

/// What a command gave.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Shell {
    pub fn new() -> Self {
        Shell(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    /// Runs `surefoot` with these arguments, separated by spaces.
    pub fn run(&self, arguments: &str) -> Ran {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_surefoot"))
            .args(arguments.split(' '))
            .current_dir(self.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { status: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    /// What a successful command printed on standard output.
    pub fn out(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, 0, "surefoot {arguments}: {}", ran.err);
        ran.out
    }

    /// The JSON lines of a successful command.
    pub fn json(&self, arguments: &str) -> Vec<Value> {
        self.out(arguments).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What a refused command said on standard error.
    pub fn refusal(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "surefoot {arguments}");
        ran.err
    }
}

/// The last line of `--json`.
pub fn last_of(events: &[Value]) -> &Value {
    &events[events.len() - 1]
}
