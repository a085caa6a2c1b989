//! Tables beyond the memory that a command is to keep to: the same results, from files.

mod common;

use std::fmt::Write;

use common::Shell;

/// More numbers than fit in the smallest limit: columns of 1.2 MB each, twelve of them.
fn shell() -> Shell {
    let mut text = String::from("a,b,c,d,e,f,g,h,i,j,city,y\n");
    let mut state = 1u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    };
    for _ in 0..150_000 {
        let inputs: [f64; 10] = std::array::from_fn(|_| draw());
        inputs.iter().for_each(|x| write!(text, "{x:.5},").unwrap());
        let city = (draw() * 5.0) as usize;
        let y = 3.0 * inputs[0] - inputs[1] * inputs[2] + city as f64 + 0.1 * draw();
        writeln!(text, "{},{y:.4}", ["Köln", "Ulm", "", "Bonn", "Trier"][city]).unwrap();
    }
    let shell = Shell::new();
    shell.write("t.csv", &text);
    shell
}

#[cfg(target_os = "linux")]
#[test]
fn a_table_beyond_memory_gives_the_same_model_and_the_same_predictions() {
    let shell = shell();
    for options in [
        "--hidden 6 --epochs 1 --batch-size 512 --shuffle-window 20000 --test 0.1",
        "--ensemble 2 --hidden 4 --epochs 1 --batch-size 512 --sample-weight a",
        "--optimizer lbfgs --hidden 4 --epochs 2 --validation 0.2 --group city --precision f64",
    ] {
        let train = |out: &str, limit: &str| shell.out(&format!("train t.csv --out {out} {options}{limit}"));
        let (in_memory, in_files) = (train("a.safetensors", ""), train("b.safetensors", " --memory 32M"));
        let lies_in_files = |text: &str| text.contains("of the data lie in temporary files");
        assert!(!lies_in_files(&in_memory) && lies_in_files(&in_files), "{in_files}");
        assert!(shell.read("a.safetensors") == shell.read("b.safetensors"), "other bits with {options}");
    }
    for command in ["evaluate", "predict", "encode"] {
        let plain = shell.out(&format!("{command} a.safetensors t.csv"));
        assert_eq!(plain, shell.out(&format!("--memory 32M {command} a.safetensors t.csv")), "{command}");
    }
}

#[test]
fn a_training_whose_limit_was_said_before_the_command_is_resumed() {
    let shell = Shell::new();
    let options = "iris --epochs 3 --hidden 3";
    shell.out(&format!("train {options} --out plain.safetensors"));
    for (i, limit) in ["--memory 1G", "--memory=1G --cache ."].into_iter().enumerate() {
        shell.out(&format!("{limit} train {options} --checkpoint {i}.checkpoint --out {i}.safetensors"));
        assert!(shell.read(&format!("{i}.safetensors")) == shell.read("plain.safetensors"));
        let command = format!("surefoot train {options} --checkpoint {i}.checkpoint --out {i}.safetensors {limit}");
        assert!(String::from_utf8(shell.read(&format!("{i}.html"))).unwrap().contains(&command), "{command}");
        std::fs::remove_file(shell.path().join(format!("{i}.safetensors"))).unwrap();
        shell.out(&format!("train --resume {i}.checkpoint"));
        assert!(shell.read(&format!("{i}.safetensors")) == shell.read("plain.safetensors"));
    }
}

/// A named folder keeps the table as it was read; every command that reads a whole table takes it from there.
#[test]
fn a_table_that_is_kept_gives_the_same_results_and_is_read_anew_when_it_has_changed() {
    let shell = Shell::new();
    let rows = |from: usize, to: usize| -> String {
        (from..to).map(|i| format!("{},{}.{},{}\n", ["a", "b", "NA"][i % 3], i % 97, i % 10, i % 2)).collect()
    };
    let header = "kind,x,y\n";
    std::fs::create_dir(shell.path().join("parts")).unwrap();
    std::fs::create_dir(shell.path().join("kept")).unwrap();
    shell.write("parts/1.csv", &format!("{header}{}", rows(0, 150)));
    shell.write("parts/2.csv", &format!("{header}{}", rows(150, 300)));
    let train = |out: &str, more: &str| {
        let output = shell.run(&format!("train parts --target y --hidden 3 --epochs 2 --out {out}{more}"));
        assert_eq!(output.status, 0, "{}", output.err);
        (shell.read(out), output.err)
    };
    let (plain, said) = train("plain.safetensors", "");
    assert!(!said.contains("kept"), "{said}");
    let (model, said) = train("a.safetensors", " --cache kept");
    assert!(model == plain && said.contains("parts is kept in kept/parts-"), "{said}");
    let (model, said) = train("b.safetensors", " --cache kept");
    assert!(model == plain && said.contains("parts was read from kept/parts-"), "{said}");
    let (model, said) = train("c.safetensors", " --cache kept --quiet");
    assert!(model == plain && said.is_empty(), "{said}");
    for command in ["look", "evaluate plain.safetensors", "encode plain.safetensors"] {
        let plain = shell.out(&format!("{command} parts/2.csv"));
        for said in ["is kept in", "was read from"] {
            let output = shell.run(&format!("{command} parts/2.csv --cache kept"));
            assert_eq!(output.out, plain, "{command}");
            assert!(output.err.contains(said), "{command}: {}", output.err);
        }
    }
    shell.write("parts/2.csv", &format!("{header}{}", rows(150, 299)));
    let (model, said) = train("d.safetensors", " --cache kept");
    assert!(model == train("e.safetensors", "").0 && model != plain && said.contains("is kept in"), "{said}");
}

#[test]
fn a_limit_that_cannot_be_kept_is_refused() {
    let shell = Shell::new();
    let error = shell.refusal("train iris --memory 1M");
    if cfg!(target_os = "linux") {
        let expected =
            "error: cannot keep to a limit of memory: expected at least 32 MiB of memory, got 1048576 bytes\n";
        assert!(error.starts_with(expected), "{error}");
        let error = shell.refusal("train iris --cache no/such/folder");
        assert!(error.starts_with("error: cannot keep to a limit of memory: No such file"), "{error}");
        assert!(shell.refusal("look iris --cache /dev/shm").contains("/dev/shm is in memory itself (tmpfs)"));
    }
    assert!(shell.refusal("train iris --memory much").contains("expected a size such as 512M or 2G"));
    assert!(shell.refusal("train iris --shuffle-window 0").contains("shuffle window: expected at least 1 row"));
}
