//! The command line as its users meet it: each test runs the binary in a folder of its own.

mod common;

use common::{Shell, last_of};
use serde_json::Value;
use surefoot::Model;

#[test]
fn the_built_in_sets_are_learned_without_any_option() {
    let shell = Shell::new();
    for (data, part, least) in
        [("digits", "validation_score", 0.97), ("iris", "validation_score", 0.93), ("xor", "train_score", 1.0)]
    {
        let score = |seed| {
            let events = shell.json(&format!("train {data} --json --report none --seed {seed}"));
            last_of(&events)[part].as_f64().unwrap()
        };
        let mean = (1..=5).map(score).sum::<f64>() / 5.0;
        assert!(mean >= least, "{data}: {mean}");
        assert!(shell.path().join(format!("{data}.safetensors")).exists());
    }
}

#[test]
fn training_announces_checks_and_reports() {
    let shell = Shell::new();
    let ran = shell.run("train iris --epochs 5 --hidden 16");
    for part in [
        "iris: 150 rows, 4 inputs, 3 classes",
        "network 4-16-3",
        "passed",
        "stopped    after 5 epochs",
        "iris.safetensors",
        "report     iris.html",
    ] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    assert!(ran.err.starts_with("epoch 1: cost"), "{}", ran.err);
    let quiet = shell.run("train iris --epochs 5 --quiet");
    assert_eq!((quiet.status, quiet.out, quiet.err), (0, String::new(), String::new()));
}

#[test]
fn images_are_learned_from_idx_files() {
    let shell = Shell::new();
    // 40 images of 2 × 2 pixels, bright on the left or on the right, and their side
    let images = (0..40u8).flat_map(|i| if i % 2 == 0 { [200 + i, 10, 190, i] } else { [i, 220, 12, 180 + i] });
    let bytes = |head: &[u8], body: Vec<u8>| [head, &body].concat();
    let images = bytes(&[0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 2, 0, 0, 0, 2], images.collect());
    let labels = bytes(&[0, 0, 8, 1, 0, 0, 0, 40], (0..40).map(|i| i % 2).collect());
    for part in ["train", "t10k"] {
        std::fs::write(shell.path().join(format!("{part}-images-idx3-ubyte")), &images).unwrap();
        std::fs::write(shell.path().join(format!("{part}-labels-idx1-ubyte")), &labels).unwrap();
    }
    std::fs::write(shell.path().join("i.idx"), &images).unwrap();
    let text = shell.out("train . --hidden 3 --epochs 30 --out m.safetensors");
    assert!(text.contains("40 rows, 4 inputs, 2 classes in column `label`"), "{text}");
    for data in [".", "t10k-images-idx3-ubyte", "i.idx --target-file t10k-labels-idx1-ubyte"] {
        assert_eq!(shell.json(&format!("evaluate m.safetensors {data} --json"))[0]["accuracy"], 1.0, "{data}");
    }
    assert_eq!(shell.out("predict m.safetensors i.idx").lines().nth(2), Some("1"));
    // bytes are brought to 0 to 1 by one scale for all pixels
    shell.out("train i.idx --autoencoder --hidden 2 --epochs 1 --rows 10 --out a.safetensors");
    let model = Model::load(shell.path().join("a.safetensors")).unwrap();
    assert_eq!(model.input_scaling.unwrap().scale, [220.0; 4]);
    std::fs::write(shell.path().join("cut.idx"), &images[..images.len() - 1]).unwrap();
    assert!(shell.refusal("train cut.idx --autoencoder").contains("expected 160 bytes after the head"));
    shell.refusal("train i.idx --target-file t10k-labels-idx1-ubyte --out t10k-labels-idx1-ubyte");
    assert_eq!(shell.read("t10k-labels-idx1-ubyte"), labels);
    let few = shell.refusal("train i.idx --target-file i.idx");
    assert!(few.contains("expected a number for each of the 40 rows, got 40 × 2 × 2"), "{few}");
}

