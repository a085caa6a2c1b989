//! The guide's commands, run one after the other in one folder, give what the guide shows.

mod common;

use common::Shell;

/// The blocks of commands of a document: each command with the lines that follow it.
fn commands(document: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut is_console = false;
    for line in document.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            is_console = trimmed == "```console";
        } else if !is_console {
        } else if let Some(command) = trimmed.strip_prefix("$ ") {
            found.push((command.into(), Vec::new()));
        } else if let Some((_, shown)) = found.last_mut().filter(|_| !trimmed.is_empty()) {
            shown.push(line.trim_end().into());
        }
    }
    found
}

#[test]
fn every_command_of_the_guide_does_what_it_says() {
    let shell = Shell::new();
    shell.write("houses.csv", include_str!("../../../docs/houses.csv"));
    shell.write("new-houses.csv", include_str!("../../../docs/new-houses.csv"));
    let commands = commands(include_str!("../../../docs/guide.md"));
    assert!(commands.len() > 12, "{commands:?}");
    for (command, shown) in commands {
        let arguments = command.strip_prefix("surefoot ").unwrap_or_else(|| panic!("{command} is another program's"));
        let out = shell.out(arguments);
        for line in shown {
            assert!(out.lines().any(|other| other.trim_end() == line), "{command}: no line {line:?} in\n{out}");
        }
    }
    for file in ["houses.html", "prices.csv", "house-7.html", "network.svg", "functions.svg", "small.html"] {
        assert!(shell.path().join(file).exists(), "{file}");
    }
}
