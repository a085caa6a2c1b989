//! Data that are hardly any, or a stranger's: each has a defined outcome, in bounded time and memory.

mod common;

use std::io::Write;
use std::process::Command;

use common::{Shell, last_of};
use surefoot::{Model, Parameters};

#[test]
fn the_same_numbers_train_to_the_same_bits_from_csv_from_idx_and_built_in() {
    let shell = Shell::new();
    let csv = include_str!("../../surefoot-table/data/digits.csv");
    shell.write("digits.csv", csv);
    let cells: Vec<u8> =
        csv.lines().skip(1).flat_map(|line| line.split(',').map(|cell| cell.parse().unwrap())).collect();
    let (mut images, mut labels) = (vec![0, 0, 8, 3], vec![0, 0, 8, 1]);
    [1797u32, 8, 8].iter().for_each(|size| images.extend(size.to_be_bytes()));
    labels.extend(1797u32.to_be_bytes());
    for row in cells.chunks(65) {
        images.extend(&row[..64]);
        labels.push(row[64]);
    }
    std::fs::write(shell.path().join("d-images-idx3-ubyte"), images).unwrap();
    std::fs::write(shell.path().join("d-labels-idx1-ubyte"), labels).unwrap();
    let train = |data: &str, threads: usize| {
        let mut events = shell
            .json(&format!("train {data} --epochs 3 --json --threads {threads} --report none --out m.safetensors"));
        // networks that are trained at the same time tell their epochs as they come
        events.sort_by_key(|event| (event["member"].as_u64().unwrap_or(u64::MAX), event["epoch"].as_u64()));
        let costs: Vec<u64> = events.iter().map(|event| event["cost"].as_f64().unwrap().to_bits()).collect();
        let Parameters::F32(theta) = Model::load(shell.path().join("m.safetensors")).unwrap().parameters else {
            panic!()
        };
        (costs, theta.iter().map(|x| x.to_bits()).collect::<Vec<_>>())
    };
    let built_in = train("digits", 1);
    for (data, threads) in
        [("digits", 2), ("digits", 8), ("digits.csv", 1), ("digits.csv", 3), ("d-images-idx3-ubyte", 2)]
    {
        assert!(train(data, threads) == built_in, "{data} on {threads} threads");
    }
}

#[test]
fn tables_with_hardly_anything_in_them_have_a_defined_outcome() {
    let shell = Shell::new();
    let rare: String = (0..40).map(|i| format!("{i}.5,{}\n", if i == 3 { "r" } else { ["u", "v"][i % 2] })).collect();
    shell.write("rare.csv", &format!("a,y\n{rare}"));
    let infinity = format!("a,y\n{}inf,v\n", "1,u\n2.5,u\n3,v\n4,u\n5,v\n6,u\n7,v\n8,u\n9,v\n10.5,u\n11,v\n");
    for (name, text, outcome) in [
        ("a constant column", "a,b,y\n1,5,u\n2,5,v\n3,5,u\n4,5,v\n", Ok(4)),
        (
            "only constant columns",
            "a,y\n5,u\n5,v\n5,u\n",
            Err("an input column besides the target, got `a`, which is constant"),
        ),
        ("more outputs than rows of most classes", "a,y\n1,u\n2,v\n3,w\n4,x\n5,z\n", Ok(5)),
        ("one value to predict", "a,y\n1,1.5\n2,1.5\n3,1.5\n", Err("at least two different values in column `y`")),
        ("one row", "a,y\n1,2.5\n", Err("at least two different values in column `y`")),
        ("two rows", "a,y\n1,2.5\n2,3.5\n", Ok(2)),
        (
            "one row of a class",
            "a,y\n1,u\n",
            Err("expected at least two different values in column `y`, got `u` in every row"),
        ),
        (
            "one class",
            "a,y\n1,u\n2,u\n",
            Err("expected at least two different values in column `y`, got `u` in every row"),
        ),
        ("no row", "a,y\n", Err("expected a row below the header, got the end of the file")),
        ("no column but one", "y\n1\n2\n", Err("expected an input column besides the target, got 1 column")),
        ("nothing", "", Err("expected")),
        ("infinity", &infinity, Err("line 13, column `a`: expected a finite number, got `inf`")),
    ] {
        shell.write("t.csv", text);
        match outcome {
            Ok(rows) => {
                let events = shell.json("train t.csv --epochs 30 --json");
                let cost = last_of(&events)["cost"].as_f64();
                assert!(cost.is_some_and(f64::is_finite), "{name}: {:?}", last_of(&events));
                assert_eq!(shell.out("predict t.safetensors t.csv").lines().count(), rows + 1, "{name}");
                assert!(shell.json("check t.safetensors t.csv --json")[0]["passed"] == true, "{name}");
            }
            Err(part) => {
                let message = shell.refusal("train t.csv");
                assert!(message.contains(part), "{name}: {message}");
            }
        }
    }
    // a validation part without some of the classes, and one with a class that is new
    shell.write("some.csv", "a,y\n1,u\n2,u\n");
    shell.write("new.csv", "a,y\n1,u\n2,q\n");
    let events = shell.json("train rare.csv --validation some.csv --epochs 3 --json");
    assert!(last_of(&events)["validation_score"].is_f64());
    let shown = shell.out("evaluate rare.safetensors some.csv");
    assert!(shown.contains("r              -       -        0     0     0"), "{shown}");
    let message = shell.run("train rare.csv --validation new.csv").err;
    assert!(message.contains("new.csv, line 3, column `y`: expected one of the classes r, u, v, got `q`"), "{message}");
}