#[test]
fn json_has_the_promised_keys_and_nothing_else_is_printed() {
    let shell = Shell::new();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let events = shell.json("train iris --json --epochs 3 --hidden 64");
    assert_eq!(events.len(), 4);
    let mut expected = ["event", "epoch", "cost", "validation_cost", "validation_score", "seconds"];
    expected.sort_unstable();
    assert_eq!(keys(&events[0]), expected);
    let mut expected = [
        "event",
        "stop_reason",
        "epochs",
        "steps",
        "seconds",
        "examples_per_second",
        "cost",
        "train_score",
        "validation_score",
        "before_fine_tuning",
        "folds",
        "test_score",
        "ensemble",
        "report",
        "parameters",
        "model",
        "notes",
        "warnings",
    ]; // fmt
    expected.sort_unstable();
    assert_eq!(keys(&events[3]), expected);
    assert_eq!(
        (&events[3]["epochs"], &events[3]["steps"], &events[3]["parameters"]),
        (&3.into(), &12.into(), &515.into())
    );

    let check = shell.json("check iris.safetensors iris --json --sample 20");
    let mut expected = ["cost", "parameters", "checked", "kinks", "epsilon", "difference", "max_difference", "passed"];
    expected.sort_unstable();
    assert_eq!(keys(&check[0]), expected);

    let evaluation = &shell.json("evaluate iris.safetensors iris --json")[0];
    for key in ["rows", "cost", "score", "accuracy", "log_loss", "precision", "recall", "confusion"] {
        assert!(!evaluation[key].is_null(), "{key}");
    }
    let xor = shell.json("train xor --json --epochs 3");
    assert!(last_of(&xor)["validation_score"].is_null() && xor[0]["validation_cost"].is_null());
}

#[test]
fn the_same_seed_gives_the_same_file_on_any_number_of_threads() {
    let shell = Shell::new();
    let model = |options: &str| {
        shell.out(&format!("train digits --quiet --epochs 3 --batch-size 300 --out m.safetensors {options}"));
        shell.read("m.safetensors")
    };
    let one = model("--seed 3 --threads 1");
    for threads in [2, 3] {
        assert!(one == model(&format!("--seed 3 --threads {threads}")), "{threads} threads");
    }
    assert!(one != model("--seed 4 --threads 1"));
}

/// Without a GPU, as `.ci/gpu` trains on an emulated one.
#[test]
fn a_device_is_chosen_or_refused() {
    let shell = Shell::new();
    let model = |device: &str| {
        let command = "train digits --quiet --epochs 2 --hidden 300,300 --batch-size 64 --out m.safetensors";
        (shell.run(&format!("{command} {device}")), shell.read("m.safetensors"))
    };
    let (cpu, auto) = (model("--device cpu"), model("--device auto"));
    assert!((cpu.0.status, auto.0.status) == (0, 0) && cpu.1 == auto.1, "{}", auto.0.err);
    let (gpu, file) = model("--device gpu");
    match gpu.status {
        0 => assert!(file == cpu.1, "there is a GPU"),
        status => {
            assert_eq!(status, 2);
            assert!(gpu.err.contains("GPU") && gpu.err.contains("hint: --device cpu"), "{}", gpu.err);
        }
    }
}

#[test]
fn numbers_are_predicted_in_their_own_unit_and_read_back_to_the_same_bits() {
    let shell = Shell::new();
    let rows: String =
        (0..60).map(|i| format!("{},{},{}\n", 2 * i + 3, i % 7, 3000.5 + 100.0 * f64::from(i))).collect();
    shell.write("houses.csv", &format!("size,age,price\n{rows}"));
    let done = shell.json("train houses.csv --target price --json --precision f64");
    assert!(last_of(&done)["validation_score"].as_f64().unwrap() > 0.99);
    let predictions = shell.out("predict houses.safetensors houses.csv");
    let mut lines = predictions.lines();
    assert_eq!(lines.next(), Some("prediction"));
    let numbers: Vec<f64> = lines.map(|line| line.parse().unwrap()).collect();
    assert_eq!(numbers.len(), 60);
    assert!(numbers.iter().enumerate().all(|(i, p)| (p - (3000.5 + 100.0 * i as f64)).abs() < 500.0), "{numbers:?}");

    // one row alone, columns in another order, a column more and without the target: the same text
    shell.write("one.csv", "age,extra,size\n3,x,23\n");
    assert_eq!(shell.out("predict houses.safetensors one.csv"), format!("prediction\n{:?}\n", numbers[10]));
    shell.out("predict houses.safetensors houses.csv --out p.csv");
    assert_eq!(shell.read("p.csv"), predictions.as_bytes());

    let evaluation = &shell.json("evaluate houses.safetensors houses.csv --json")[0];
    let squares: f64 = numbers.iter().enumerate().map(|(i, p)| (p - (3000.5 + 100.0 * i as f64)).powi(2)).sum();
    let rmse = evaluation["rmse"].as_f64().unwrap();
    assert!((rmse / (squares / 60.0).sqrt() - 1.0).abs() < 1e-9);
    assert_eq!(evaluation["score"], evaluation["r2"]);
    assert!(shell.refusal("predict houses.safetensors houses.csv --probabilities").contains("not probabilities"));
}

