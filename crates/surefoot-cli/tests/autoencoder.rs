//! Autoencoders and pretraining on the command line.

mod common;

use common::{Shell, last_of};
use serde_json::Value;
use surefoot::Model;

#[test]
fn a_sparse_autoencoder_is_trained_shown_checked_and_evaluated() {
    let shell = Shell::new();
    let text = shell
        .out("train digits --autoencoder --hidden 9 --sparsity 0.1 --sparsity-weight 2 --optimizer lbfgs --epochs 30");
    assert!(text.contains("64 inputs, which are also the targets") && text.contains("network 64-9-64"), "{text}");
    assert!(text.contains("after 30 epochs (") && text.contains("evaluations)"), "{text}");
    let shown = shell.out("show digits.safetensors");
    assert!(shown.contains("mean activation 0.1, weight 2") && shown.contains("target         the inputs"), "{shown}");
    // the label is left out, and every row is trained on
    let evaluated = &shell.json("evaluate digits.safetensors digits --json")[0];
    let trained = &shell.json(
        "train digits --autoencoder --hidden 9 --sparsity 0.1 --sparsity-weight 2 --optimizer lbfgs --epochs 30 \
         --json --out other.safetensors",
    )[30];
    let cost = |value: &Value| value["cost"].as_f64().unwrap();
    assert_eq!(evaluated["rows"], 1797);
    assert!((cost(evaluated) / cost(trained) - 1.0).abs() < 1e-6, "{evaluated} {trained}");
    let check = &shell.json("check digits.safetensors digits --json")[0];
    assert!(check["passed"] == true && (cost(check) / cost(evaluated) - 1.0).abs() < 1e-12);
    let reconstructed = shell.out("predict digits.safetensors digits");
    assert!(reconstructed.starts_with("prediction_pixel_0_0,") && reconstructed.lines().count() == 1798);
}

