//! Options in a file: `--print-config` and `--config`.

mod common;

use common::Shell;

const HOUSES: &str = include_str!("../../../docs/houses.csv");

fn shell() -> Shell {
    let shell = Shell::new();
    shell.write("houses.csv", HOUSES);
    shell
}

#[test]
fn a_printed_configuration_repeats_a_training_to_the_same_file() {
    let shell = shell();
    for (data, options) in [
        (
            "houses.csv",
            "--target price --numeric rooms,size --ignore year,garden --hidden 6,4 --activation tanh,relu --optimizer sgd \
             --momentum 0.8 --schedule step:2:0.5 --batch-size 16 --validation 0.25 --test 0.1 --seed 9 --precision f64 \
             --epochs 6 --patience 3 --weight-decay 0.001",
        ),
        (
            "houses.csv",
            "--target price --ensemble 3 --learning-rate 0.02 --beta2 0.9 --parametrization standard --init uniform:0.3 \
             --epochs 3 --categorical rooms --group district --sample-weight size --rows 150",
        ),
        (
            "houses.csv",
            "--target rooms --task classification --class-weight balanced --label-smoothing 0.2 --hidden none \
             --output-activation softmax --loss cross-entropy --epochs 3 --folds 2 --no-check",
        ),
        (
            "patches",
            "--autoencoder --hidden 5 --sparsity 0.2 --sparsity-weight 2 --optimizer lbfgs --history 3 --epochs 4 --rows 80",
        ),
        (
            "iris",
            "--hidden 5 --pretrain sparse-autoencoder --pretrain-epochs 4 --pretrain-weight-decay 0.001 --epochs 2 \
             --header yes",
        ),
    ] {
        let config = shell.out(&format!("train {data} {options} --print-config --out m.safetensors"));
        assert!(!shell.path().join("m.safetensors").exists(), "{data} {options}: printed and trained");
        shell.out(&format!("train {data} {options} --quiet --report none --out m.safetensors"));
        shell.write("run.toml", &config);
        shell.out(&format!("train {data} --config run.toml --quiet --report none --out n.safetensors"));
        assert!(shell.read("m.safetensors") == shell.read("n.safetensors"), "{data} {options}: {config}");
        assert_eq!(shell.out(&format!("train {data} --config run.toml --print-config")), config);
        for name in ["m.safetensors", "n.safetensors"] {
            std::fs::remove_file(shell.path().join(name)).unwrap();
        }
    }
    assert_eq!(shell.out("train iris --print-config"), "", "nothing is said, nothing is printed");
}

#[test]
fn the_command_line_takes_precedence_over_the_file() {
    let shell = shell();
    shell
        .write("run.toml", "target = \"price\"\nignore = [\"year\", \"garden\"]\nhidden = [6]\nepochs = 3\nseed = 2\n");
    let model = |options: &str| {
        shell.out(&format!("train houses.csv {options} --quiet --report none --out m.safetensors"));
        shell.read("m.safetensors")
    };
    let of_file = model("--config run.toml");
    let flags = "--target price --epochs 3";
    assert!(of_file == model(&format!("{flags} --ignore year,garden --hidden 6 --seed 2")));
    for (anew, all) in [
        ("--seed 5", "--ignore year,garden --hidden 6 --seed 5"),
        ("--hidden 4,3", "--ignore year,garden --hidden 4,3 --seed 2"),
        ("--ignore heating", "--ignore heating --hidden 6 --seed 2"),
        ("--optimizer sgd", "--ignore year,garden --hidden 6 --seed 2 --optimizer sgd"),
    ] {
        let found = model(&format!("--config run.toml {anew}"));
        assert!(found == model(&format!("{flags} {all}")), "{anew}");
        assert!(found != of_file, "{anew}");
    }
    let printed = shell.out("train houses.csv --config run.toml --seed 5 --print-config");
    assert_eq!(printed, "epochs = 3\nhidden = [6]\nignore = [\"year\", \"garden\"]\nseed = 5\ntarget = \"price\"\n");
}

#[test]
fn what_is_wrong_in_a_file_is_named() {
    let shell = shell();
    for (text, parts) in [
        (
            "hiden = [3]",
            &["cannot use run.toml: ", "unknown field `hiden`", "hint: surefoot train DATA --print-config"][..],
        ),
        ("seed = 1\noptimizer = \"lion\"", &["line 2", "unknown variant `lion`"]),
        ("validation = 1.5", &["a fraction from 0 to 1"]),
        ("hidden = [3, 0]", &["--hidden: expected layers of at least 1 unit, got 0"]),
        ("folds = 1", &["--folds: expected at least 2, got 1"]),
        (
            "ensemble = 2\nvalidation = 0.2",
            &["--ensemble cannot be combined with --validation", "hint: omit one of them"],
        ),
        ("momentum = 0.5", &["--momentum does not apply to the optimizer adam"]),
        (
            "pretraining_weight_decay = -1.0\npretraining = \"sparse-autoencoder\"",
            &["weight decay: expected a finite number"],
        ),
    ] {
        shell.write("run.toml", text);
        let message = shell.refusal("train iris --config run.toml");
        for part in parts {
            assert!(message.contains(part), "{text}: {message}");
        }
    }
    assert!(shell.refusal("train iris --config none.toml").contains("cannot read none.toml: No such file"));
    shell.write("run.toml", "epochs = 1");
    let message = shell.refusal("train iris --config run.toml --out run.toml");
    assert!(message.contains("refusing to overwrite the input file run.toml"), "{message}");
    assert_eq!(shell.read("run.toml"), b"epochs = 1");
    assert_eq!(shell.path().read_dir().unwrap().count(), 2, "a refused command wrote something");
}

#[test]
fn a_training_is_resumed_with_the_file_that_it_began_with() {
    let shell = shell();
    shell.write("run.toml", "target = \"price\"\nhidden = [4]\nepochs = 2\n");
    shell.out("train houses.csv --config run.toml --checkpoint c --quiet --report none");
    let model = shell.read("houses.safetensors");
    shell.out("train --resume c --quiet");
    assert!(shell.read("houses.safetensors") == model);
    shell.write("run.toml", "target = \"price\"\nhidden = [4]\nepochs = 3\n");
    let message = shell.run("train --resume c --quiet");
    assert!(message.status == 2 && message.err.contains("cannot resume the training"), "{}", message.err);
}
