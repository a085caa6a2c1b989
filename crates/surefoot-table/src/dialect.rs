//! How a text file separates its cells, where its table begins, and whether that begins with names: found from its beginning.

use std::collections::{BTreeMap, HashSet};

use csv::{ByteRecord, ReaderBuilder};

use crate::lines::Lines;
use crate::notation::is_missing;
use crate::number::Written;

/// What a text file leaves to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between two cells: comma, tab, semicolon, bar, or a run of spaces.
    pub delimiter: u8,
    /// Lines before the table: comments, a title.
    pub skip: u64,
    /// Whether cells are in single quotes.
    pub single_quotes: bool,
    pub layout: Layout,
}

/// Where in some records a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The records before it: comments, a title.
    pub first: usize,
    /// Whether its first row has the names of the columns.
    pub header: bool,
    /// Whether the names are one fewer than the cells, as R leaves out the name of the row names.
    pub has_row_names: bool,
    /// Whether the row below the names has the units of the columns.
    pub has_units: bool,
}

/// Runs of spaces are the last resort.
const DELIMITERS: [u8; 5] = [b',', b'\t', b';', b'|', SPACES];
pub(crate) const SPACES: u8 = b' ';
/// The records that are looked at.
const SAMPLE: usize = 100;
/// Records that may stand before a table.
const MOST_SKIPPED: usize = 30;

impl Dialect {
    /// That of a file which begins with these bytes; `is_whole`: they are all.
    ///
    /// The delimiter, unless it is told, is the one that cuts most of the records into the same number of cells, at least
    /// two; of several the one with most cells. `may_skip`: the table may begin below the first line.
    pub fn find(start: &[u8], is_whole: bool, told: Option<u8>, may_skip: bool) -> Dialect {
        let likeliest = DELIMITERS.into_iter().max_by_key(|&delimiter| {
            let records = records(start, is_whole, delimiter);
            let (cells, agreeing) = most_frequent(&records);
            let is_likely = cells >= 2 && (delimiter != SPACES || is_separated_by_spaces(&records, cells, agreeing));
            let share = if is_likely { 10 * agreeing / records.len() } else { 0 };
            // of equals the last is taken, which is to be the comma
            (share, if is_likely { cells } else { 0 }, DELIMITERS.iter().rev().position(|&other| other == delimiter))
        });
        let delimiter = told.or(likeliest).unwrap_or(b',');
        let records = records(start, is_whole, delimiter);
        let layout = Layout::find(&records, may_skip);
        let before = records.get(layout.first).and_then(ByteRecord::position).filter(|_| layout.first > 0);
        let is_quoted = |cell: &[u8]| cell.len() >= 2 && cell.starts_with(b"'") && cell.ends_with(b"'");
        let names = records.get(layout.first);
        let single_quotes = names.is_some_and(|names| !names.is_empty() && names.iter().all(is_quoted));
        Dialect { delimiter, skip: before.map_or(0, |position| position.line() - 1), single_quotes, layout }
    }

    /// What separates the cells, in words.
    pub fn separators(&self) -> String {
        match self.delimiter {
            b',' => "commas".into(),
            b'\t' => "tabs".into(),
            b';' => "semicolons".into(),
            b'|' => "bars".into(),
            SPACES => "spaces".into(),
            other => format!("`{}`", char::from(other)),
        }
    }
}

impl Layout {
    /// That of records, which may be only the first ones of a table.
    ///
    /// Where it `may_skip`, the table begins behind comments and titles, if all records from there have as many cells as most. The first row is names,
    /// unless one of its cells is a number, or it is all text that comes again below; then it is
    /// names all the same where another of its cells is a text above nothing but numbers; where the numbers are whole, all
    /// differ, and another of its cells is a text that does not come again below, where others do; or where they count, or are
    /// years, and those below do not.
    pub fn find(records: &[ByteRecord], may_skip: bool) -> Layout {
        let (width, _) = most_frequent(records);
        let is_before = |record: &&ByteRecord| is_comment_or_title(record, width);
        let most_skipped = if may_skip { MOST_SKIPPED } else { 0 };
        let before = records.iter().take(most_skipped).take_while(is_before).count();
        let table = &records[before..];
        let is_table = width >= 2 && !table.is_empty() && table.iter().all(|record| record.len() == width);
        let first = if is_table || has_row_names(table, width) { before } else { 0 };
        let records = &records[first..];
        let has_row_names = has_row_names(records, width);
        let header = has_row_names || has_header(records);
        Layout { first, header, has_row_names, has_units: header && !has_row_names && has_units(records) }
    }
}

