//! The guide's commands, run one after the other in one folder, give what the guide shows.

mod common;

use common::Shell;
use safetensors::{SafeTensors, serialize};

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

/// Runs the commands of a document, and looks for the lines that it shows in what they print.
fn run_all(shell: &Shell, commands: Vec<(String, Vec<String>)>) {
    for (command, shown) in commands {
        let arguments = command.strip_prefix("surefoot ").unwrap_or_else(|| panic!("{command} is another program's"));
        let out = shell.out(arguments);
        for line in shown {
            assert!(out.lines().any(|other| other.trim_end() == line), "{command}: no line {line:?} in\n{out}");
        }
    }
}

#[test]
fn every_command_of_the_guide_does_what_it_says() {
    let shell = Shell::new();
    shell.write("houses.csv", include_str!("../../../docs/houses.csv"));
    shell.write("new-houses.csv", include_str!("../../../docs/new-houses.csv"));
    let commands = commands(include_str!("../../../docs/guide.md"));
    assert!(commands.len() > 12, "{commands:?}");
    run_all(&shell, commands);
    for file in ["houses.html", "prices.csv", "house-7.html", "network.svg", "functions.svg", "small.html"] {
        assert!(shell.path().join(file).exists(), "{file}");
    }
}

#[test]
fn every_command_of_the_page_about_exports_does_what_it_says() {
    let shell = Shell::new();
    shell.write("houses.csv", include_str!("../../../docs/houses.csv"));
    let mut commands = commands(include_str!("../../../docs/export.md"));
    assert!(commands.len() > 6, "{commands:?}");
    let import = commands.iter().position(|(command, _)| command.starts_with("surefoot import")).unwrap();
    let after = commands.split_off(import);
    run_all(&shell, commands);
    // what PyTorch saves of the network that the page shows: the model's tensors under other names
    let model = shell.read("iris.safetensors");
    let tensors = SafeTensors::deserialize(&model).unwrap();
    let name = |name: &str| name.replace("layers.0", "0").replace("layers.1", "2");
    let state = serialize(tensors.iter().map(|(of, tensor)| (name(of), tensor)), None).unwrap();
    std::fs::write(shell.path().join("state.safetensors"), state).unwrap();
    run_all(&shell, after);
    let imported = shell.read("imported.safetensors");
    let imported = SafeTensors::deserialize(&imported).unwrap();
    assert_eq!(tensors.len(), 4);
    for (name, tensor) in tensors.iter() {
        assert_eq!(imported.tensor(name).unwrap().data(), tensor.data(), "{name}");
    }
}
