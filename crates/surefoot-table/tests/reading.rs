//! Tables as people have them: each kind of trouble, and what is made of it.

use surefoot_table::{
    Decimal, Encoding, Excluded, Kind, Look, Part, Reading, Roles, RowEncoder, Source, Table, Target, Use, Value,
};

/// What was found of a column, in a few words.
fn used_as(use_as: &Use) -> String {
    match use_as {
        Use::Input(kind) => kind.name().into(),
        Use::Target(targets) => format!("target {targets:?}"),
        Use::Excluded(why) => why.reason().into(),
        Use::Refused(error) => format!("refused: {error}"),
        other => format!("{other:?}"),
    }
}

fn read_as(text: &[u8], reading: &Reading) -> surefoot_table::Result<Table> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    Source { reading, ..Source::new(&path, Part::Training) }.table()
}

fn read(text: &str) -> Table {
    read_as(text.as_bytes(), &Reading::default()).unwrap()
}

/// What is made of each column, and the notes.
fn look(text: &str) -> (Vec<String>, Vec<String>) {
    let look = Look::at(&read(text), None, &Roles::default()).unwrap();
    let columns = look.columns.iter().map(|column| format!("{}: {}", column.name, used_as(&column.use_as)));
    (columns.collect(), look.notes.iter().map(ToString::to_string).collect())
}

/// A table of 40 rows: a column `x` with these cells, a column of numbers and a target of numbers.
fn of_column(name: &str, delimiter: char, cell: impl Fn(usize) -> String) -> String {
    let d = delimiter;
    let rows = (0..40).map(|i| format!("{}{d}{}.5{d}{}\n", cell(i), (i * 7) % 11, i % 23));
    format!("{name}{d}other{d}y\n{}", rows.collect::<String>())
}

/// What is made of that column, its first five numbers, and the notes about it.
fn column(name: &str, delimiter: char, cell: impl Fn(usize) -> String) -> (String, Vec<Option<f64>>, Vec<String>) {
    let text = of_column(name, delimiter, cell);
    let table = read(&text);
    let (columns, notes) = look(&text);
    let used = columns[0].strip_prefix(&table.columns()[0]).unwrap()[2..].to_string();
    (used, (0..5).map(|row| table.number(row, 0)).collect(), notes)
}

#[test]
fn numbers_as_people_write_them_are_numbers() {
    let values = [1067.0, 574.0, 11_647.0, 3155.0, 159.0];
    let grouped = |i: usize, separator: &str| {
        let number = [1067, 574, 11_647, 3155, 159, 2_360_111][i % 6] + 10 * (i / 6);
        let digits = number.to_string();
        let mut text = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text += separator;
            }
            text.push(digit);
        }
        text
    };
    for separator in [" ", "\u{a0}", "\u{2009}", "\u{202f}", "'", "’", "_", ",", "."] {
        let (used, numbers, _) = column("x", '\t', |i| grouped(i, separator));
        assert_eq!((used.as_str(), numbers), ("number", values.map(Some).to_vec()), "`{separator}`");
    }
    for (what, f) in [
        ("unit", &(|n| format!("{n} kg")) as &dyn Fn(String) -> String),
        ("currency in front", &|n| format!("US$ {n}")),
        ("currency behind", &|n| format!("{n} €")),
        ("percent", &|n| format!("{n}%")),
        ("footnotes", &|n| if n.len() == 3 { format!("{n}*") } else { n }),
        ("about", &|n| if n.len() == 3 { format!("~{n}") } else { n }),
    ] {
        let (used, numbers, _) = column("x", '\t', |i| f(grouped(i, "")));
        assert_eq!((used.as_str(), numbers), ("number", values.map(Some).to_vec()), "{what}");
    }
    let (_, _, notes) = column("x", '\t', |i| if i < 5 { format!("{i}.5†") } else { format!("{i}.5") });
    assert_eq!(notes, ["column `x`: 5 numbers are read without the mark beside it"]);
    let (_, numbers, notes) = column("x", '\t', |i| if i % 2 == 0 { format!("({i}.50)") } else { format!("{i}.50") });
    assert_eq!(
        numbers[..3],
        [Some(-0.0), Some(1.5), Some(-2.5)].map(|n| n.map(|n: f64| if n == 0.0 { -0.5 } else { n }))
    );
    assert_eq!(notes, ["column `x`: `(0.50)` is read as -0.5"]);
    let (used, ..) = column("x", '\t', |i| match i % 3 {
        0 => format!("({i}.50)"),
        1 => format!("-{i}.50"),
        _ => format!("{i}.50"),
    });
    assert!(used.starts_with("refused: ") && used.contains("`(0.50)` may mean -0.5 or 0.5"), "{used}");
}

