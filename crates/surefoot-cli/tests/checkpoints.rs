//! Trainings that are interrupted, killed, or cannot write: what the command line promises about them.
#![cfg(unix)]

mod common;

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Ran, Shell, last_of};
use surefoot::{Checkpoint, Purpose, Random};

/// Every kind of optimizer, precision and data; long enough to be interrupted.
const RUNS: [&str; 6] = [
    "train digits --hidden 24 --epochs 12 --patience 0",
    "train digits --rows 400 --ensemble 3 --epochs 12",
    "train digits.csv --target digit --hidden 24 --epochs 12 --optimizer sgd --schedule cosine --precision f64",
    "train digits --hidden 24 --epochs 40 --optimizer lbfgs --validation 0",
    "train digits --hidden 30,20 --pretrain sparse-autoencoder --pretrain-epochs 15 --epochs 8",
    "train images.idx --autoencoder --hidden 20 --sparsity 0.1 --optimizer gradient-descent --epochs 60",
];

impl Shell {
    /// With the data of [`RUNS`].
    fn with_data() -> Shell {
        let shell = Shell::new();
        shell.write("digits.csv", include_str!("../../surefoot-table/data/digits.csv"));
        let (rows, mut random) = (400u32, Random::new(1, Purpose::Examples, 0));
        let mut idx = vec![0, 0, 8, 3];
        [rows, 5, 5].iter().for_each(|size| idx.extend(size.to_be_bytes()));
        idx.extend((0..rows * 25).map(|_| random.below(256) as u8));
        std::fs::write(shell.path().join("images.idx"), idx).unwrap();
        shell
    }