#[test]
fn features_are_drawn_as_tiles() {
    let shell = Shell::new();
    shell.out("train patches --autoencoder --hidden 7 --optimizer lbfgs --epochs 2 --rows 500 --quiet");
    assert_eq!(shell.out("show patches.safetensors --features f.png"), "7 tiles of 8 × 8 pixels in f.png\n");
    shell.out("show patches.safetensors --features f.svg");
    let mut reader = png::Decoder::new(std::io::Cursor::new(std::fs::read(shell.path().join("f.png")).unwrap()))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    // three tiles across and three down, each with its gap, eight times as large
    assert_eq!((info.width, info.height), (8 * 28, 8 * 28));
    let at = |row: usize, column: usize| pixels[8 * row * 8 * 28 + 8 * column];
    let model = Model::load(shell.path().join("patches.safetensors")).unwrap();
    let features = model.network.preferred_inputs(&model.parameters.to_f64()).unwrap();
    for unit in [0, 4] {
        let feature = features.row(unit);
        assert!((feature.dot(&feature) - 1.0).abs() < 1e-12);
        let largest = feature.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        for (i, x) in feature.iter().enumerate() {
            let expected = f64::round(127.5 * (x / largest + 1.0)) as u8;
            assert_eq!(at(1 + unit / 3 * 9 + i / 8, 1 + unit % 3 * 9 + i % 8), expected, "unit {unit}, pixel {i}");
        }
    }
    let svg = std::fs::read_to_string(shell.path().join("f.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.contains("<title>") && svg.lines().count() > 200
    );
    assert!(shell.refusal("show patches.safetensors --features f.gif").contains("expected FILE.png or FILE.svg"));
    assert!(shell.refusal("show patches.safetensors --features patches.safetensors").contains("hint"));
    shell.out("train iris --epochs 1 --quiet --hidden 3");
    // 2 × 2 pixels are a square, too
    shell.out("show iris.safetensors --features f.png");
    shell.out("train xor --epochs 1 --quiet --hidden 3");
    assert!(shell.refusal("show xor.safetensors --features f.png").contains("2 inputs are not the pixels of an image"));
}

#[test]
fn hidden_activations_are_written_with_the_columns_that_are_no_inputs() {
    let shell = Shell::new();
    shell.out("train iris --hidden 5,4 --activation tanh --epochs 2 --quiet");
    for (layer, units) in [("", 5), (" --layer 1", 5), (" --layer 2", 4)] {
        let text = shell.out(&format!("encode iris.safetensors iris{layer}"));
        let header: Vec<String> = (0..units).map(|unit| format!("unit_{unit}")).collect();
        assert_eq!(text.lines().next().unwrap(), format!("{},species", header.join(",")));
        assert!(text.lines().count() == 151 && text.lines().nth(150).unwrap().ends_with(",virginica"));
    }
    // the first unit by hand: tanh(w·x + b) of the scaled inputs
    let model = Model::load(shell.path().join("iris.safetensors")).unwrap();
    let theta = model.parameters.to_f64();
    let (weight, bias) = (model.network.weight(&theta, 0), model.network.bias(&theta, 0));
    let scaling = model.input_scaling.as_ref().unwrap();
    let x = scaling.apply(ndarray::array![[5.1, 3.5, 1.4, 0.2]].view());
    let expected = (weight.row(0).dot(&x.row(0)) + bias[0]).tanh();
    let text = shell.out("encode iris.safetensors iris");
    let first: f64 = text.lines().nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!((first - expected).abs() < 1e-6, "{first} {expected}");
    assert!(
        shell
            .refusal("encode iris.safetensors iris --layer 3")
            .contains("layer: expected a hidden layer from 1 to 2, got 3")
    );
}

#[test]
fn a_stack_is_pretrained_layer_by_layer_and_fine_tuned() {
    let shell = Shell::new();
    let train = "train digits --hidden 40,30 --pretrain sparse-autoencoder --pretrain-epochs 100 --seed 1";
    let events = shell.json(&format!("{train} --epochs 30 --json"));
    let layers = |event: &Value| event["event"] == "pretraining" && event["cost"].is_f64() && event["layer"].is_u64();
    let mut seen: Vec<u64> = events.iter().filter(|event| layers(event)).filter_map(|e| e["layer"].as_u64()).collect();
    seen.dedup();
    assert_eq!(seen, [1, 2, 3]);
    let done = last_of(&events);
    let score = |value: &Value| value["validation_score"].as_f64().unwrap();
    let (before, after) = (score(&done["before_fine_tuning"]), score(done));
    assert!(before > 0.85 && after > before, "{before} {after}");
    // the same small steps from a random start have not come as far after their first epoch
    let first = |events: &[Value]| score(events.iter().find(|event| event["event"] == "epoch").unwrap());
    let gentle = "--optimizer sgd --learning-rate 0.001 --epochs 1 --json --seed 1 --activation sigmoid --hidden 40,30";
    let random = first(&shell.json(&format!("train digits {gentle} --out r.safetensors")));
    let stacked = first(&shell.json(&format!(
        "train digits {gentle} --pretrain sparse-autoencoder --pretrain-epochs 100 --out s.safetensors"
    )));
    assert!(stacked > random + 0.3, "{stacked} {random}");

    let shown = shell.out("show digits.safetensors");
    assert!(shown.contains("pretraining") && shown.contains("sparsity target 0.1, weight 3.0"), "{shown}");
    // what pretraining gives can be kept, and is what was reported
    let events = shell.json(&format!("{train} --epochs 0 --validation 0 --json"));
    let evaluated = &shell.json("evaluate digits.safetensors digits --json")[0];
    assert_eq!(evaluated["score"], last_of(&events)["before_fine_tuning"]["train_score"]);
    // sparsity was for pretraining: the model's cost has none
    assert!(Model::load(shell.path().join("digits.safetensors")).unwrap().sparsity.is_none());
    let said = shell.out(&format!("{train} --epochs 1"));
    assert!(said.contains("pretraining layer 2 as a sparse autoencoder: 40-30-40, 1,438 rows"), "{said}");
    assert_eq!(said.matches("passed").count(), 4);
    assert!(
        said.contains("accuracy before fine-tuning: training 0.") && said.contains(&format!("validation {before:.4}"))
    );
}

#[test]
fn inputs_of_a_stack_have_one_scale_that_its_units_reach() {
    let shell = Shell::new();
    let rows: String = (0..60).map(|i| format!("{},{},{}\n", i % 7 - 3, 100 + i, i % 2)).collect();
    shell.write("t.csv", &format!("a,b,y\n{rows}"));
    for (activation, low) in [("sigmoid", 0.0), ("tanh", -1.0)] {
        shell.out(&format!(
            "train t.csv --hidden 4 --activation {activation} --pretrain sparse-autoencoder --pretrain-epochs 5 --epochs 1 \
             --validation 0 --quiet"
        ));
        let scaling = Model::load(shell.path().join("t.safetensors")).unwrap().input_scaling.unwrap();
        let scaled = |number: f64, column: usize| (number - scaling.centre[column]) / scaling.scale[column];
        assert!((scaled(-3.0, 0) - low).abs() < 1e-12 && (scaled(159.0, 1) - 1.0).abs() < 1e-12);
        assert_eq!(scaling.scale[0], scaling.scale[1]);
    }
}

#[test]
fn a_pretrained_model_is_the_same_file_on_any_number_of_threads() {
    let shell = Shell::new();
    for threads in [1, 2, 8] {
        shell.out(&format!(
            "train digits --hidden 40,30 --pretrain sparse-autoencoder --pretrain-epochs 20 --epochs 3 --threads {threads} \
             --quiet --out {threads}.safetensors"
        ));
    }
    for threads in [2, 8] {
        assert!(shell.read("1.safetensors") == shell.read(&format!("{threads}.safetensors")), "{threads} threads");
    }
}

#[test]
fn pretraining_that_cannot_be_is_refused() {
    let shell = Shell::new();
    for (arguments, parts) in [
        ("train iris --hidden none --pretrain sparse-autoencoder", &["expected hidden units", "no hidden layer"][..]),
        ("train iris --activation relu --pretrain sparse-autoencoder", &["sigmoid or tanh", "got `relu`"]),
        ("train iris --pretrain sparse-autoencoder --sparsity 1", &["sparsity: expected a number between 0 and 1"]),
        (
            "train iris --pretrain sparse-autoencoder --pretrain-weight-decay -1",
            &["weight decay: expected a finite number, at least 0, got -1"],
        ),
        ("train iris --pretrain-epochs 5", &["--pretrain"]),
        ("train iris --sparsity-weight 5", &["--sparsity"]),
        ("train iris --pretrain boltzmann", &["sparse-autoencoder"]),
    ] {
        let message = shell.refusal(arguments);
        for part in parts {
            assert!(message.contains(part), "surefoot {arguments}: {message}");
        }
    }
    assert_eq!(shell.path().read_dir().unwrap().count(), 0, "a refused command wrote something");
}