#[test]
fn the_decimal_sign_follows_from_the_cells_of_the_column() {
    let numbers = |delimiter, cells: &[&str]| column("x", delimiter, |i| cells[i % cells.len()].into()).1[..2].to_vec();
    assert_eq!(numbers(';', &["0,900", "1,250"]), [Some(0.9), Some(1.25)]);
    assert_eq!(numbers(';', &["1.250", "1.234.567"]), [Some(1250.0), Some(1_234_567.0)]);
    assert_eq!(numbers('\t', &["-4,748", "0,575"]), [Some(-4.748), Some(0.575)]);
    assert_eq!(numbers('\t', &["-4,748", "1,575"]), [Some(-4748.0), Some(1575.0)], "the other column has points");
    let flip = "size;tags;price\n".to_string()
        + &(0..40)
            .map(|i| format!("0.{}00;{};{}.00\n", i % 9 + 1, if i == 20 { "1,2" } else { "3" }, i))
            .collect::<String>();
    let table = read(&flip);
    assert_eq!((table.number(0, 0), table.number(20, 1)), (Some(0.1), Some(1.2)), "each column by its own cells");
}

#[test]
fn what_no_cell_proves_is_read_as_others_are_or_refused() {
    let thousands =
        |i: usize| if i.is_multiple_of(2) { format!("{},0{}7", i + 1, i % 10) } else { (i * 3).to_string() };
    let (_, numbers, notes) = column("x", ';', thousands);
    assert_eq!(numbers[0], Some(1007.0));
    assert!(notes.contains(&"column `x`: `1,007` is read as 1007, by this column".into()), "{notes:?}");
    let only = |i: usize| format!("{},{}25", i + 1, i % 9 + 1);
    let alone = |i: usize| format!("{};{}\n", only(i), i % 23);
    let text = format!("x;y\n{}", (0..40).map(alone).collect::<String>());
    let (columns, _) = look(&text);
    let refusal = "x: refused: ";
    assert!(columns[0].starts_with(refusal) && columns[0].contains("`1,125` may mean 1125 or 1.125"), "{columns:?}");
    for (decimal, number) in [(Decimal::Point, 1125.0), (Decimal::Comma, 1.125)] {
        let reading = Reading { decimal: Some(decimal), ..Reading::default() };
        assert_eq!(read_as(text.as_bytes(), &reading).unwrap().number(0, 0), Some(number));
    }
    assert_eq!(column("x", ',', |i| format!("{}.{}25", i + 1, i % 9 + 1)).1[0], Some(1.125), "the usual sign");
    let with_zeros = |i: usize| if i.is_multiple_of(2) { format!("0;{}\n", i % 23) } else { alone(i) };
    let (columns, _) = look(&format!("x;y\n{}", (0..40).map(with_zeros).collect::<String>()));
    assert!(columns[0].starts_with(refusal), "a zero has no thousands to separate: {columns:?}");
    let beside = |i: usize| format!("{}.{}25\t0,{}\t{}\n", i + 1, i % 9 + 1, i + 11, i % 23);
    let text = format!("x\tz\ty\n{}", (0..40).map(beside).collect::<String>());
    let (_, notes) = look(&text);
    assert_eq!(read(&text).number(0, 0), Some(1125.0));
    assert!(notes.contains(&"column `x`: `1.125` is read as 1125, by the other columns".into()), "{notes:?}");
}