/// Whether the names are one fewer than the cells of each row, the first of which names the row.
fn has_row_names(records: &[ByteRecord], width: usize) -> bool {
    match records {
        [names, rest @ ..] if rest.len() >= 2 && names.len() >= 2 => {
            let first: HashSet<_> = rest.iter().filter_map(|row| row.get(0)).collect();
            names.len() + 1 == width
                && rest.iter().all(|row| row.len() == width)
                && first.len() == rest.len()
                && !names.iter().any(is_number)
        }
        _ => false,
    }
}

/// How many cells most records have, and how many have so many.
fn most_frequent(records: &[ByteRecord]) -> (usize, usize) {
    let mut counts = BTreeMap::<usize, usize>::new();
    records.iter().for_each(|record| *counts.entry(record.len()).or_default() += 1);
    counts.into_iter().max_by_key(|&(cells, count)| (count, cells)).unwrap_or((0, 0))
}

/// Whether a record stands before a table of this width: it begins as comments do, or has one cell with anything.
fn is_comment_or_title(record: &ByteRecord, width: usize) -> bool {
    let begin = record.get(0).unwrap_or_default();
    let is_comment = [&b"#"[..], b"%", b"//"].iter().any(|mark| begin.starts_with(mark)) && record.len() < width;
    let with_anything = record.iter().filter(|cell| !cell.trim_ascii().is_empty()).count();
    let is_title = with_anything <= 1 && (record.len() < width || width >= 3 && !begin.trim_ascii().is_empty());
    width >= 2 && (is_comment || is_title)
}

/// Whether spaces cut all records alike, and most cells are numbers: no sentences.
fn is_separated_by_spaces(records: &[ByteRecord], cells: usize, agreeing: usize) -> bool {
    let numbers = records.iter().flatten().filter(|cell| is_number(cell)).count();
    10 * agreeing >= 9 * records.len() && 2 * numbers >= cells * agreeing
}

fn records(start: &[u8], is_whole: bool, delimiter: u8) -> Vec<ByteRecord> {
    let mut reader = ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).delimiter(delimiter);
    let reader = reader.from_reader(Lines::new(start, delimiter));
    let mut records: Vec<ByteRecord> = reader.into_byte_records().take(SAMPLE).flatten().collect();
    if delimiter == SPACES {
        records.iter_mut().for_each(drop_last_if_empty);
    }
    if !is_whole && records.len() < SAMPLE && records.len() > 1 {
        records.pop(); // it may have been cut
    }
    records
}

/// Spaces at the end of a line are no cell.
pub(crate) fn drop_last_if_empty(record: &mut ByteRecord) {
    if record.len() > 1 && record.iter().next_back() == Some(b"") {
        record.truncate(record.len() - 1);
    }
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).trim().to_string()
}

fn is_number(cell: &[u8]) -> bool {
    number(cell).is_some()
}

/// The number in a cell, whichever decimal sign it has.
fn number(cell: &[u8]) -> Option<f64> {
    let text = text(cell);
    let written = Written::of(&text)?;
    written.number(false).or_else(|| written.number(true))
}

