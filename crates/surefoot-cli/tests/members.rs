//! Ensembles: several networks in one model.

mod common;

use common::{Shell, last_of};
use surefoot::Model;

#[test]
fn the_average_is_the_same_file_on_any_number_of_threads_and_with_a_checkpoint() {
    let shell = Shell::new();
    let model = |options: &str| {
        shell.out(&format!("train iris --epochs 8 --quiet --report none --out m.safetensors {options}"));
        shell.read("m.safetensors")
    };
    let one = model("--threads 1");
    let options = ["--threads 2", "--threads 8", "--ensemble 5", "--members 5", "--checkpoint c --checkpoint-every 7"];
    for options in options {
        assert!(model(options) == one, "{options}");
    }
    assert!(model("--seed 1") != one && model("--ensemble 4") != one);
}

#[test]
fn each_row_is_out_of_fold_once_and_the_scores_are_of_those_rows() {
    let shell = Shell::new();
    let events = shell.json("train iris --epochs 30 --patience 0 --json");
    let done = last_of(&events);
    assert_eq!((&done["ensemble"], &done["epochs"]), (&5.into(), &150.into()));
    let of_member = |member: u64| events.iter().filter(|event| event["member"] == member).count();
    assert_eq!((1..=5).map(of_member).collect::<Vec<_>>(), [30; 5]);
    assert!(done["validation_score"].as_f64().unwrap() > 0.9);
    let model = Model::load(shell.path().join("iris.safetensors")).unwrap();
    assert_eq!((model.network.widths().as_str(), model.members()), ("4-64-64-64-3", 5));
    assert_eq!((&model.training["network"], &model.training["ensemble"]), (&"4-64-64-64-3".into(), &5.into()));
    assert_eq!(done["parameters"], 5 * model.network.parameter_count());
    assert_eq!(shell.json("check iris.safetensors iris --sample 100 --json")[0]["passed"], true);
}

#[test]
fn one_network_is_trained_where_it_is_described_or_rows_are_few() {
    let shell = Shell::new();
    for (options, widths, members) in [
        ("iris --hidden 7", "4-7-3", 1),
        ("iris --validation 0.3", "4-64-64-64-3", 1),
        ("iris --optimizer sgd", "4-64-3", 1),
        ("iris --activation relu --ensemble 2", "4-64-64-64-3", 2),
        ("xor", "2-64-64-64-1", 1),
    ] {
        shell.out(&format!("train {options} --epochs 1 --quiet --report none --out m.safetensors"));
        let model = Model::load(shell.path().join("m.safetensors")).unwrap();
        assert_eq!((model.network.widths().as_str(), model.members()), (widths, members), "{options}");
    }
    assert!(shell.run("train iris --ensemble 3 --validation 0.2").err.contains("cannot be used with"));
    let message = shell.run("train digits --rows 3 --ensemble 5").err;
    assert!(message.contains("cannot make a part of the rows for each network of the ensemble"), "{message}");
}

#[test]
fn the_cost_out_of_fold_counts_rows_by_their_weights() {
    let shell = Shell::new();
    // each of two networks is stopped by one group, and predicts 0 after so small a step; group a lies far from it, b near
    let held = |weight_a: u32, weight_b: u32| {
        let row = |i: u32| match i % 2 {
            0 => format!("a,{},{},{weight_a}\n", i % 7, if i.is_multiple_of(4) { 10 } else { -10 }),
            _ => format!("b,{},{},{weight_b}\n", i % 7, if i % 4 == 1 { 1 } else { -1 }),
        };
        shell.write("w.csv", &format!("g,x,y,w\n{}", (0..80).map(row).collect::<String>()));
        let options = "--target y --task regression --group g --sample-weight w --ensemble 2 --learning-rate 1e-9";
        shell.out(&format!("train w.csv {options} --epochs 1 --quiet --report none"));
        let model = Model::load(shell.path().join("w.safetensors")).unwrap();
        model.training["validation_cost"].as_f64().unwrap()
    };
    let (far, near) = (held(1000, 1), held(1, 1000));
    assert!(far > 50.0 * near, "{far} {near}");
}