#[test]
fn percentages_beside_fractions_have_one_unit() {
    let mixed = |fraction: &'static str| {
        move |i: usize| if i.is_multiple_of(2) { format!("{}%", i + 5) } else { format!("{fraction}{}", i + 10) }
    };
    assert_eq!(column("x", ',', mixed("0.")).1[..2], [Some(0.05), Some(0.11)]);
    assert_eq!(column("x", ',', mixed("1")).1[..2], [Some(5.0), Some(111.0)]);
    let (used, ..) = column("x", ',', |i| ["5%", "1", "0"][i % 3].into());
    assert!(used.contains("may mean 100 % or 1 %"), "{used}");
}

#[test]
fn codes_stay_what_they_are() {
    let (used, ..) = column("x", ',', |i| ["9007199254740992", "9007199254740993", "9007199254740994"][i % 3].into());
    assert_eq!(used, "category");
    assert_eq!(column("x", ',', |i| ["12E1", "12E2", "13E1"][i % 3].into()).0, "category");
    let target = |cell: &dyn Fn(usize) -> String| {
        let text = format!("x,y\n{}", (0..60).map(|i| format!("{}.5,{}\n", i % 7, cell(i))).collect::<String>());
        let table = read(&text);
        Target::find(&table, None, &[], None).unwrap()
    };
    let classes = |target: &Target| match &target.targets {
        surefoot_table::Targets::Classes(names) => names.len(),
        surefoot_table::Targets::Numbers => 0,
    };
    assert_eq!(classes(&target(&|i| format!("{:03}", i % 15))), 15);
    assert_eq!(classes(&target(&|i| ["Yes", "yes", "NO", "no"][i % 4].into())), 2);
    assert_eq!(classes(&target(&|i| (i % 4).to_string())), 4);
    let counts = target(&|i| [0, 1, 2, 3, 5, 9, 12][i % 7].to_string());
    assert_eq!(classes(&counts), 0);
    assert!(counts.notes[0].contains("taken for numbers"), "{:?}", counts.notes);
}

#[test]
fn one_strange_cell_does_not_make_a_column_text() {
    let with = |cell: &'static str| move |i: usize| if i == 10 { cell.into() } else { format!("{i}.5") };
    for (cell, part) in [("inf", "got `inf`"), ("1e999", "got `1e999`"), ("3o.5", "got `3o.5`")] {
        let (used, ..) = column("x", ',', with(cell));
        assert!(used.contains("line 12, column `x`: expected a finite number") && used.ends_with(part), "{used}");
    }
    let few = |i: usize| if i == 10 { "inf".into() } else { (i % 3).to_string() };
    assert!(column("x", ',', few).0.ends_with("got `inf`"), "few different numbers");
    let tickets = |i: usize| if i.is_multiple_of(4) { format!("A/{i}") } else { (i * 37).to_string() };
    let (used, _, notes) = column("x", ',', tickets);
    assert!(used.starts_with("identifier"), "{used}");
    assert_eq!(notes, ["column `x`: 30 of 40 cells are numbers, others are not, such as `A/0`"]);
}

#[test]
fn words_for_missing_cells_are_missing_and_counted() {
    for word in ["None", "-", "#N/A N/A", "<NA>", "n.a.", "(null)", ".", "k. A.", "-nan"] {
        let (used, numbers, notes) = column("x", ',', |i| if i % 4 == 1 { word.into() } else { format!("{i}.5") });
        assert_eq!((used.as_str(), numbers[1]), ("number", None), "{word}");
        assert_eq!(notes, [format!("`{word}` means that a cell is missing (10 cells)")]);
    }
    let text = of_column("x", ',', |i| ["NA", "EU", "-999"][i % 3].into());
    let reading = Reading { missing: Some(vec!["-999".into()]), ..Reading::default() };
    let table = read_as(text.as_bytes(), &reading).unwrap();
    assert_eq!([0, 1, 2].map(|row| table.is_missing(row, 0)), [false, false, true]);
}

