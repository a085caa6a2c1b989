//! Tables become inputs and targets.

use ndarray::array;
use surefoot::{Activation, Loss, Model, Network, Parameters, Threads};
use surefoot_table::{Encoding, Excluded, Learned, Reason, Result, Roles, RowEncoder, Table, Target, Unseen, Value};

const TABLE: &str = "id,size,colour,open,same,price\n\
    a,1.5,red,yes,x,10\nb,2.5,green,no,x,20.5\nc,,red,no,x,30\nd,5.5,green,yes,x,40\ne,7.5,red,,x,50\nf,2,green,no,x,60\n\
    g,3,blue,no,x,70\nh,3,,no,x,80\ni,3,red,no,x,90\nj,3,red,no,x,100\n";

fn table(csv: &str) -> Table {
    Table::read("t.csv", csv.as_bytes()).unwrap()
}

fn learn(table: &Table, roles: &Roles<'_>) -> Result<Learned> {
    let target = Target::find(table, None, &[], None)?;
    Encoding::learn(table, &target.rows, &target, roles)
}

fn learned(csv: &str) -> Encoding {
    learn(&table(csv), &Roles::default()).unwrap().encoding
}

/// More rows than one thread encodes at a time.
fn many_rows(slips: &[(usize, &str)]) -> Table {
    let row = |i: usize| {
        let x = match slips.iter().find(|(row, _)| *row == i) {
            Some((_, slip)) => slip.to_string(),
            None => format!("{}.5", i * 37 % 1009),
        };
        format!("{x},{},{},{}.25,{}\n", ["red", "green", "NA"][i % 3], i % 7, i * i % 4999, i % 11)
    };
    table(&("x,colour,few,z,y\n".to_string() + &(0..40_000).map(row).collect::<String>()))
}

#[test]
fn any_number_of_threads_learns_and_encodes_the_same() {
    let on = |threads: usize, table: &Table| {
        let work = || {
            let Learned { encoding, scaling, excluded, notes } = learn(table, &Roles::default()).unwrap();
            let inputs = encoding.inputs_as::<f32>(table, &table.all_rows(), Some(&scaling)).unwrap();
            let targets = encoding.targets(table, &table.all_rows(), 1).unwrap();
            let told = format!("{encoding:?} {scaling:?} {excluded:?} {notes:?}");
            (told, inputs.mapv(f32::to_bits), targets)
        };
        Threads::new(threads).run(work).unwrap()
    };
    let plain = many_rows(&[]);
    let alone = on(1, &plain);
    assert_eq!(alone.1.dim(), (40_000, 5));
    for threads in [2, 3, 8] {
        assert!(on(threads, &plain) == alone, "{threads} threads");
    }
    // the first wrong row is told, whichever thread finds another one earlier
    let wrong = many_rows(&[(39_000, "oops"), (17_000, "worse"), (20_000, "worst")]);
    let encoding = learn(&plain, &Roles::default()).unwrap().encoding;
    for threads in [1, 2, 8] {
        let inputs = Threads::new(threads).run(|| encoding.inputs(&wrong, &wrong.all_rows())).unwrap();
        let error = inputs.unwrap_err().to_string();
        assert!(error.contains("line 17002, column `x`"), "{threads} threads: {error}");
    }
}

