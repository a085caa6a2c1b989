//! Tables as people have them, from the file to the prediction.

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{Shell, last_of};

const HOUSES: &str = include_str!("../../../docs/houses.csv");
/// Enough to see what comes of the reading.
const QUICK: &str = "--target price --hidden 8 --epochs 15 --quiet --report none --out m.safetensors";

fn shell() -> Shell {
    let shell = Shell::new();
    shell.write("houses.csv", HOUSES);
    shell
}

/// With another delimiter, and a comma for the decimal point where that is a semicolon.
fn delimited(delimiter: &str) -> String {
    let cell = |cell: &str| if delimiter == ";" { cell.replace('.', ",") } else { cell.to_string() };
    let line = |line: &str| line.split(',').map(cell).collect::<Vec<_>>().join(delimiter);
    HOUSES.lines().map(line).collect::<Vec<_>>().join("\r\n")
}

/// What a command gives with this on its standard input.
fn piped(shell: &Shell, arguments: &str, input: &[u8]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_surefoot"))
        .args(arguments.split(' '))
        .current_dir(shell.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "surefoot {arguments}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_table_in_several_files_is_learned_and_predicted_like_one() {
    let shell = shell();
    shell.out(&format!("train houses.csv {QUICK}"));
    let parameters = || surefoot::Model::load(shell.path().join("m.safetensors")).unwrap().parameters;
    let (expected, predicted) = (parameters(), shell.out("predict m.safetensors houses.csv"));
    let lines: Vec<&str> = HOUSES.lines().collect();
    std::fs::create_dir(shell.path().join("parts")).unwrap();
    for (name, rows) in [("parts/a.csv", &lines[1..50]), ("parts/b.csv", &lines[50..51]), ("parts/c.csv", &lines[51..])]
    {
        shell.write(name, &format!("{}\n{}\n", lines[0], rows.join("\n")));
    }
    for data in ["parts", "parts/a.csv parts/b.csv parts/c.csv"] {
        shell.out(&format!("train {data} {QUICK}"));
        assert!(parameters() == expected, "{data}");
    }
    assert_eq!(shell.out("predict m.safetensors parts"), predicted);
    assert!(shell.out("look parts").contains("note: 3 files are read as one table, one below the other\n"));
    let refused = shell.run("train parts --target price --out parts/b.csv");
    assert!(
        refused.status == 2 && refused.err.contains("refusing to overwrite the input file parts/b.csv"),
        "{}",
        refused.err
    );
}

#[test]
fn the_same_table_in_any_format_is_learned_to_the_same_bits() {
    let shell = shell();
    shell.out(&format!("train houses.csv {QUICK}"));
    let tensors = |bytes: &[u8]| {
        let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let mut all: Vec<(String, Vec<u8>)> =
            file.iter().map(|(name, tensor)| (name.to_string(), tensor.data().to_vec())).collect();
        all.sort();
        all
    };
    let expected = tensors(&shell.read("m.safetensors"));
    shell.write("tabs.tsv", &delimited("\t"));
    shell.write("german.csv", &delimited(";"));
    shell.write("bars.txt", &format!("\u{feff}{}", delimited("|")));
    shell.write("excel.csv", &format!("sep=;\r\n{}", delimited(";")));
    let quoted = |line: &str| line.split(',').map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(", ");
    shell.write("quoted.csv", &HOUSES.lines().map(quoted).collect::<Vec<_>>().join("\n"));
    for data in ["tabs.tsv", "german.csv", "bars.txt", "excel.csv", "quoted.csv"] {
        shell.out(&format!("train {data} {QUICK}"));
        assert!(tensors(&shell.read("m.safetensors")) == expected, "{data}");
    }
    piped(&shell, &format!("train - {QUICK}"), HOUSES.as_bytes());
    assert!(tensors(&shell.read("m.safetensors")) == expected, "standard input");
    // without a header the columns are named by their place
    let headless = HOUSES.split_once('\n').unwrap().1;
    shell.write("headless.csv", headless);
    shell.out(&format!("train headless.csv --header no {}", QUICK.replace("price", "column_8")));
    assert!(tensors(&shell.read("m.safetensors")) == expected, "no header");
}

#[test]
fn kinds_are_found_and_can_be_said() {
    let shell = shell();
    let heading = |options: &str| {
        shell.out(format!("train houses.csv --target price --epochs 1 --report none --no-check {options}").trim())
    };
    let text = heading("");
    assert!(text.contains("from 6 columns (3 number, 1 yes/no, 2 category), numbers in column `price`"), "{text}");
    assert!(text.contains("excluded: id (identifier: a different value in every row)"), "{text}");
    let text = heading("--categorical rooms --ignore year,garden");
    assert!(text.contains("(1 number, 3 category)") && text.contains("excluded: year, garden (ignored)"), "{text}");
    let message = shell.refusal("train houses.csv --target price --numeric district");
    assert!(
        message.contains(
            "houses.csv, line 2, column `district`: expected a finite number, as the column is declared numeric"
        ),
        "{message}"
    );
    let message = shell.refusal("train houses.csv --target price --numeric rooms --ignore rooms");
    assert!(message.contains("column `rooms` is named by both --numeric and --ignore"), "{message}");
}

#[test]
fn predictions_take_columns_by_name_and_give_a_row_for_a_row() {
    let shell = shell();
    shell.out(&format!("train houses.csv {QUICK}"));
    let all = shell.out("predict m.safetensors houses.csv");
    assert_eq!(all.lines().count(), 201);
    // in another order, with a column more, without the target and the identifier
    let reordered: String = HOUSES
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            format!("{},{},x,{},{},{},{}\n", cells[6], cells[5], cells[4], cells[3], cells[2], cells[1])
        })
        .collect();
    assert_eq!(shell.out("predict m.safetensors houses.csv"), all);
    shell.write("other.csv", &reordered);
    assert_eq!(shell.out("predict m.safetensors other.csv"), all);
    assert_eq!(piped(&shell, "predict m.safetensors -", reordered.as_bytes()), all);
    // unseen categories and missing cells
    shell.write("new.csv", "district,size,rooms,year,garden,heating\nmoon,90,3,1990,yes,gas\n,?,NA,,,\n");
    let new = shell.out("predict m.safetensors new.csv");
    assert!(new.lines().skip(1).all(|line| line.parse::<f64>().unwrap().is_finite()) && new.lines().count() == 3);
    shell.write("few.csv", "size,rooms\n90,3\n");
    let message = shell.refusal("predict m.safetensors few.csv");
    assert!(message.contains("expected the columns `district`, `year`, `garden`, `heating`"), "{message}");
    // names that are numbers are still names
    let numbered = "0,1,2,y\n".to_string()
        + &(0..60).map(|i| format!("{},{},{},{}\n", i * i % 7, i % 5, i, ["u", "v"][i % 2])).collect::<String>();
    shell.write("numbered.csv", &numbered);
    shell.out("train numbered.csv --header yes --epochs 1 --quiet --report none --out n.safetensors");
    shell.write("inputs.csv", "2,1,0\n1,2,3\n4,5,6\n");
    assert_eq!(shell.out("predict n.safetensors inputs.csv").lines().count(), 3);
}

