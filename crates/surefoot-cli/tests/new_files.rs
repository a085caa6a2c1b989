//! Looking at a table, and new files that are not like the one that was learned from.

mod common;

use common::{Shell, last_of};

/// Rows of a colour, a postal code, a yes or no, a weight and a price that follows from them.
fn fruit(shell: &Shell) {
    let row = |i: usize| {
        let (colour, zip) = (["red", "green", "blue"][i % 3], ["02138", "60601", "01010"][i * 7 / 3 % 3]);
        let ripe = if i.is_multiple_of(2) { "True" } else { "False" };
        let weight = 10.5 + (i * 13 % 40) as f64;
        format!("{i},{colour},{zip},{ripe},{weight} kg,{}\n", weight * 2.0 + (i % 3) as f64)
    };
    let rows: String = (0..120).map(row).collect();
    shell.write("fruit.csv", &format!("# picked in May\nid,colour,zip,ripe,weight,price\n{rows}"));
}

fn trained() -> Shell {
    let shell = Shell::new();
    fruit(&shell);
    shell.out("train fruit.csv --hidden 8 --epochs 5 --quiet --report none --out m.safetensors");
    shell
}

#[test]
fn a_table_is_looked_at_without_training() {
    let shell = Shell::new();
    fruit(&shell);
    let text = shell.out("look fruit.csv");
    for part in [
        "fruit.csv: text, separated by commas, 120 rows, 6 columns\n",
        "id      excluded: row number",
        "weight  number (kg)",
        "price   target, numbers",
        "note: line 1 is skipped: the table begins below\n",
        "note: column `weight`: numbers have the unit `kg`\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = &shell.json("look fruit.csv --target colour --json")[0];
    assert_eq!(json["rows"], 120);
    assert_eq!(json["columns"][1]["kind"], "3 classes");
    assert_eq!(json["columns"][4]["notation"]["unit"], "kg");
    assert_eq!(json["notes"][0]["text"], "line 1 is skipped: the table begins below");
    assert!(std::fs::read_dir(shell.path()).unwrap().count() == 1, "nothing is written");
    shell.write("bad.csv", "a,b\n1.5,x\n2.5,y\ninf,y\n3.5,x\n");
    assert!(shell.out("look bad.csv").contains("would be refused: bad.csv, line 4, column `a`"));
}

#[test]
fn what_was_settled_is_said_and_kept_in_the_model() {
    let shell = Shell::new();
    fruit(&shell);
    let said = "note: column `weight`: numbers have the unit `kg`";
    assert!(shell.out("train fruit.csv --hidden 8 --epochs 2 --out m.safetensors").contains(said));
    assert!(String::from_utf8(shell.read("m.html")).unwrap().contains("numbers have the unit"));
    assert!(shell.out("show m.safetensors").contains("numbers have the unit"));
    let done = shell.json("train fruit.csv --hidden 8 --epochs 2 --json --report none --out m.safetensors");
    assert_eq!(last_of(&done)["notes"][1]["column"], "weight");
}

#[test]
fn values_that_were_not_learned_are_named_or_refused() {
    let shell = trained();
    shell.write(
        "new.csv",
        "colour,zip,ripe,weight\npurple,2138,yes,12 kg\nred,60601,TRUE,13 kg\npurple,99999,maybe,14\n",
    );
    let ran = shell.run("predict m.safetensors new.csv");
    assert_eq!((ran.status, ran.out.lines().count()), (0, 4));
    assert_eq!(
        ran.err.lines().collect::<Vec<_>>(),
        [
            "warning: column `colour`: 2 rows with a value that was not in the training data: `purple`",
            "warning: column `ripe`: 1 row with a value that was not in the training data: `maybe`",
            "warning: column `zip`: 1 row with a value that was not in the training data: `99999`",
            "warning: column `zip`: 1 row with a code whose leading zeros were lost, read with them: `2138` as `02138`",
        ]
    );
    let summary = &shell.json("predict m.safetensors new.csv --out p.csv --json")[0];
    assert_eq!(summary["unseen"][0]["value"], "purple");
    assert_eq!((&summary["rows"], &summary["unseen"][0]["rows"]), (&3.into(), &2.into()));
    let refusal = shell.refusal("predict m.safetensors new.csv --out q.csv --strict");
    assert!(
        refusal.contains("column `colour`: expected a value of the training data, got `purple` in 2 rows"),
        "{refusal}"
    );
    assert!(!shell.path().join("q.csv").exists());
    shell.write("old.csv", "colour,zip,ripe,weight,price\npurple,60601,True,12 kg,24\n");
    let evaluated = &shell.json("evaluate m.safetensors old.csv --json")[0];
    assert_eq!((&evaluated["unseen"][0]["value"], &evaluated["r2"]), (&"purple".into(), &serde_json::Value::Null));
    assert!(shell.out("evaluate m.safetensors old.csv").contains("R² has no value"), "one row");
}

#[test]
fn rows_that_cannot_be_read_end_a_prediction_or_are_counted() {
    let shell = trained();
    let good = "red,60601,True,12 kg\n";
    shell.write("bad.csv", &format!("colour,zip,ripe,weight\n{good}red,60601,True,12 lb\nred,60601\n{good}"));
    let refusal = shell.refusal("predict m.safetensors bad.csv --out p.csv");
    assert!(refusal.contains("bad.csv, line 4: expected 4 cells, as in the header, got 2"), "{refusal}");
    let lines = |on_error: &str| {
        let ran = shell.run(&format!("predict m.safetensors bad.csv --on-error {on_error}"));
        assert_eq!(ran.status, 0, "{}", ran.err);
        (ran.out.lines().map(String::from).collect::<Vec<_>>(), ran.err)
    };
    let (skipped, said) = lines("skip");
    assert_eq!((&*skipped[2], &*skipped[3], &skipped[1]), ("\"\"", "\"\"", &skipped[4]));
    assert_eq!(
        said,
        "warning: 2 rows of 4 without a prediction; the first: bad.csv, line 3, column `weight`: expected a finite number, \
         got `12 lb`\n"
    );
    let (filled, said) = lines("missing");
    assert!(filled[2].parse::<f64>().is_ok() && filled[3] == "\"\"", "{filled:?}");
    assert!(said.starts_with("warning: 1 row of 4 without a prediction"), "{said}");
    shell.write("unused.csv", "z,colour,zip,ripe,weight,z\n1,red,60601,True,12 kg,2\n");
    assert_eq!(shell.out("predict m.safetensors unused.csv").lines().count(), 2, "a doubled name that nobody reads");
}

#[test]
fn a_column_that_gives_the_whole_score_and_few_rows_are_warned_of() {
    let shell = Shell::new();
    let rows: String = (0..90).map(|i| format!("{}.5,{}.25,{}\n", i * 31 % 17, i * 7 % 30, i * 7 % 30 * 3)).collect();
    shell.write("copy.csv", &format!("noise,copy,y\n{rows}"));
    let text = shell.out("train copy.csv --hidden 16 --epochs 60 --test 0.2 --report none");
    assert!(text.contains("warning: R² is measured on 18 rows only"), "{text}");
    assert!(text.contains("warning: column `copy` alone predicts about as well as all columns together"), "{text}");
    assert!(!text.contains("column `noise` alone"), "{text}");
}

/// A pattern in quotes, or where no shell expands it.
#[test]
fn the_files_of_a_pattern_are_one_table_whose_model_has_the_name_of_their_folder() {
    let shell = Shell::new();
    std::fs::create_dir(shell.path().join("parts")).unwrap();
    let rows = |from: usize| (from..from + 30).map(|i| format!("{i}.5,{}\n", i * 2)).collect::<String>();
    for (name, from) in [("a", 0), ("b", 30)] {
        shell.write(&format!("parts/{name}.csv"), &format!("x,y\n{}", rows(from)));
    }
    let out = shell.out("train parts/*.csv --hidden 3 --epochs 2");
    assert!(out.contains("parts/*.csv: 60 rows") && out.contains("parts.safetensors"), "{out}");
    let whole = format!("x,y\n{}", rows(0) + &rows(30));
    shell.write("whole.csv", &whole);
    shell.out("train whole.csv --hidden 3 --epochs 2 --out whole.safetensors");
    let parameters = |name: &str| {
        let bytes = shell.read(name);
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        tensors.tensor("layers.0.weight").unwrap().data().to_vec()
    };
    assert_eq!(parameters("parts.safetensors"), parameters("whole.safetensors"));
    assert!(shell.refusal("train parts/*.csv --out parts/b.csv").contains("refusing to overwrite the input file"));
    let error = shell.refusal("train parts/*.tsv");
    assert!(error.starts_with("error: cannot read parts/*.tsv"), "{error}");
}