#[test]
fn groups_stay_together_in_the_parts_of_the_networks() {
    let shell = Shell::new();
    // the target follows from the group alone, by chance: who has seen the group knows it
    let row = |i: u32| {
        let patient = i / 5;
        let class = if (patient.wrapping_mul(2_654_435_761) >> 13) & 1 == 0 { "u" } else { "v" };
        format!("{patient},{},{class}\n", (i * 7) % 11)
    };
    shell.write("g.csv", &format!("patient,x,y\n{}", (0..200).map(row).collect::<String>()));
    let held = |options: &str| {
        let events = shell.json(&format!("train g.csv --epochs 30 --json --report none {options}"));
        last_of(&events)["validation_score"].as_f64().unwrap()
    };
    assert!(held("--categorical patient") > 0.99);
    assert!(held("--categorical patient --group patient") < 0.8, "unseen patients cannot be told");
}

#[test]
fn an_ensemble_takes_the_room_of_its_networks_and_predicts_what_it_merges_into() {
    let shell = Shell::new();
    shell.out("train iris --hidden 50,50 --validation 0.2 --epochs 5 --quiet --report none --out one.safetensors");
    shell.out("train iris --hidden 50,50 --ensemble 4 --epochs 5 --quiet --report none --out all.safetensors");
    let numbers = |name: &str| {
        let bytes = shell.read(name);
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        tensors.iter().map(|(_, tensor)| tensor.data().len()).sum::<usize>()
    };
    assert_eq!(numbers("all.safetensors"), 4 * numbers("one.safetensors"));
    let size = |name: &str| shell.read(name).len() as f64;
    let times = size("all.safetensors") / size("one.safetensors");
    assert!((3.0..4.5).contains(&times), "{times} times as large as one network");

    // what versions before wrote: one wide network in format 1
    let mut merged = Model::load(shell.path().join("all.safetensors")).unwrap().merged().unwrap();
    merged.training["members"] = 4.into();
    merged.save(shell.path().join("old.safetensors")).unwrap();
    let format = |name: &str| {
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&shell.read(name)).unwrap();
        let entry = &metadata.metadata().as_ref().unwrap()["surefoot"];
        serde_json::from_str::<serde_json::Value>(entry).unwrap()["format"].as_u64().unwrap()
    };
    assert_eq!(["one.safetensors", "all.safetensors", "old.safetensors"].map(format), [1, 2, 1]);
    let predicted = |name: &str| -> Vec<(String, Vec<f64>)> {
        let text = shell.out(&format!("predict {name} iris --probabilities"));
        let row = |line: &str| {
            let mut cells = line.split(',');
            (cells.next().unwrap().to_string(), cells.map(|cell| cell.parse().unwrap()).collect())
        };
        text.lines().skip(1).map(row).collect()
    };
    let (apart, old) = (predicted("all.safetensors"), predicted("old.safetensors"));
    assert_eq!((apart.len(), old.len()), (150, 150));
    for ((class, apart), (other, old)) in apart.iter().zip(&old) {
        assert_eq!(class, other);
        assert!(apart.iter().zip(old).all(|(a, b)| (a - b).abs() < 1e-6), "{apart:?} {old:?}");
    }
    for command in ["show", "explain --row 1", "encode", "check", "evaluate"] {
        let (command, more) = command.split_once(' ').unwrap_or((command, ""));
        let data = if command == "show" { "" } else { "iris" };
        for name in ["all", "old"] {
            shell.out(format!("{command} {name}.safetensors {data} {more}").trim().replace("  ", " ").as_str());
        }
    }
    assert!(shell.out("show all.safetensors").contains("4 such networks, whose outputs are averaged"));
}