/// Runs with a limit on memory (in megabytes), and on time by the test's own patience.
#[cfg(unix)]
fn limited(shell: &Shell, megabytes: usize, arguments: &str) -> (i32, String) {
    let binary = env!("CARGO_BIN_EXE_surefoot");
    let script = format!("ulimit -v {}; exec {binary} {arguments}", megabytes * 1024);
    let output = Command::new("sh").args(["-c", &script]).current_dir(shell.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

#[cfg(unix)]
#[test]
fn strange_tables_take_bounded_time_and_memory() {
    let shell = Shell::new();
    // two hundred thousand columns
    let names: String = (0..200_000).map(|i| format!("c{i},")).collect();
    let rows = ["1,".repeat(200_000), "2,".repeat(200_000)];
    shell.write("wide.csv", &format!("{names}y\n{}u\n{}v\n", rows[0], rows[1]));
    let (status, text) = limited(&shell, 2000, "train wide.csv --hidden 2 --epochs 1 --no-check --quiet --threads 2");
    assert_eq!(status, 0, "{text}");
    // a cell of 100 MB, of which the error shows the beginning
    let mut file = std::fs::File::create(shell.path().join("cell.csv")).unwrap();
    file.write_all(b"a,y\n").unwrap();
    (0..100).for_each(|_| file.write_all(&[b'x'; 1 << 20]).unwrap());
    file.write_all(b",u\n1,v\n").unwrap();
    let (status, text) = limited(&shell, 2000, "train cell.csv --numeric a --threads 2");
    assert!(status == 2 && text.len() < 1000 && text.contains("xxx…`"), "{status}: {} bytes", text.len());
    // devices without an end
    for device in ["/dev/zero", "/dev/urandom"] {
        let (status, text) = limited(&shell, 2000, &format!("train {device} --out m --threads 2"));
        assert!(status == 2 && text.contains("expected a file that has an end, got a device"), "{text}");
        let (status, text) = limited(&shell, 2000, &format!("show {device}"));
        assert!(status == 2 && text.contains("expected a regular file"), "{text}");
    }
    for (name, bytes, arguments, part) in [
        (
            "nul.csv",
            &b"a,y\n\0,u\n1,v\n"[..],
            "train nul.csv --numeric a",
            "line 2, column `a`: expected a finite number, as the column is declared numeric, or an empty cell, got `\\u{0}`",
        ),
        ("damaged.csv", b"a,y\n1,\xc3\xa9\xc3\xa8\n2,caf\xe9\n", "train damaged.csv", "line 3: expected text in UTF-8"),
        ("escape.csv", b"a,y\n\x1b[2J,u\n1,v\n", "train escape.csv --numeric a", "got `\\u{1b}[2J`"),
    ] {
        std::fs::write(shell.path().join(name), bytes).unwrap();
        let message = shell.refusal(arguments);
        assert!(message.contains(part), "{name}: {message}");
    }
}

#[test]
fn a_csv_file_cut_anywhere_or_with_any_bit_changed_is_a_table_or_an_error() {
    let csv = b"a,b,y\n1,\"2\",u\n-1e3,.5,\"v \"\"w\"\n3,4,u\n";
    let read = |bytes: &[u8]| {
        let Ok(table) = surefoot_table::Table::read("t.csv", bytes) else { return false };
        let Ok(target) = surefoot_table::Target::find(&table, None, &[], None) else { return false };
        let learned = surefoot_table::Encoding::learn(&table, &target.rows, &target, &surefoot_table::Roles::default());
        let Ok(surefoot_table::Learned { encoding, .. }) = learned else { return false };
        encoding.inputs(&table, &target.rows).is_ok_and(|inputs| inputs.iter().all(|x| x.is_finite()))
    };
    let cut = (0..csv.len()).filter(|&length| read(&csv[..length])).count();
    let changed = |bit: &usize| {
        let mut bytes = csv.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        read(&bytes)
    };
    let changed = (0..8 * csv.len()).filter(changed).count();
    // some stay tables: another digit, another name
    assert!(cut > 0 && cut < csv.len() && changed > 0 && changed < 8 * csv.len(), "{cut} {changed}");
}