#[test]
fn a_long_table_is_predicted_piece_by_piece() {
    let shell = shell();
    shell.out(&format!("train houses.csv {QUICK}"));
    let (head, rows) = HOUSES.split_once('\n').unwrap();
    shell.write("long.csv", &format!("{head}\n{}", rows.repeat(100)));
    let long = shell.out("predict m.safetensors long.csv");
    let short = shell.out("predict m.safetensors houses.csv");
    let (header, short) = short.split_once('\n').unwrap();
    assert!(long == format!("{header}\n{}", short.repeat(100)), "pieces do not change a prediction");
}

#[test]
fn parts_have_their_share_of_each_class_and_groups_stay_together() {
    let shell = Shell::new();
    // 10 of 100 rows are rare
    let row =
        |i: u32| format!("{}.5,{},{}\n", (i * 37) % 101, i / 4, if i.is_multiple_of(10) { "rare" } else { "common" });
    shell.write("t.csv", &format!("x,group,y\n{}", (0..100).map(row).collect::<String>()));
    let text = shell.out("train t.csv --validation 0.2 --test 0.3 --epochs 2 --report none");
    assert!(text.contains("rows                56          14          30"), "{text}");
    let events = shell.json("train t.csv --folds 5 --epochs 2 --json --report none");
    let folds = last_of(&events)["folds"].clone();
    let scores: Vec<f64> = folds["scores"].as_array().unwrap().iter().map(|score| score.as_f64().unwrap()).collect();
    let mean = scores.iter().sum::<f64>() / 5.0;
    let spread = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    assert!(
        (folds["mean"].as_f64().unwrap() - mean).abs() < 1e-12
            && (folds["spread"].as_f64().unwrap() - spread).abs() < 1e-12
    );
    assert!(events.iter().filter(|event| event["event"] == "fold").all(|fold| fold["rows"] == 20));
    let text = shell.out("train t.csv --group group --validation 0.2 --epochs 2 --report none");
    assert!(text.contains("excluded: group (group)") && text.contains("          80          20"), "{text}");
    let message = shell.refusal("train t.csv --target x --task regression --folds 60");
    assert!(
        message.contains("--folds 60 leaves 1 row for a fold") && message.contains("hint: use fewer folds"),
        "{message}"
    );
}