#[test]
fn a_table_becomes_numbers() {
    let table = table(TABLE);
    let Learned { encoding, scaling, excluded, .. } = learn(&table, &Roles::default()).unwrap();
    let names = [
        "size",
        "size=(missing)",
        "colour=green",
        "colour=red",
        "colour=(other)",
        "colour=(missing)",
        "open=yes",
        "open=(missing)",
    ];
    assert_eq!(encoding.input_names(), names);
    assert_eq!(encoding.input_groups(), [vec![0, 1], vec![2, 3, 4, 5], vec![6, 7]]);
    assert_eq!(excluded, [("id".to_string(), Excluded::Identifier), ("same".to_string(), Excluded::Constant)]);
    let inputs = encoding.inputs(&table, &[0, 2, 4, 6, 7]).unwrap();
    assert_eq!(
        inputs,
        array![
            [1.5, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0],
            [3.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
            [7.5, 0.0, 0.0, 1.0, 0.0, 0.0, 0.5, 1.0],
            [3.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
            [3.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        ]
    );
    assert_eq!((scaling.centre[0], scaling.centre[6], scaling.scale[6]), (3.0, 0.5, 0.5));
    assert_eq!((scaling.centre[1], scaling.scale[1], scaling.scale[3]), (0.0, 1.0, 1.0));
    assert_eq!(encoding.targets(&table, &[1], 1).unwrap(), array![[20.5]]);
}

#[test]
fn unseen_and_missing_cells_have_a_place_in_a_model() {
    let training = table(TABLE);
    let Learned { encoding, .. } = learn(&training, &Roles::default()).unwrap();
    let network = Network::new(8, &[(1, Activation::Identity)]).unwrap();
    let parameters = Parameters::F64(vec![0.0; network.parameter_count()]);
    let mut model = Model::new(network, parameters, Loss::SquaredError, 0.0).unwrap();
    model.encoding = encoding.to_json();
    let other = table("open,colour,extra,size\nmaybe,violet,1,?\nno,red,2,9\n");
    let found = Encoding::of_model(&model, &other).unwrap();
    assert_eq!(found.columns, encoding.columns);
    assert_eq!(
        found.inputs(&other, &[0, 1]).unwrap(),
        array![[3.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.5, 0.0], [9.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]
    );
    let error = found.inputs(&table("size,x\n1,2\n"), &[0]).unwrap_err();
    assert_eq!(error.to_string(), "t.csv: expected the columns `colour`, `open`, got `size`, `x`");
    assert_eq!(error.reason(), Reason::UnknownColumn);
    model.encoding = serde_json::json!([{"name": "x", "kind": {"number": {}}}]);
    assert!(Encoding::of_model(&model, &other).unwrap_err().to_string().ends_with("1 inputs for a network with 8"));
    model.encoding = serde_json::json!("x");
    assert!(Encoding::of_model(&model, &other).is_err());
}

#[test]
fn what_the_user_says_of_a_column_holds() {
    let table = table(TABLE);
    let roles = Roles { categorical: vec!["size"], ignored: vec!["colour"], group: Some("open"), ..Roles::default() };
    let Learned { encoding, excluded, .. } = learn(&table, &roles).unwrap();
    let sizes = ["size=1.5", "size=2", "size=2.5", "size=3", "size=5.5", "size=7.5", "size=(missing)"];
    assert_eq!(encoding.input_names(), sizes, "rare ones, too");
    assert!(
        excluded.contains(&("colour".into(), Excluded::Ignored))
            && excluded.contains(&("open".into(), Excluded::Group))
    );
    let error = learn(&table, &Roles { numeric: vec!["colour"], ..Roles::default() }).unwrap_err().to_string();
    assert!(
        error.contains("line 2, column `colour`: expected a finite number, as the column is declared numeric"),
        "{error}"
    );
    let error = learn(&table, &Roles { ignored: vec!["color"], ..Roles::default() }).unwrap_err().to_string();
    assert!(error.contains("a column `color`"), "{error}");
}

#[test]
fn only_the_given_rows_are_learned_from() {
    let table = table(TABLE);
    let target = Target::find(&table, None, &[], None).unwrap();
    let rows = [0, 1, 3, 4, 5, 8, 9];
    let Learned { encoding, .. } = Encoding::learn(&table, &rows, &target, &Roles::default()).unwrap();
    assert!(!encoding.input_names().contains(&"size=(missing)".to_string()), "its missing cell is in another row");
    let unseen = encoding.inputs(&table, &[6, 7]).unwrap();
    assert_eq!(encoding.input_names()[1], "colour=red");
    assert_eq!((unseen[[0, 1]], unseen[[1, 1]]), (0.5, 0.5), "blue was not seen, and neither was nothing");
}

#[test]
fn a_table_without_inputs_is_refused() {
    let message = |csv: &str| {
        let error = learn(&table(csv), &Roles::default()).unwrap_err();
        assert_eq!(error.reason(), Reason::NoInput);
        error.to_string()
    };
    assert_eq!(message("y\n1\n2\n"), "t.csv: expected an input column besides the target, got 1 column");
    assert_eq!(
        message("x,y\n1,a\n1,b\n"),
        "t.csv: expected an input column besides the target, got `x`, which is constant"
    );
}

#[test]
fn classes_become_columns_of_zero_and_one() {
    let three = table("x,kind\n1.5,b\n2,a\n3,c\n");
    let encoding = learned("x,kind\n1.5,b\n2,a\n3,c\n");
    let targets = encoding.targets(&three, &[0, 1, 2], 3).unwrap();
    assert_eq!(targets, array![[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
    let two = table("x,y\n1,yes\n2,no\n");
    let encoding = learned("x,y\n1,yes\n2,no\n");
    assert_eq!(encoding.targets(&two, &[0, 1], 1).unwrap(), array![[1.0], [0.0]]);
    assert_eq!(encoding.targets(&two, &[0, 1], 2).unwrap(), array![[0.0, 1.0], [1.0, 0.0]]);
    let error = encoding.targets(&table("x,y\n1,yes\n2,q\n"), &[0, 1], 1).unwrap_err().to_string();
    assert_eq!(error, "t.csv, line 3, column `y`: expected one of the classes no, yes, got `q`");
}

#[test]
fn missing_targets_are_passed_over_in_data_to_measure_on() {
    let encoding = learned("x,y\n1,yes\n2,no\n");
    assert_eq!(encoding.rows_with_targets(&table("y,x\n,1\nno,2\n")).unwrap(), [1]);
    assert!(encoding.rows_with_targets(&table("y,x\n,1\n,2\n")).is_err());
}

#[test]
fn a_row_of_values_becomes_what_it_becomes_in_a_table() {
    let encoding = learned(TABLE);
    let csv = format!("{TABLE}k,4.25,violet,TRUE,x,1\nl,?,,maybe,x,2\n");
    let table = table(&csv);
    let rows = table.all_rows();
    let inputs = encoding.inputs(&table, &rows).unwrap();
    let encoder = RowEncoder::new(&encoding);
    let mut unseen: Vec<Unseen> = Vec::new();
    for &row in &rows {
        let cells = encoding.columns.iter().map(|column| table.cell(row, table.column(&column.name).unwrap()));
        let cells: Vec<_> = cells.collect();
        let as_texts: Vec<Value<'_>> = cells.iter().map(|cell| Value::Text(cell)).collect();
        let as_json = |cell: &str| cell.parse().ok().map(Value::Number);
        let as_values: Vec<Value<'_>> = cells
            .iter()
            .map(|cell| if cell.is_empty() { Value::Missing } else { as_json(cell).unwrap_or(Value::Text(cell)) })
            .collect();
        for values in [as_texts, as_values] {
            let mut one = vec![0.0; encoder.width()];
            unseen = [unseen, encoder.encode(&values, &mut one).unwrap()].concat();
            assert_eq!(one, inputs.row(row).to_vec(), "{values:?}");
        }
    }
    unseen.dedup();
    assert_eq!(unseen, encoding.unseen(&table, &rows).unwrap());
    assert_eq!(encoder.encode(&[Value::Text("tall"), Value::Missing, Value::Missing], &mut [0.0; 8]), Err(0));
    assert_eq!(encoder.encode(&[Value::Number(f64::INFINITY)], &mut [0.0; 8]), Err(0));

    let rows = |code: &str, y: usize| (0..5).map(|i| format!("{code},{}\n", y + i)).collect::<String>();
    let codes = learned(&format!("code,y\n{}{}{}", rows("007", 0), rows("008", 10), rows("012", 30)));
    for (value, read_as) in [
        (Value::Number(7.0), Some("007")),
        (Value::Text("7.0"), Some("007")),
        (Value::Text("012.0"), Some("012")),
        (Value::Text("0007"), None),
        (Value::Text("7.5"), None),
    ] {
        let mut one = vec![0.0; codes.columns[0].kind.width()];
        let lost = RowEncoder::new(&codes).encode(&[value], &mut one).unwrap();
        assert_eq!((lost.len(), lost[0].read_as.as_deref()), (1, read_as), "{value:?}");
    }
}