#[test]
fn classes_are_predicted_by_name_with_their_probabilities() {
    let shell = Shell::new();
    shell.out("train iris --quiet");
    let text = shell.out("predict iris.safetensors iris --probabilities");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["prediction", "probability_setosa", "probability_versicolor", "probability_virginica"]);
    assert_eq!((rows.len(), rows[1][0]), (151, "setosa"));
    for row in &rows[1..] {
        let probabilities: Vec<f64> = row[1..].iter().map(|p| p.parse().unwrap()).collect();
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    }
}

#[test]
fn every_hidden_and_output_activation_and_optimizer_trains() {
    let shell = Shell::new();
    for options in [
        "--activation sigmoid --hidden 5,4,3",
        "--activation tanh,relu,sigmoid --hidden 5,4,3",
        "--activation identity",
        "--activation relu --init he",
        "--activation leaky-relu --init normal",
        "--activation selu --init lecun --schedule cosine",
        "--hidden none --init glorot",
        "--loss squared-error --optimizer gradient-descent",
        "--output-activation tanh --optimizer sgd --momentum 0.5",
        "--output-activation softmax --loss squared-error --schedule step:2:0.5",
        "--output-activation sigmoid --batch-size full",
        "--output-activation relu --precision f64 --learning-rate 0.01",
        "--output-activation identity --validation 0 --patience 3",
        "--task regression --target petal_width_cm --precision f32 --batch-size 7",
    ] {
        let data = if options.contains("regression") { shell.numeric_iris() } else { "iris".into() };
        shell.out(&format!("train {data} --quiet --epochs 4 --out m.safetensors {options}"));
        shell.out(&format!("check m.safetensors {data} --sample 50"));
        shell.out("show m.safetensors");
    }
}

#[test]
fn each_hidden_layer_has_the_activation_that_is_named_for_it() {
    let shell = Shell::new();
    let names = |options: &str| -> Vec<String> {
        shell.out(&format!("train iris --quiet --epochs 2 --report none --out m.safetensors {options}"));
        let shown = shell.out("show m.safetensors");
        let rows = shown.lines().filter(|line| line.trim_start().starts_with(|c: char| c.is_ascii_digit()));
        rows.map(|row| row.split_whitespace().nth(3).unwrap().into()).collect()
    };
    assert_eq!(names("--activation tanh,relu,sigmoid --hidden 5,4,3"), ["tanh", "relu", "sigmoid", "softmax"]);
    assert_eq!(names("--activation relu --hidden 5,4"), ["relu", "relu", "softmax"]);
    // three hidden layers are the default
    assert_eq!(names("--activation selu,tanh,identity"), ["selu", "tanh", "identity", "softmax"]);
}

impl Shell {
    /// The iris measurements with the species as a number.
    fn numeric_iris(&self) -> String {
        let text = include_str!("../../surefoot-table/data/iris.csv");
        let names = [("setosa", "0"), ("versicolor", "1"), ("virginica", "2")];
        self.write("n.csv", &names.iter().fold(text.to_string(), |text, (name, n)| text.replace(name, n)));
        "n.csv".into()
    }
}

#[test]
fn every_instruction_set_gives_the_bits_of_this_version() {
    let shell = Shell::new();
    let sets = shell.json("check --bits --json");
    assert!(sets.iter().all(|set| set["passed"] == true), "{sets:?}");
    assert_eq!(sets[0]["instructions"], "portable");
}