fn has_header(records: &[ByteRecord]) -> bool {
    let Some((first, rest)) = records.split_first() else { return true };
    let below = |column: usize| rest.iter().filter_map(move |record| record.get(column));
    let comes_again = |column: usize| first.get(column).is_some_and(|cell| below(column).any(|other| other == cell));
    let numbers: Vec<f64> = first.iter().filter_map(number).collect();
    if numbers.is_empty() {
        let again = (0..first.len()).filter(|&column| comes_again(column)).count();
        return rest.is_empty() || 2 * again < first.len();
    }
    let different: HashSet<u64> = numbers.iter().map(|number| number.to_bits()).collect();
    let are_whole_and_differ = different.len() == numbers.len() && numbers.iter().all(|number| number.fract() == 0.0);
    let beside_numbers = (0..first.len()).any(|column| {
        let below: Vec<&[u8]> = below(column).collect();
        let Some(cell) = first.get(column).filter(|cell| !is_missing(&text(cell)) && !is_number(cell)) else {
            return false;
        };
        let numbers = below.iter().filter(|cell| is_number(cell)).count();
        let missing = below.iter().filter(|cell| is_missing(&text(cell))).count();
        let kinds: HashSet<&[u8]> = below.iter().copied().collect();
        let is_of_no_kind = numbers == 0 && 2 * kinds.len() <= below.len() && !kinds.contains(cell);
        numbers > 0 && numbers + missing == below.len() || are_whole_and_differ && is_of_no_kind
    });
    beside_numbers || is_sequence(&numbers) && numbers.len() == first.len() && differs_from_sequence(&numbers, rest)
}

/// Whether numbers are years or places: they go up by the same step.
fn is_sequence(numbers: &[f64]) -> bool {
    let [first, second, rest @ ..] = numbers else { return false };
    let step = second - first;
    let goes_on = numbers.windows(2).all(|pair| pair[1] - pair[0] == step);
    let is_year = |year: f64| year.fract() == 0.0 && (1800.0..2200.0).contains(&year);
    let are_years = step > 0.0 && numbers.iter().all(|&number| is_year(number));
    let are_places = step == 1.0 && !rest.is_empty() && (*first == 0.0 || *first == 1.0);
    goes_on && (are_years || are_places)
}

/// Whether the rows below a sequence have other numbers: with decimals, or out of its range, in most rows.
fn differs_from_sequence(numbers: &[f64], rest: &[ByteRecord]) -> bool {
    let (low, high) = numbers.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
    let span = high - low;
    let is_other = |cell: &[u8]| {
        number(cell)
            .is_some_and(|number| number.fract() != 0.0 || number < low - span - 100.0 || number > high + span + 100.0)
    };
    let others = rest.iter().filter(|record| record.iter().any(is_other)).count();
    !rest.is_empty() && 2 * others > rest.len()
}

