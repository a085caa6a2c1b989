//! What people look at: reports, explanations, drawings.

mod common;

use common::{Shell, last_of};
use surefoot::Model;

const HOUSES: &str = include_str!("../../../docs/houses.csv");

impl Shell {
    fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }
}

/// That a page needs nothing but itself, and that its elements are closed.
fn assert_self_contained(html: &str) {
    for part in ["<script", "src=", "href=", "@import", "url(", "NaN", "inf<"] {
        assert!(!html.contains(part), "{part}");
    }
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"));
    for name in
        ["section", "table", "tr", "td", "th", "p", "figure", "svg", "text", "g", "math", "mrow", "div", "h2", "pre"]
    {
        let (opened, closed) = (
            html.matches(&format!("<{name}>")).count() + html.matches(&format!("<{name} ")).count(),
            html.matches(&format!("</{name}>")).count(),
        );
        assert_eq!(opened, closed, "<{name}>");
    }
}

#[test]
fn a_report_of_classes_has_every_section_with_the_numbers_of_the_training() {
    let shell = Shell::new();
    let events = shell.json("train iris --hidden 5 --epochs 20 --test 0.2 --json --seed 3");
    let done = last_of(&events);
    assert_eq!(done["report"], "iris.html");
    let html = shell.text("iris.html");
    assert_self_contained(&html);
    for part in ["Data", "Network", "Gradient check", "Learning", "Results", "Which inputs matter", "Settings"] {
        assert!(html.contains(&format!("<h2>{part}</h2>")), "{part}");
    }
    for part in [
        "150 rows with 5 columns in iris: 96 for training, 24 for validation, 30 for test",
        "<strong class=\"good\">passed</strong>",
        "layers of 4, 5, 3 units",
        "Confusion matrix",
        "surefoot train iris --hidden 5 --epochs 20 --test 0.2 --json --seed 3",
        "Measured on 30 rows of the test part",
        "petal_length_cm",
    ] {
        assert!(html.contains(part), "{part}");
    }
    // the score, the confusion and what `evaluate` says are of the same predictions
    let score = done["test_score"].as_f64().unwrap();
    assert!(html.contains(&format!("(accuracy {score:.4})")), "{score}");
    let matrix: Vec<usize> = html
        .split("color-mix(in srgb,var(--")
        .skip(1)
        .map(|cell| cell.split('>').nth(1).unwrap().split('<').next().unwrap().parse().unwrap())
        .collect();
    let right: usize = (0..3).map(|class| matrix[4 * class]).sum();
    assert_eq!((matrix.len(), matrix.iter().sum::<usize>()), (9, 30));
    assert!((right as f64 / 30.0 - score).abs() < 1e-12);
}

#[test]
fn a_report_of_numbers_is_in_their_unit_and_says_what_matters() {
    let shell = Shell::new();
    shell.write("houses.csv", HOUSES);
    shell.out("train houses.csv --target price --quiet --report look.html");
    let html = shell.text("look.html");
    assert_self_contained(&html);
    assert!(
        html.contains("predicted against true") && html.contains("true price") && html.contains("in the unit of price")
    );
    assert!(
        html.contains("An ensemble of 5 networks")
            && html.contains("out-of-fold: each is predicted by the one network")
    );
    assert!(
        html.contains("excluded: identifier") && html.contains("(6.0 %)"),
        "columns that are no inputs, missing cells"
    );
    // the ranking begins with what the price is made of
    let ranking = html.split("Which inputs matter").nth(1).unwrap();
    let first = ranking.split("text-anchor=\"end\">").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(first, "size");
    assert!(!shell.path().join("houses.html").exists());
}

#[test]
fn a_report_can_be_left_out_and_takes_the_place_of_nothing_else() {
    let shell = Shell::new();
    let events = shell.json("train xor --epochs 3 --json --report none");
    assert!(last_of(&events)["report"].is_null() && !shell.path().join("xor.html").exists());
    let message = shell.refusal("train xor --epochs 3 --report nowhere/r.html");
    assert!(message.contains("cannot write the report: cannot write nowhere/r.html"), "{message}");
    // it takes the place of no other file, but of an older report
    shell.write("houses.csv", HOUSES);
    assert!(
        shell
            .refusal("train houses.csv --report houses.csv")
            .contains("refusing to overwrite the input file houses.csv")
    );
    shell.refusal("train houses.csv --report ./houses.csv");
    assert!(
        shell.refusal("train xor --report c --checkpoint c").contains("the report would overwrite the checkpoint, c")
    );
    assert!(shell.refusal("train xor --out m --report m").contains("the report would overwrite the model, m"));
    shell.out("train xor --epochs 1 --quiet --out m.v1");
    assert!(shell.path().join("m.v1.html").exists());
    assert!(
        shell
            .refusal("check m.v1 houses.csv --gradient houses.csv")
            .contains("refusing to overwrite the input file houses.csv")
    );
    assert_eq!(shell.text("houses.csv"), HOUSES);
    shell.write("mine.html", "<p>my own page");
    let message = shell.refusal("train xor --out mine.safetensors");
    assert!(
        message.contains("mine.html exists and is not a report") && message.contains("hint: --report"),
        "{message}"
    );
    assert_eq!(shell.text("mine.html"), "<p>my own page");
    for _ in 0..2 {
        shell.out("train xor --epochs 1 --quiet");
    }
}