#[test]
fn row_numbers_are_excluded_and_measurements_are_not() {
    // three of four rows, in another order
    let gaps = |i: usize| ((i * 17) % 40 * 4 / 3).to_string();
    for name in ["", "Unnamed: 0", "rowid", "index", "no", "anything"] {
        let (used, ..) = column(name, ',', gaps);
        assert_eq!(used, Excluded::RowNumber.reason(), "`{name}`");
    }
    let measured = |i: usize| (1000 + i * i * 3).to_string();
    for name in ["price index", "house price", "x"] {
        assert_eq!(column(name, ',', measured).0, "number", "`{name}`");
    }
    assert_eq!(column("customer id", ',', measured).0, Excluded::Identifier.reason());
    assert_eq!(column("step", ',', |i| (2 * i).to_string()).0, "number", "a fixed step");
    let (columns, notes) = look(
        &("a,b\n".to_string() + &(0..30).map(|i| format!("\"{i}\",{}.5,{}\n", i % 7, i % 11)).collect::<String>()),
    );
    assert_eq!(columns[..2], ["column_1: row number", "a: number"]);
    assert!(notes[0].starts_with("the first column has no name"), "{notes:?}");
}

/// The inputs of new cells of the column `x`.
fn inputs_of_new(learned: &str, new: &[&str]) -> (Vec<Option<f64>>, Vec<String>) {
    let table = read(learned);
    let target = Target::find(&table, None, &[], None).unwrap();
    let encoding = Encoding::learn(&table, &table.all_rows(), &target, &Roles::default()).unwrap().encoding;
    let rows: String = new.iter().map(|cell| format!("\"{cell}\",1.5,0\n")).collect();
    let table = read(&format!("x,other,y\n{rows}"));
    let input = |row: usize| encoding.inputs(&table, &[row]).ok().map(|inputs| inputs[[0, 0]]);
    let unseen = encoding.unseen(&table, &table.all_rows()).unwrap();
    let unseen = unseen.into_iter().map(|value| format!("{} {:?}", value.value, value.read_as));
    ((0..new.len()).map(input).collect(), unseen.collect())
}

#[test]
fn new_files_are_read_as_the_training_file_was() {
    let german = of_column("x", ';', |i| ["1.045", "2.360,3", "7.271"][i % 3].into());
    assert_eq!(inputs_of_new(&german, &["1.250", "3,5"]).0, [Some(1250.0), Some(3.5)]);
    let english = of_column("x", ',', |i| format!("{i}.500"));
    assert_eq!(inputs_of_new(&english, &["1.250", "3,5"]).0, [Some(1.25), None]);
    let kg = of_column("x", ',', |i| format!("{i}.5 kg"));
    assert_eq!(inputs_of_new(&kg, &["5 kg", "6", "7 lb"]).0, [Some(5.0), Some(6.0), None]);
    let percent = of_column("x", ',', |i| format!("{i}.5%"));
    assert_eq!(inputs_of_new(&percent, &["5%", "0.05"]).0, [Some(5.0), None], "half a percent, or half?");
    let truth = of_column("x", ',', |i| ["True", "False"][i % 2].into());
    let (inputs, unseen) = inputs_of_new(&truth, &["TRUE", "yes", "1", "f", "maybe"]);
    assert_eq!(inputs, [1.0, 1.0, 1.0, 0.0, 0.5].map(Some));
    assert_eq!(unseen, ["maybe None"]);
    let zip = of_column("x", ',', |i| ["02138", "60601", "01010"][i % 3].into());
    let (inputs, unseen) = inputs_of_new(&zip, &["2138", "60601", "99999"]);
    assert_eq!(inputs, [0.0, 0.0, 0.0].map(Some));
    assert_eq!(unseen, ["2138 Some(\"02138\")", "99999 None"]);
}

