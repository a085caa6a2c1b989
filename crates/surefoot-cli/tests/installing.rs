//! What an installation has beside the program: completions of shells, manual pages, and what the version says.

mod common;

use std::process::Command;

use common::Shell;

const COMMANDS: [&str; 15] = [
    "look",
    "train",
    "predict",
    "evaluate",
    "explain",
    "lab",
    "serve",
    "encode",
    "check",
    "show",
    "export",
    "import",
    "datasets",
    "completions",
    "man",
];

#[test]
fn every_shell_gets_a_script_that_knows_commands_and_options() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = shell.out(&format!("completions {name}"));
        for word in COMMANDS.into_iter().chain(["batch-size", "distributed"]) {
            assert!(script.contains(word), "{name} does not know {word}");
        }
    }
    for name in ["bash", "zsh", "fish"] {
        assert!(shell.out(&format!("completions {name}")).contains("lbfgs"), "{name}");
    }
    assert!(shell.refusal("completions tcsh").contains("possible values: bash"));
}

/// In a real shell, as the key of completion does it.
#[cfg(unix)]
#[test]
fn bash_completes_a_command_and_the_values_of_an_option() {
    let shell = Shell::new();
    shell.write("completions.bash", &shell.out("completions bash"));
    let completed = |words: &str, last: usize| {
        let line = format!(
            "source completions.bash; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _surefoot surefoot \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        Command::new("bash").args(["-c", &line]).current_dir(shell.path()).output().ok().map(|output| {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_string()
        })
    };
    let Some(command) = completed("surefoot tr", 1) else {
        eprintln!("skipped: there is no bash on this machine");
        return;
    };
    assert_eq!(command, "train");
    assert_eq!(completed("surefoot train --optimizer lb", 3).unwrap(), "lbfgs");
    assert_eq!(completed("surefoot predict --prob", 2).unwrap(), "--probabilities");
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let shell = Shell::new();
    let written = shell.out("man share/man1");
    assert_eq!(written.lines().count(), COMMANDS.len() + 1);
    let page = |name: &str| String::from_utf8(shell.read(&format!("share/man1/{name}.1"))).unwrap();
    for command in COMMANDS {
        let page = page(&format!("surefoot-{command}"));
        assert!(page.contains(&format!(".TH surefoot-{command} 1")), "{page}");
        assert!([".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"].iter().all(|section| page.contains(section)));
    }
    assert!(page("surefoot-train").contains("\\-\\-batch\\-size"));
    assert!(page("surefoot").contains(".TH surefoot 1") && page("surefoot").contains("surefoot\\-train(1)"));
}

#[test]
fn the_version_says_what_the_program_can_do_and_which_bits_it_gives() {
    let shell = Shell::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(shell.out("-V"), format!("surefoot {version}\n"));
    let long = shell.out("--version");
    let lines: Vec<&str> = long.lines().collect();
    assert_eq!(lines[..2], [format!("surefoot {version}").as_str(), "features: gpu, parquet"]);
    let sets = shell.json("check --bits --json");
    let in_use = lines[2].strip_prefix("instruction set: ").unwrap();
    assert!(sets.iter().any(|set| set["instructions"] == in_use), "{in_use} in {sets:?}");
    let digest = lines[3].strip_prefix("digest of bits: ").unwrap().split(' ').next().unwrap();
    assert!(sets.iter().all(|set| set["digest"] == digest), "{digest} in {sets:?}");
}