/// Whether the row below the names has a text, or nothing, in each column, where at least two have only numbers further below.
fn has_units(records: &[ByteRecord]) -> bool {
    let [_, units, rest @ ..] = records else { return false };
    let is_of_numbers = |column: &usize| {
        let cells = rest.iter().filter_map(|record| record.get(*column));
        let is_one = |cell: &[u8]| is_number(cell) || is_missing(&text(cell));
        cells.clone().any(is_number) && cells.clone().all(is_one)
    };
    let columns: Vec<usize> = (0..units.len()).filter(is_of_numbers).collect();
    let is_unit = |column: &usize| units.get(*column).is_some_and(|cell| !is_missing(&text(cell)));
    rest.len() >= 3 && columns.len() >= 2 && columns.iter().any(is_unit) && !units.iter().any(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> Dialect {
        Dialect::find(text.as_bytes(), true, None, true)
    }

    fn find(text: &str) -> (char, bool) {
        let Dialect { delimiter, layout, .. } = dialect(text);
        (char::from(delimiter), layout.header)
    }

    #[test]
    fn the_delimiter_is_the_one_that_cuts_all_rows_alike() {
        assert_eq!(find("a,b\n1,2\n"), (',', true));
        assert_eq!(find("a\tb\n1,5\t2\n"), ('\t', true));
        assert_eq!(find("a;b\n1,5;2,5\n3,5;4,5\n"), (';', true));
        assert_eq!(find("a|b|c\nx, y|2|3\n"), ('|', true));
        assert_eq!(find("name,note\nx,\"a;b;c\"\ny,\"d;e\"\n"), (',', true));
        assert_eq!(find("alone\n1\n"), (',', true));
        assert_eq!(find(""), (',', true));
        assert_eq!(find("a,b;c\n1,2;3\n"), (',', true), "of equals the comma");
        assert_eq!(find("name, note, x\n1, \"a, b\", 2\n3, \"c, d\", 4\n"), (',', true), "spaces before quotes");
        assert_eq!(find("a  b y\n-0.8   0.5 1 \n 0.7 -0.5  2\n"), (' ', true));
        assert_eq!(find("note\nthis is a sentence\nso is that one\n"), (',', true), "no numbers");
    }

    #[test]
    fn a_first_row_of_numbers_is_no_header() {
        assert!(!find("5.1,3.5,setosa\n4.9,3.0,setosa\n").1);
        assert!(!find("1;2,5\n3;4,5\n").1);
        assert!(find("height,2019,2020\n1.2,3,4\n").1, "a text above numbers is a name");
        assert!(!find("?,3,4\n1,2,3\n").1, "a missing cell is no name");
        assert!(find("kind,colour\na,red\n").1, "all text: the first row has to be names");
        assert!(find("0,1,label\n5.1,3.5,a\n4.9,3.0,b\n4.7,3.2,a\n4.6,3.1,b\n").1, "places as names, above classes");
        assert!(!find("5.1,3.5,c\n4.9,3.0,a\n4.7,3.2,b\n4.6,3.1,a\n4.9,3.0,b\n").1, "a rare class is no name");
        assert!(!find("5,5,c\n4,3,a\n4,3,b\n4,3,a\n4,3,b\n").1, "names differ");
    }

    #[test]
    fn years_and_places_above_other_numbers_are_names() {
        assert!(find("2019,2020,2021\n-0.8,-0.5,-1.7\n0.4,0.0,1.4\n").1);
        assert!(find("2019,2020,2021\n40210,39981,41200\n40,39,41\n51234,49121,50122\n").1);
        assert!(find("0,1,2\n5.1,3.5,1.4\n4.9,3.0,1.4\n").1);
        assert!(!find("2019,2020,2021\n2020,2021,2022\n2021,2022,2023\n").1, "years above years");
        assert!(!find("0,1,2\n3,4,5\n6,7,8\n").1);
        assert!(!find("1.5,2.5,3.5\n0.1,0.2,0.3\n").1);
    }

    #[test]
    fn text_that_comes_again_below_is_no_header() {
        assert!(!find("p,x,n\ne,b,n\np,s,y\ne,x,y\n").1);
        assert!(find("kind,cap,odour\ne,b,n\np,s,y\ne,x,y\n").1);
    }

    #[test]
    fn lines_before_the_table_are_skipped() {
        assert_eq!(dialect("# created\n# by a tool\na,b,y\n1,2,3\n4,5,6\n").skip, 2);
        assert_eq!(dialect("Sales of 2025\n\na;b\n1;2\n3;4\n").skip, 1);
        assert_eq!(dialect("a,b,y\n1,2,3\n4,5,6\n").skip, 0);
        assert_eq!(dialect("a\nb\nc\n").skip, 0, "one column");
        assert_eq!(dialect("a,b\n1,2\n1\n").skip, 0, "a row that is short is an error of the table");
        assert_eq!(dialect("Sales,,\na,b,y\n1,2,3\n4,5,6\n").skip, 1);
        let title = dialect("\"a, title\"\na,b,y\n1,2,3\n4,5,6\n");
        assert_eq!((title.skip, title.layout.header), (1, true));
    }

    #[test]
    fn names_may_be_one_short_and_have_their_units_below() {
        let layout = |text: &str| dialect(text).layout;
        let row_names = layout("a,b\n\"1\",2,3\n\"2\",4,5\n");
        assert!(row_names.has_row_names && row_names.header && row_names.first == 0);
        assert!(!layout("a,b,c\n1,2,3\n").has_row_names);
        let units = layout("length,mass,kind\ncm,kg,\n1,2,a\n3,4,b\n5,6,a\n");
        assert!(units.has_units && units.header);
        assert!(!layout("length,mass\nx,y\nz,w\nx,w\nz,y\n").has_units, "texts above texts");
        assert!(!layout("length,mass\ncm,2\n3,4\n5,6\n7,8\n").has_units, "a slip");
        assert!(dialect("'a','b'\n'1','x'\n'2','y'\n").single_quotes);
    }

    #[test]
    fn a_last_record_that_was_cut_does_not_count() {
        let long: String = std::iter::once("a,b,c\n".to_string()).chain((0..5).map(|i| format!("{i},2,3\n"))).collect();
        assert_eq!(Dialect::find(&long.as_bytes()[..long.len() - 4], false, None, true).delimiter, b',');
    }
}
