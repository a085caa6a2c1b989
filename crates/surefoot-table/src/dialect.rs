//! How a text file separates its cells, and whether it begins with names: found from its beginning.

use csv::{ByteRecord, ReaderBuilder};

use crate::cell::{have_decimal_comma, is_missing, number};
use crate::lines::Lines;

/// What a text file leaves to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between two cells: comma, tab, semicolon or bar.
    pub delimiter: u8,
    /// Whether the first row has the names of the columns.
    pub header: bool,
    /// Whether numbers have a decimal comma, as they may where semicolons separate cells.
    pub decimal_comma: bool,
}

const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// The records that are looked at.
const SAMPLE: usize = 100;

impl Dialect {
    /// That of a file which begins with these bytes; `is_whole`: they are all.
    ///
    /// The delimiter, unless it is told, is the one that cuts most of the records into as many cells as the first, at least
    /// two; of several the one with most cells. The first row is names, unless one of its cells is a number; then it is
    /// names all the same where another of its cells is a text above nothing but numbers, or the numbers are whole, all
    /// differ, and another of its cells is a text that does not come again below, where others do.
    pub fn find(start: &[u8], is_whole: bool, told: Option<u8>) -> Dialect {
        let likeliest = DELIMITERS.into_iter().max_by_key(|&delimiter| {
            let records = records(start, is_whole, delimiter);
            let cells = records.first().map_or(0, ByteRecord::len);
            let agreeing = records.iter().filter(|record| record.len() == cells).count();
            let share = if cells < 2 { 0 } else { 10 * agreeing / records.len() };
            // of equals the last is taken, which is to be the comma
            (share, cells, DELIMITERS.iter().rev().position(|&other| other == delimiter))
        });
        let delimiter = told.or(likeliest).unwrap_or(b',');
        let records = records(start, is_whole, delimiter);
        let cells = records.iter().flatten().filter_map(|cell| std::str::from_utf8(cell).ok());
        let decimal_comma = delimiter == b';' && have_decimal_comma(cells);
        Dialect { delimiter, header: has_header(&records, decimal_comma), decimal_comma }
    }
}

fn records(start: &[u8], is_whole: bool, delimiter: u8) -> Vec<ByteRecord> {
    let mut reader = ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).delimiter(delimiter);
    let reader = reader.from_reader(Lines::new(start, delimiter));
    let mut records: Vec<ByteRecord> = reader.into_byte_records().take(SAMPLE).flatten().collect();
    if !is_whole && records.len() < SAMPLE && records.len() > 1 {
        records.pop(); // it may have been cut
    }
    records
}

fn has_header(records: &[ByteRecord], decimal_comma: bool) -> bool {
    let Some((first, rest)) = records.split_first() else { return true };
    let text = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_string();
    let is_number = |cell: &[u8]| number(&text(cell), decimal_comma).is_some();
    if !first.iter().any(is_number) {
        return true;
    }
    let whole: Vec<f64> = first.iter().filter_map(|cell| number(&text(cell), decimal_comma)).collect();
    let may_count = whole.iter().enumerate().all(|(i, number)| number.fract() == 0.0 && !whole[..i].contains(number));
    (0..first.len()).any(|column| {
        let below: Vec<&[u8]> = rest.iter().filter_map(|record| record.get(column)).collect();
        let Some(cell) = first.get(column).filter(|cell| !is_missing(&text(cell)) && !is_number(cell)) else {
            return false;
        };
        let numbers = below.iter().filter(|cell| is_number(cell)).count();
        let missing = below.iter().filter(|cell| is_missing(&text(cell))).count();
        let kinds: std::collections::HashSet<&[u8]> = below.iter().copied().collect();
        let is_of_no_kind = numbers == 0 && 2 * kinds.len() <= below.len() && !kinds.contains(cell);
        numbers > 0 && numbers + missing == below.len() || may_count && is_of_no_kind
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> (char, bool) {
        let Dialect { delimiter, header, .. } = Dialect::find(text.as_bytes(), true, None);
        (char::from(delimiter), header)
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
    fn a_last_record_that_was_cut_does_not_count() {
        let long: String = std::iter::once("a,b,c\n".to_string()).chain((0..5).map(|i| format!("{i},2,3\n"))).collect();
        assert_eq!(Dialect::find(&long.as_bytes()[..long.len() - 4], false, None).delimiter, b',');
    }
}