#[test]
fn kinds_of_files_are_read_and_said() {
    let body: String = (0..30).map(|i| format!("{}.5,{}.25,{}\n", i % 7, i % 5, i % 11)).collect();
    let kinds = |text: &str| {
        look(text).0.iter().map(|column| column.split_once(": ").unwrap().1.to_string()).collect::<Vec<_>>()
    };
    for (text, note) in [
        (format!("# created\n# by a tool\na,b,y\n{body}"), "lines 1 to 2 are skipped: the table begins below"),
        (format!("a,b,y\ncm,kg,\n{body}"), "line 2 is skipped: it has the units of the columns"),
        (body.clone(), "no header was found, so the columns are named `column_1` … `column_3`"),
    ] {
        let (columns, notes) = look(&text);
        assert_eq!((columns.len(), notes[0].as_str()), (3, note), "{text}");
        assert_eq!(kinds(&text)[..2], ["number", "number"], "{text}");
    }
    for text in [
        format!("SEP=;\r\na;b;y\r\n{}", body.replace(',', ";")),
        format!("\"sep=;\"\na;b;y\n{}", body.replace(',', ";")),
        format!("a b y\n{}", body.replace(',', "  ")),
        format!("2019,2020,2021\n{body}"),
        format!("'a','b','y'\n{body}"),
    ] {
        let table = read(&text);
        assert_eq!((table.rows(), table.columns().len(), table.number(0, 1)), (30, 3, Some(0.25)), "{text}");
    }
    let latin = of_column("x", ',', |i| ["Köln", "Málaga", "Besançon", "Tromsø", "Århus", "Zürich"][i % 6].into());
    let latin: Vec<u8> = latin.chars().map(|c| c as u8).collect();
    let table = read_as(&latin, &Reading::default()).unwrap();
    assert_eq!(
        (&*table.cell(0, 0), table.notes()[0].to_string().as_str()),
        ("Köln", "the text is read as windows-1252")
    );
    let told = |delimiter| Reading { delimiter: Some(delimiter), ..Reading::default() };
    assert_eq!(read_as(b"a:b,c\n1:2,3\n", &told(':')).unwrap().columns(), ["a", "b,c"]);
    for delimiter in ['x', '"', '→'] {
        let error = read_as(b"a,b\n1,2\n", &told(delimiter)).unwrap_err().to_string();
        assert!(error.ends_with(&format!("got `{delimiter}`")), "{error}");
    }
    let nonsense = Reading { encoding: Some("nonsense".into()), ..Reading::default() };
    assert!(read_as(b"a,b\n1,2\n", &nonsense).unwrap_err().to_string().ends_with("got `nonsense`"));
    let skipped = Reading { skip: Some(2), ..Reading::default() };
    assert_eq!(read_as(b"x\ny,z\na,b\n1,2\n", &skipped).unwrap().columns(), ["a", "b"]);
    let unused = read("x,z,z,y\n1,2,3,4\n");
    assert_eq!(unused.column("x").unwrap(), 0, "columns of one name that nobody asks for");
    assert!(unused.column("z").unwrap_err().to_string().ends_with("got `z` twice"));
}

#[test]
fn kinds_are_kept_in_a_model_and_read_again() {
    let german = of_column("x", ';', |i| ["1.045", "2.360,3", "7.271"][i % 3].into());
    let table = read(&german);
    let target = Target::find(&table, None, &[], None).unwrap();
    let encoding = Encoding::learn(&table, &table.all_rows(), &target, &Roles::default()).unwrap().encoding;
    let json = encoding.to_json();
    let kinds: Vec<&Kind> = encoding.columns.iter().map(|column| &column.kind).collect();
    assert!(matches!(kinds[0], Kind::Number { notation, .. } if notation.decimal_comma));
    assert!(json.to_string().contains("\"notation\":{\"decimal_comma\":true}"), "{json}");
}