#[test]
fn weights_count_rows_and_balance_counts_classes() {
    let shell = Shell::new();
    let rows: Vec<(u32, &str)> = (0..60).map(|i| ((i * 37) % 61, if i % 6 == 0 { "rare" } else { "common" })).collect();
    let weighted: String =
        rows.iter().map(|(x, y)| format!("{x}.5,{y},{}\n", if *y == "rare" { 3 } else { 1 })).collect();
    let repeated: String =
        rows.iter().map(|(x, y)| format!("{x}.5,{y}\n").repeat(if *y == "rare" { 3 } else { 1 })).collect();
    shell.write("weighted.csv", &format!("x,y,w\n{weighted}"));
    shell.write("repeated.csv", &format!("x,y\n{repeated}"));
    shell.write("plain.csv", &format!("x,y\n{}", rows.iter().map(|(x, y)| format!("{x}.5,{y}\n")).collect::<String>()));
    let settings = "--hidden 3 --optimizer gradient-descent --validation 0 --patience 0 --epochs 50 --json --precision f64 --report none";
    let cost = |command: &str| last_of(&shell.json(&format!("train {command} {settings}")))["cost"].as_f64().unwrap();
    // robust scaling sees the repeated rows, so the cost is compared without training
    let start = "--learning-rate 1e-12 --numeric x";
    let weighted = cost(&format!("weighted.csv --weight w {start}"));
    let repeated = cost(&format!("repeated.csv {start}"));
    assert!((weighted - repeated).abs() < 0.05 && (weighted - cost(&format!("plain.csv {start}"))).abs() > 1e-6);
    let recall = |options: &str| {
        shell.out(format!("train plain.csv --hidden 3 --validation 0 --epochs 20 --quiet --report none --out m.safetensors {options}").trim());
        let found = &shell.json("evaluate m.safetensors plain.csv --json")[0];
        found["recall"][1].as_f64().unwrap()
    };
    assert!(recall("--class-weight balanced") > recall(""), "the rare class is found more often");
    shell.write("bad.csv", "x,y,w\n1,u,1\n2,v,-1\n3,u,1\n");
    let message = shell.refusal("train bad.csv --weight w");
    assert!(
        message.contains("bad.csv, line 3, column `w`: expected a weight") && message.contains("hint:"),
        "{message}"
    );
}

#[test]
fn what_is_no_table_to_learn_from_is_refused_with_place_and_hint() {
    let shell = Shell::new();
    let many =
        |last: &str| format!("x,y\n{}{last}", (0..40).map(|i| format!("{i}.5,{}.25\n", i * 3)).collect::<String>());
    for (name, text, message) in [
        ("no rows", "a,b\n".to_string(), "t.csv, line 2: expected a row below the header, got the end of the file"),
        ("one column", "a\n1\n2\n".into(), "t.csv: expected an input column besides the target, got 1 column"),
        ("a name twice", "a,a,b\n1,2,3\n".into(), "t.csv: expected a different name for each column, got `a` twice"),
        ("a short row", "a,b\n1,2\n3\n".into(), "t.csv, line 3: expected 2 cells, as in the header, got 1"),
        (
            "one class",
            "a,b\n1,u\n2,u\n".into(),
            "expected at least two different values in column `b`, got `u` in every row",
        ),
        ("one number", "a,b\n1,0.5\n2,0.5\n".into(), "expected at least two different values in column `b`, got `0.5`"),
        (
            "a slip in the target",
            many("7,n/k\n"),
            "t.csv, line 42, column `y`: expected a finite number, like nearly all",
        ),
        (
            "a slip in an input",
            many("7o,1.5\n"),
            "t.csv, line 42, column `x`: expected a finite number, like nearly all",
        ),
        (
            "no target anywhere",
            "a,b\n1,\n2,\n".into(),
            "expected a target in some row in column `b`, got only missing cells",
        ),
        (
            "an open quote",
            "a,b\n1,\"u\n2,v\n".into(),
            "t.csv, line 2: expected a closing quote, got the end of the file",
        ),
        ("a spreadsheet", "PK\u{3}\u{4}".into(), "t.csv: expected an archive"),
    ] {
        shell.write("t.csv", &text);
        let refusal = shell.refusal("train t.csv");
        assert!(refusal.contains(message) && refusal.contains("\nhint: "), "{name}: {refusal}");
    }
}