#[test]
fn check_says_no_with_exit_status_one() {
    let shell = Shell::new();
    assert!(shell.json("check --json")[0]["passed"].as_bool().unwrap());
    shell.out("train xor --quiet --hidden 3");
    assert!(shell.out("check xor.safetensors").contains("passed"));
    shell.out("check xor.safetensors xor --gradient g.safetensors");
    let bytes = shell.read("g.safetensors");
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let bias = tensors.tensor("layers.1.bias").unwrap();
    assert_eq!((bias.dtype(), bias.shape()), (safetensors::Dtype::F64, &[1][..]));

    // one softmax output is always 1: the gradient is zero everywhere, and that is no pass
    let network = surefoot::Network::new(2, &[(1, surefoot::Activation::Softmax)]).unwrap();
    let model =
        surefoot::Model::new(network, vec![0.5, 0.5, 0.5f64].into(), surefoot::Loss::SquaredError, 0.0).unwrap();
    model.save(shell.path().join("constant.safetensors")).unwrap();
    let ran = shell.run("check constant.safetensors");
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("not passed: both gradients are zero or too small to compare"), "{}", ran.out);
}

#[test]
fn a_run_whose_cost_explodes_says_so_and_keeps_a_model() {
    let shell = Shell::new();
    let ran = shell.run("train iris --loss squared-error --output-activation identity --activation identity --optimizer gradient-descent --learning-rate 1e30 --json");
    assert_eq!(ran.status, 1);
    let events: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(last_of(&events)["stop_reason"], "not-finite");
    assert!(ran.err.contains("in epoch") && ran.err.contains("hint: try a smaller --learning-rate"), "{}", ran.err);
    shell.out("show iris.safetensors");
}

/// Numbers of every size are shown, and models of data of every size are read back.
#[test]
fn tables_of_very_large_and_very_small_numbers_train() {
    let shell = Shell::new();
    for size in ["e-300", "e-3", "e5", "e300"] {
        let rows: String = (0..40).map(|i| format!("{i}{size},{}{size}\n", 2 * i)).collect();
        shell.write("t.csv", &format!("x,y\n{rows}"));
        shell.out("train t.csv --precision f64 --epochs 5");
        let predictions = shell.out("predict t.safetensors t.csv");
        assert_eq!(predictions.lines().count(), 41);
    }
}

#[test]
fn a_result_does_not_take_the_place_of_what_it_is_made_from() {
    let shell = Shell::new();
    shell.out("train xor --quiet --epochs 1");
    let before = shell.read("xor.safetensors");
    for arguments in
        ["predict xor.safetensors xor --out xor.safetensors", "check xor.safetensors --gradient xor.safetensors"]
    {
        assert!(shell.refusal(arguments).contains("refusing to overwrite the input file"), "{arguments}");
    }
    assert!(before == shell.read("xor.safetensors"));
}

#[test]
fn validation_can_be_a_file() {
    let shell = Shell::new();
    let text = include_str!("../../surefoot-table/data/iris.csv");
    shell.write("train.csv", text);
    shell.write("other.csv", text);
    let events = shell.json("train train.csv --validation other.csv --json --epochs 30 --patience 0");
    let done = last_of(&events);
    assert_eq!(done["train_score"], done["validation_score"]);
    assert_eq!(events.len(), 31);
    shell.write("other.csv", "a,b\n1,2\n");
    assert!(
        shell
            .refusal("train train.csv --validation other.csv")
            .contains("cannot use the validation data: other.csv: expected a column")
    );
}

