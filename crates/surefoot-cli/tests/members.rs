//! Several networks that become one.

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
    for options in ["--threads 2", "--threads 8", "--members 5", "--checkpoint c --checkpoint-every 7"] {
        assert!(model(options) == one, "{options}");
    }
    assert!(model("--seed 1") != one && model("--members 4") != one);
}

#[test]
fn each_row_is_held_back_once_and_the_scores_are_of_those_rows() {
    let shell = Shell::new();
    let events = shell.json("train iris --epochs 30 --json");
    let done = last_of(&events);
    assert_eq!((&done["members"], &done["epochs"]), (&5.into(), &150.into()));
    let of_member = |member: u64| events.iter().filter(|event| event["member"] == member).count();
    assert_eq!((1..=5).map(of_member).collect::<Vec<_>>(), [30; 5]);
    assert!(done["validation_score"].as_f64().unwrap() > 0.9);
    let model = Model::load(shell.path().join("iris.safetensors")).unwrap();
    assert_eq!(model.network.widths(), "4-320-320-320-3");
    assert_eq!(model.training["network"], "4-64-64-64-3");
    // no weight goes from one network to another
    let theta = model.parameters.to_f64();
    let weight = model.network.weight(&theta, 1);
    let crossing = |i: usize, j: usize| i / 64 != j / 64;
    assert!(weight.indexed_iter().all(|((i, j), w)| !crossing(i, j) || *w == 0.0));
    assert_eq!(shell.json("check iris.safetensors iris --sample 100 --json")[0]["passed"], true);
}

#[test]
fn one_network_is_trained_where_it_is_described_or_rows_are_few() {
    let shell = Shell::new();
    for (options, widths) in [
        ("iris --hidden 7", "4-7-3"),
        ("iris --validation 0.3", "4-64-64-64-3"),
        ("iris --optimizer sgd", "4-64-3"),
        ("iris --activation relu --members 2", "4-128-128-128-3"),
        ("xor", "2-64-64-64-1"),
    ] {
        shell.out(&format!("train {options} --epochs 1 --quiet --report none --out m.safetensors"));
        let model = Model::load(shell.path().join("m.safetensors")).unwrap();
        assert_eq!(model.network.widths(), widths, "{options}");
    }
    assert!(shell.run("train iris --members 3 --validation 0.2").err.contains("cannot be used with"));
    let message = shell.run("train digits --rows 3 --members 5").err;
    assert!(message.contains("cannot make parts for the members"), "{message}");
}

#[test]
fn the_cost_of_rows_held_back_counts_them_by_their_weights() {
    let shell = Shell::new();
    // each of two networks is stopped by one group, and predicts 0 after so small a step; group a lies far from it, b near
    let held = |weight_a: u32, weight_b: u32| {
        let row = |i: u32| match i % 2 {
            0 => format!("a,{},{},{weight_a}\n", i % 7, if i.is_multiple_of(4) { 10 } else { -10 }),
            _ => format!("b,{},{},{weight_b}\n", i % 7, if i % 4 == 1 { 1 } else { -1 }),
        };
        shell.write("w.csv", &format!("g,x,y,w\n{}", (0..80).map(row).collect::<String>()));
        let options = "--target y --task regression --group g --weight w --members 2 --learning-rate 1e-9";
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