#[test]
fn a_row_with_another_number_of_cells_is_taken_up_with_that_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, "a,b\n1,2\n3\n4,5\n6,7,8\n").unwrap();
    let mut chunks = Source::new(path.to_str().unwrap(), Part::Test).chunks().unwrap();
    chunks.take_damaged();
    let table = chunks.next(usize::MAX).unwrap().unwrap();
    assert_eq!((table.rows(), table.damaged()), (4, &[(1, 1), (3, 3)][..]));
    let error = table.damaged_error(table.damaged()[1]).to_string();
    assert!(error.ends_with("line 5: expected 2 cells, as in the header, got 3"), "{error}");
}

#[test]
fn tables_stand_beside_each_other_where_rows_and_names_allow_it() {
    let both = read("a,b\n1,x\n2,y\n").beside(read("c\n3\n4\n")).unwrap();
    assert_eq!(
        (both.columns(), both.number(1, 2), &*both.cell(1, 1)),
        (&["a", "b", "c"].map(String::from)[..], Some(4.0), "y")
    );
    let refused = |other: &str| read("a,b\n1,x\n2,y\n").beside(read(other)).unwrap_err().to_string();
    assert!(refused("b\n3\n4\n").contains("got `b` twice"), "{}", refused("b\n3\n4\n"));
    assert!(refused("c\n3\n").contains("expected 2 rows, got 1"), "{}", refused("c\n3\n"));
}

#[test]
fn numbers_that_are_no_texts_have_a_decimal_point_whatever_a_model_has_learned() {
    let german = of_column("x", ';', |i| ["1,045", "2.360,3", "7,271"][i % 3].into());
    let table = read(&german);
    let target = Target::find(&table, None, &[], None).unwrap();
    let roles = Roles { ignored: vec!["other"], ..Roles::default() };
    let encoding = Encoding::learn(&table, &table.all_rows(), &target, &roles).unwrap().encoding;
    let inputs = |table: &Table| encoding.inputs(table, &table.all_rows()).unwrap().into_raw_vec_and_offset().0;
    let numbers = [1.234, 2.5, 3.125];

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    std::fs::write(&path, "{\"x\": 1.234}\n{\"x\": 2.5}\n{\"x\": 3.125}\n").unwrap();
    let json = Source::new(path.to_str().unwrap(), Part::Test);
    assert_eq!(inputs(&json.table().unwrap()), numbers);
    let more = [path.to_str().unwrap().to_string()];
    assert_eq!(inputs(&Source { more: &more, ..json }.table().unwrap()), [numbers, numbers].concat());
    std::fs::write(&path, "[{\"x\": \"1,234\"}, {\"x\": \"2.500,5\"}]").unwrap();
    assert_eq!(inputs(&json.table().unwrap()), [1.234, 2500.5], "texts are written as those of the training data");

    let few: Vec<f64> = numbers.repeat(20);
    let lines: String = few.iter().map(|x| format!("{{\"x\": {x}}}\n")).collect();
    std::fs::write(&path, lines).unwrap();
    assert_eq!(inputs(&json.table().unwrap()), few);

    let column: arrow_array::ArrayRef = std::sync::Arc::new(arrow_array::Float64Array::from(numbers.to_vec()));
    let batch = arrow_array::RecordBatch::try_from_iter([("x", column)]).unwrap();
    assert_eq!(inputs(&Table::from_batches("frame", std::slice::from_ref(&batch)).unwrap()), numbers);
    let halves = [batch.slice(0, 1), batch.slice(1, 2)];
    assert_eq!(inputs(&Table::from_batches("frame", &halves).unwrap()), numbers);

    let encoder = RowEncoder::new(&encoding);
    let mut one = [0.0];
    for value in [Value::Number(1.234), Value::Text("1,234"), Value::Text(" 1,234 ")] {
        one = [0.0];
        encoder.encode(&[value], &mut one).unwrap();
        assert_eq!(one, [1.234], "{value:?}");
    }
    assert_eq!(encoder.encode(&[Value::Text("1.234,5.6")], &mut one), Err(0));
}