    fn spawn(&self, arguments: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_surefoot"))
            .args(arguments.split(' '))
            .current_dir(self.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Waits until there is such a file.
    fn wait_for(&self, name: &str) {
        let begin = Instant::now();
        while !self.path().join(name).exists() {
            assert!(begin.elapsed() < Duration::from_secs(60), "no {name}");
            sleep(Duration::from_millis(1));
        }
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn wait(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap());
    Ran { status, out: text(output.stdout), err: text(output.stderr) }
}

/// Some time up to so long.
fn pause(random: &mut Random, longest: Duration) {
    sleep(longest.mul_f64(random.uniform()));
}

#[test]
fn a_signal_ends_a_training_that_goes_on_to_the_same_file() {
    for run in RUNS {
        let run = run.replace("--epochs ", "--epochs 3"); // hundreds more, as nothing is written in between
        let shell = Shell::with_data();
        shell.out(&format!("{run} --quiet --out whole.safetensors"));
        let mut interrupted = 0;
        for name in ["-INT", "-TERM"] {
            // no checkpoint but those of the start and of the signal
            let begins = format!("{run} --quiet --out m.safetensors --checkpoint c{name} --checkpoint-every 1000s");
            let mut child = shell.spawn(&begins);
            shell.wait_for(&format!("c{name}"));
            for threads in 1..=8 {
                let before = shell.read(&format!("c{name}"));
                if threads < 8 {
                    sleep(Duration::from_millis(20));
                    // it may just have ended
                    let _ = Command::new("kill").args([name, &child.id().to_string()]).stderr(Stdio::null()).status();
                }
                let Ran { status, out, err } = wait(child);
                match status {
                    0 => break,
                    130 => {
                        assert!((out + &err).contains("surefoot train --resume "), "{run} does not say how to go on");
                        assert!(shell.read(&format!("c{name}")) != before, "{run}: not written at {name}");
                        interrupted += 1;
                    }
                    -2 | -15 => {} // before it listened
                    other => panic!("{run}: {other}, {err}"),
                }
                child = shell.spawn(&format!("train --resume c{name} --threads {threads} --json"));
            }
            assert!(shell.read("m.safetensors") == shell.read("whole.safetensors"), "{run}: another model");
            std::fs::remove_file(shell.path().join("m.safetensors")).unwrap();
        }
        assert!(interrupted > 0, "{run} was too short to be interrupted");
    }
}

/// Kills each run at random moments, `SUREFOOT_KILLS` times in all (25 if it is not said).
#[test]
fn a_training_killed_at_random_moments_comes_to_the_same_file() {
    let wanted: usize = std::env::var("SUREFOOT_KILLS").map_or(25, |kills| kills.parse().unwrap());
    let mut random = Random::new(std::process::id().into(), Purpose::Examples, 1);
    let (mut kills, mut in_training) = (0, 0);
    for run in RUNS {
        let shell = Shell::with_data();
        let begin = Instant::now();
        shell.out(&format!("{run} --quiet --out whole.safetensors"));
        let longest = begin.elapsed();
        let mut here = 0;
        let enough = wanted.div_ceil(RUNS.len());
        while here < enough {
            // one run, killed again and again until it has come to its end, or was killed often enough
            let begins = format!("{run} --quiet --out m.safetensors --checkpoint c --checkpoint-every 1 --no-check");
            let mut child = shell.spawn(&begins);
            loop {
                if here < enough {
                    pause(&mut random, longest);
                    child.kill().unwrap();
                }
                let ran = wait(child);
                if ran.status == 0 {
                    break;
                }
                assert_eq!(ran.status, -9, "{run}: {}", ran.err);
                (kills, here) = (kills + 1, here + 1);
                let exists = shell.path().join("c").exists();
                in_training += usize::from(exists);
                if exists {
                    Checkpoint::open(shell.path().join("c")).expect("a checkpoint that can be read");
                }
                child = shell.spawn(if exists { "train --resume c --quiet" } else { &begins });
            }
            assert!(shell.read("m.safetensors") == shell.read("whole.safetensors"), "{run}: another model");
            assert!(Checkpoint::open(shell.path().join("c")).unwrap().stopped().is_some());
            for name in ["m.safetensors", "c"] {
                std::fs::remove_file(shell.path().join(name)).unwrap();
            }
        }
        let names = shell.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        let left = names.filter(|name| name.to_string_lossy().starts_with(".surefoot-")).count();
        assert_eq!(left, 0, "unfinished files were left");
    }
    println!("{kills} kills, {in_training} of them with a checkpoint, all read and gone on with");
    assert!(kills >= wanted && in_training > wanted / 3, "{kills} kills, {in_training} in training");
}

/// The names of what is being written have the XXH3 digest of the file's own name.
#[test]
fn what_a_kill_left_half_written_goes_when_the_training_goes_on() {
    let shell = Shell::with_data();
    shell.out("train digits --epochs 2 --checkpoint c --out m.safetensors --quiet");
    let left = ["8c40219a46b9f81b", "5696f39f056d7734", "dcdee95afa15b0a1"] // c, m.safetensors, m.html
        .map(|digest| shell.path().join(format!(".surefoot-{digest}-left")));
    left.iter().for_each(|path| std::fs::write(path, "half").unwrap());
    shell.out("train --resume c --quiet");
    for path in left {
        assert!(!path.exists(), "{}", path.display());
    }
}

#[test]
fn a_finished_training_says_so_and_writes_its_model_again() {
    let shell = Shell::with_data();
    let said = shell.out("train digits --epochs 3 --checkpoint c");
    let model = shell.read("digits.safetensors");
    std::fs::remove_file(shell.path().join("digits.safetensors")).unwrap();
    let again = shell.out("train --resume c");
    assert!(again.contains("this training had already finished") && !said.contains("already finished"), "{again}");
    assert!(shell.read("digits.safetensors") == model);
    let table = |text: &str| text[text.find("part").unwrap()..].to_string();
    assert_eq!(table(&again), table(&said));
    // from another folder, the model goes where it would have gone
    std::fs::remove_file(shell.path().join("digits.safetensors")).unwrap();
    let other = Shell::new();
    let path = shell.path().join("c");
    other.out(&format!("train --resume {} --quiet", path.display()));
    assert!(shell.read("digits.safetensors") == model && other.path().read_dir().unwrap().count() == 0);
    // and another training may take its place
    shell.out("train digits --epochs 2 --checkpoint c --quiet");
}

#[test]
fn what_would_lose_or_mix_trainings_is_refused() {
    let shell = Shell::with_data();
    let child = shell.spawn("train digits.csv --epochs 100000 --patience 0 --checkpoint c --quiet");
    shell.wait_for("c");
    signal(&child, "-KILL");
    wait(child);
    let before = shell.read("c");
    for (arguments, parts) in [
        (
            "train digits --checkpoint c",
            &["c holds an unfinished training", "hint: resume it with surefoot train --resume c, or delete it"][..],
        ),
        ("train digits --checkpoint digits.csv", &["digits.csv exists and is not a checkpoint"]),
        ("train digits --out x --checkpoint x", &["--checkpoint and --out are the same file, x"]),
        ("train digits --checkpoint no/c", &["cannot write the checkpoint: cannot write no/c"]),
        (
            "train --resume c --seed 4",
            &["--resume takes its settings from the checkpoint", "hint: with --resume only --threads"],
        ),
        ("train digits --resume c", &["--resume takes its settings from the checkpoint"]),
        ("train --resume digits.csv", &["digits.csv: file: expected safetensors"]),
        ("train --resume none", &["cannot read", "none"]),
        ("train digits --checkpoint-every 10", &["--checkpoint <FILE>"]),
        ("train digits --checkpoint d --checkpoint-every 0", &["expected seconds as 30s, or a whole number of steps"]),
        ("train digits --checkpoint d --checkpoint-every 0s", &["expected seconds"]),
    ] {
        let message = shell.refusal(arguments);
        for part in parts {
            assert!(message.contains(part), "surefoot {arguments}: {message}");
        }
    }
    let text = String::from_utf8(shell.read("digits.csv")).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    shell.write("digits.csv", &format!("{head}\n{}", rest.replacen('5', "6", 1)));
    let message = shell.run("train --resume c --quiet").err;
    assert!(
        message.contains("training examples: expected the same numbers in the same order as when it began, got others")
            && message.contains("hint: restore the data"),
        "{message}"
    );
    assert!(shell.read("c") == before, "a refused command changed the checkpoint");
}

#[test]
fn a_training_goes_on_where_its_checkpoint_cannot_be_written() {
    let shell = Shell::with_data();
    let run = "train digits --hidden 64 --epochs 150 --patience 0 --quiet";
    shell.out(&format!("{run} --out whole.safetensors"));
    // the folder goes, and comes back
    std::fs::create_dir(shell.path().join("folder")).unwrap();
    let child = shell.spawn(&format!("{run} --checkpoint folder/c --checkpoint-every 5 --out m.safetensors"));
    shell.wait_for("folder/c");
    std::fs::rename(shell.path().join("folder"), shell.path().join("gone")).unwrap();
    sleep(Duration::from_millis(100));
    std::fs::create_dir(shell.path().join("folder")).unwrap();
    let ran = wait(child);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(
        ran.err.matches("warning: cannot write the checkpoint: cannot write folder/c").count(),
        1,
        "{}",
        ran.err
    );
    assert!(ran.err.contains("checkpoints can be written again"), "{}", ran.err);
    assert!(Checkpoint::open(shell.path().join("folder/c")).unwrap().stopped().is_some());
    assert!(shell.read("m.safetensors") == shell.read("whole.safetensors"));
    // files may be no larger than 16 KB, so that neither the checkpoints nor the model can be written
    let limited = |arguments: &str| {
        let script = format!("ulimit -f 16; exec {} {arguments}", env!("CARGO_BIN_EXE_surefoot"));
        let child = Command::new("sh").args(["-c", &script]).current_dir(shell.path()).stderr(Stdio::piped()).spawn();
        wait(child.unwrap())
    };
    let old = shell.read("folder/c");
    let ran = limited("train digits --epochs 2 --quiet --checkpoint folder/c --out l.safetensors");
    assert_eq!(ran.status, 2, "{}", ran.err);
    for part in
        ["warning: cannot write the checkpoint: cannot write folder/c: file too large", "cannot write l.safetensors"]
    {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    assert!(shell.read("folder/c") == old, "a failed write changed the old checkpoint");
}

#[test]
fn a_model_that_cannot_be_written_at_the_end_is_not_lost() {
    let shell = Shell::with_data();
    shell.out("train digits --hidden 64 --epochs 300 --quiet --out whole.safetensors");
    let folder = shell.path().join("folder");
    for checkpoint in [true, false] {
        std::fs::create_dir(&folder).unwrap();
        let keep = if checkpoint { "--checkpoint c" } else { "--validation 0.2" };
        let run = format!("train digits --hidden 64 --epochs 300 --out folder/m.safetensors --json {keep}");
        let mut child = shell.spawn(&run);
        let first = child.stdout.as_mut().unwrap().read(&mut [0]).unwrap(); // of the first epoch
        assert_eq!(first, 1);
        std::fs::rename(&folder, shell.path().join(format!("gone-{checkpoint}"))).unwrap();
        let ran = wait(child);
        assert_eq!(ran.status, 2, "{}", ran.err);
        assert!(ran.err.contains("cannot write folder/m.safetensors"), "{}", ran.err);
        let kept = if checkpoint {
            assert!(ran.err.contains("surefoot train --resume c"), "{}", ran.err);
            std::fs::create_dir(&folder).unwrap();
            let events = shell.json("train --resume c --json");
            assert_eq!(last_of(&events)["event"], "done");
            let kept = shell.read("folder/m.safetensors");
            std::fs::remove_dir_all(&folder).unwrap();
            kept
        } else {
            let path = ran.err.split("the model is at ").nth(1).expect("a refuge").split(" instead").next().unwrap();
            let kept = std::fs::read(path).unwrap();
            std::fs::remove_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
            kept
        };
        assert!(kept == shell.read("whole.safetensors"));
    }
}