#[test]
fn names_of_a_strangers_file_are_no_markup() {
    let shell = Shell::new();
    let rows: String =
        (0..40).map(|i| format!("{}.5,{}\n", i * i % 17, if i % 2 == 0 { "<b>u" } else { "v&w" })).collect();
    shell.write("t.csv", &format!("<img src=x>,y\n{rows}"));
    shell.out("train t.csv --epochs 2 --quiet");
    let html = shell.text("t.html");
    assert!(
        !html.contains("<img")
            && !html.contains("<b>u")
            && html.contains("&lt;img src=x&gt;")
            && html.contains("v&amp;w")
    );
    shell.out("explain t.safetensors t.csv --row 1 --out e.html");
    assert!(!shell.text("e.html").contains("<img"));
}

#[test]
fn every_kind_of_training_has_a_report() {
    let shell = Shell::new();
    for options in [
        "digits --rows 300 --autoencoder --hidden 4",
        "iris --hidden none --validation 0",
        "iris --optimizer lbfgs --hidden 3",
        "iris --folds 3 --hidden 3",
        "iris --pretrain sparse-autoencoder --pretrain-epochs 3",
        "patches --rows 50 --autoencoder --hidden 3 --no-check",
    ] {
        shell.out(&format!("train {options} --epochs 3 --quiet --out m.safetensors"));
        assert_self_contained(&shell.text("m.html"));
    }
}

#[test]
fn an_explanation_has_the_notes_equations_with_this_networks_numbers() {
    let shell = Shell::new();
    shell.out("train iris --hidden 3 --activation sigmoid --epochs 30 --quiet --report none");
    let text = shell.out("explain iris.safetensors iris --row 3 --out e.html");
    let html = shell.text("e.html");
    assert_self_contained(&html);
    for tag in ["(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)", "(B1)", "(B2)", "(B3)"] {
        assert!(html.contains(&format!("<span class=\"tag\">{tag}</span>")), "{tag}");
    }
    // z of the first unit by hand
    let model = Model::load(shell.path().join("iris.safetensors")).unwrap();
    let theta = model.parameters.to_f64();
    let x = model.input_scaling.as_ref().unwrap().apply(ndarray::array![[4.7, 3.2, 1.3, 0.2]].view());
    let z = model.network.weight(&theta, 0).row(0).dot(&x.row(0)) + model.network.bias(&theta, 0)[0];
    assert!(text.contains(&format!("{z:>13.4}{:>13.4}", 1.0 / (1.0 + (-z).exp()))), "{z}: {text}");
    assert!(text.contains("layer 1 (L2 of the notes), sigmoid") && text.contains("layer 2 (L3 of the notes), softmax"));
    assert!(html.contains("<h3>Layer 1 (L2 of the notes): 3 units, sigmoid</h3>"));
    // every derivative stands beside its numerical value
    let apart: Vec<f64> =
        html.split("<td class=\"n\">").filter_map(|cell| cell.split('<').next()?.parse::<f64>().ok()).collect();
    let rows: Vec<&[f64]> = apart[apart.len() - 3 * 27..].chunks(3).collect();
    assert!(rows.iter().all(|row| (row[0] - row[1]).abs() < 1e-8 && row[2] < 1e-8), "{rows:?}");
    assert!(rows.iter().any(|row| row[0].abs() > 1e-3), "something is compared");
}

#[test]
fn rows_without_a_target_are_explained_forward_and_rows_that_are_not_there_are_refused() {
    let shell = Shell::new();
    shell.out("train iris --epochs 2 --quiet --report none");
    shell.write("new.csv", "petal_width_cm,sepal_length_cm,sepal_width_cm,petal_length_cm\n0.2,5.1,3.5,1.4\n");
    let text = shell.out("explain iris.safetensors new.csv --row 1 --out e.html");
    assert!(text.contains("no target in this row") && text.contains("and 314 more units"), "{text}");
    assert_self_contained(&shell.text("e.html"));
    let message = shell.refusal("explain iris.safetensors iris --row 151");
    assert!(
        message.contains("--row 151: iris has 150 rows") && message.contains("hint: rows count from 1"),
        "{message}"
    );
    shell.refusal("explain iris.safetensors iris --row 0");
    shell.refusal("explain iris.safetensors iris --row 1 --out iris.safetensors");
}

#[test]
fn a_model_is_drawn_and_its_activation_functions_are_plotted() {
    let shell = Shell::new();
    shell.out("train iris --hidden 12,3 --activation tanh --epochs 2 --quiet --report none");
    shell.out("show iris.safetensors --diagram net.svg --activations f.svg");
    let (net, functions) = (shell.text("net.svg"), shell.text("f.svg"));
    assert!(net.contains("6 more") && net.matches(">+1<").count() == 3 && net.contains("setosa"), "{net}");
    shell.write(
        "two.csv",
        &format!("x,y\n{}", (0..40).map(|i| format!("{}.5,{}\n", i % 7, ["no", "yes"][i % 2])).collect::<String>()),
    );
    shell.out("train two.csv --hidden 2 --epochs 1 --quiet --report none");
    shell.out("show two.safetensors --diagram two.svg");
    assert!(shell.text("two.svg").contains(">P(yes)<"), "one output says how likely the second class is");
    assert!(net.contains("role=\"img\"") && net.contains("<title>") && net.contains("<desc>"));
    assert!(functions.contains("tanh") && functions.contains("f′(z)") && !functions.contains("softmax and"));
    shell.out("train iris --hidden none --epochs 1 --quiet --report none --out s.safetensors");
    assert!(
        shell.refusal("show s.safetensors --activations f.svg").contains("softmax is not a function of a single z")
    );
    assert!(
        shell.refusal("show s.safetensors --diagram s.safetensors").contains("refusing to overwrite the input file")
    );
}