#[test]
fn wrong_use_is_refused_with_a_hint_and_exit_status_two() {
    let shell = Shell::new();
    shell.write("gap.csv", "a,b,y\n1,2,u\n3,,v\n");
    shell.write("ids.csv", &format!("a,y\n{}", (0..1500).map(|i| format!("{i},id{i}\n")).collect::<String>()));
    shell.write("no.safetensors", "no model");
    shell.write("colons.csv", "a:y\n1:2\n3:4\n");
    for (arguments, parts) in [
        ("train nothing.csv", &["cannot read nothing.csv", "No such file", "hint: DATA is a file"][..]),
        (
            "train gap.csv --target b --task regression",
            &[
                "gap.csv: expected at least two different values in column `b`, got `2` in every row",
                "hint: there is nothing to predict in a constant column",
            ],
        ),
        ("train ids.csv", &["got a different class in every row", "hint: --target names another column"]),
        ("train iris --target petal", &["expected a column `petal`, got `sepal_length_cm`"]),
        (
            "train iris --task regression",
            &[
                "line 2, column `species`: expected a finite number, as the task is regression, got `setosa`",
                "hint: for a text target omit --task",
            ],
        ),
        (
            "train colons.csv",
            &["expected an input column besides the target, got 1 column", "hint: are columns separated by commas"],
        ),
        ("train ids.csv --out ids.csv", &["refusing to overwrite the input file ids.csv", "hint: choose another name"]),
        ("predict no.safetensors iris --out no.safetensors", &["no.safetensors: file: expected safetensors"]),
        ("check iris", &["`iris` is not a model file", "hint: the first argument is MODEL"]),
        ("train gap.csv --target a --loss cross-entropy --task regression", &["cross-entropy needs classes"]),
        ("train iris --hidden 9000000000", &["parameters", "hint: use fewer units with --hidden"]),
        (
            "train iris --momentum 0.9",
            &["--momentum does not apply to the optimizer adam", "hint: use --optimizer sgd, or omit --momentum"],
        ),
        ("train iris --optimizer sgd --momentum 1", &["momentum: expected a number from 0 to 1"]),
        ("train iris --learning-rate 0", &["learning rate: expected a finite number above 0, got 0"]),
        (
            "train iris --loss cross-entropy --output-activation tanh",
            &["expected sigmoid or softmax with the loss cross-entropy"],
        ),
        ("train iris --activation softmax", &["softmax only as the output"]),
        ("train iris --activation swish", &["one of sigmoid, tanh, identity"]),
        ("train iris --hidden 5,4 --activation tanh,swish", &["one of sigmoid, tanh, identity", "`swish`"]),
        ("train iris --hidden 5,4 --activation tanh,softmax", &["softmax only as the output"]),
        (
            "train iris --hidden 5,4 --activation tanh,relu,tanh",
            &[
                "--activation: expected one name, or one for each hidden layer, of which there are 2, got 3 names",
                "hint:",
            ],
        ),
        ("train iris --hidden 5,4 --activation tanh, --sparsity 0.1", &["one of sigmoid"]),
        ("train digits --hidden 5,4 --activation tanh,relu --sparsity 0.1", &["sigmoid or tanh", "`relu`"]),
        ("train iris --hidden 3,0", &["expected whole numbers above 0 as 32,16, or none"]),
        ("train iris --batch-size 0", &["expected a whole number above 0, or full"]),
        ("train iris --validation 1.5", &["expected a fraction from 0 to 1"]),
        ("train iris --threads 0", &["--threads: expected 1 to 1024, got 0"]),
        (
            "train iris --out nowhere/m.safetensors",
            &["cannot write the model: cannot write nowhere/m.safetensors", "hint: does the folder exist"],
        ),
        (
            "train digits --autoencoder --sparsity 2",
            &["sparsity: expected a number between 0 and 1, both excluded, got 2"],
        ),
        (
            "train digits --sparsity 0.1 --activation relu",
            &["sparsity: expected hidden units that are sigmoid or tanh", "`relu`"],
        ),
        ("train iris --optimizer lbfgs --batch-size 8", &["batch size: expected full with L-BFGS"]),
        ("train iris --optimizer lbfgs --learning-rate 1", &["--learning-rate does not apply to the optimizer lbfgs"]),
        ("train iris --history 5", &["--history does not apply to the optimizer adam", "hint: use --optimizer lbfgs"]),
        ("train iris --weight-decay -1", &["weight decay: expected a finite number, at least 0, got -1"]),
        ("show no.safetensors", &["no.safetensors: file: expected safetensors", "hint: docs/model-format.md"]),
        ("show missing.safetensors", &["cannot read missing.safetensors", "hint: does the file exist"]),
        ("check --epsilon 0", &["epsilon: expected a finite number above 0, got 0"]),
        ("check --sample 0", &["sample: expected at least one coordinate, got 0"]),
        ("teach iris", &["unrecognized subcommand"]),
    ] {
        let message = shell.refusal(arguments);
        for part in parts {
            assert!(message.contains(part), "surefoot {arguments}: {message}");
        }
    }
    assert!(shell.path().read_dir().unwrap().count() == 4, "a refused command wrote something");
}

#[test]
fn the_data_sets_and_the_manual_are_listed() {
    let shell = Shell::new();
    let datasets = shell.out("datasets");
    assert!(["xor", "iris", "digits", "patches"].iter().all(|name| datasets.contains(name)));
    for command in ["train", "predict", "evaluate", "encode", "check", "show", "datasets"] {
        assert!(shell.out(&format!("{command} --help")).contains("Example"), "{command}");
    }
}
