//! How a text file separates its cells, and whether it begins with names: found from its beginning.

use csv::{ByteRecord, ReaderBuilder};

use crate::cell::{is_missing, number};

/// What a text file leaves to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Between two cells: comma, tab, semicolon or bar.
    pub delimiter: u8,
    /// Whether the first row has the names of the columns.
    pub header: bool,
}

const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// The records that are looked at.
const SAMPLE: usize = 100;

impl Dialect {
    /// That of a file which begins with these bytes; `is_whole`: they are all.
    ///
    /// The delimiter is the one that cuts most of the records into as many cells as the first, at least two; of several the
    /// one with most cells. The first row is names, unless one of its cells is a number; then it is names all the same
    /// where another of its cells is a text above nothing but numbers.
    pub fn find(start: &[u8], is_whole: bool) -> Dialect {
        let delimiter = DELIMITERS.into_iter().max_by_key(|&delimiter| {
            let records = records(start, is_whole, delimiter);
            let cells = records.first().map_or(0, ByteRecord::len);
            let agreeing = records.iter().filter(|record| record.len() == cells).count();
            let share = if cells < 2 { 0 } else { 10 * agreeing / records.len() };
            // of equals the last is taken, which is to be the comma
            (share, cells, DELIMITERS.iter().rev().position(|&other| other == delimiter))
        });
        let delimiter = delimiter.unwrap_or(b',');
        let records = records(start, is_whole, delimiter);
        Dialect { delimiter, header: has_header(&records, delimiter == b';') }
    }
}

fn records(start: &[u8], is_whole: bool, delimiter: u8) -> Vec<ByteRecord> {
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(start);
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
    (0..first.len()).any(|column| {
        let below: Vec<&[u8]> = rest.iter().filter_map(|record| record.get(column)).collect();
        let is_text = first.get(column).is_some_and(|cell| !is_missing(&text(cell)) && !is_number(cell));
        is_text
            && below.iter().any(|cell| is_number(cell))
            && below.iter().all(|cell| is_number(cell) || is_missing(&text(cell)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str) -> (char, bool) {
        let Dialect { delimiter, header } = Dialect::find(text.as_bytes(), true);
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
    }

    #[test]
    fn a_first_row_of_numbers_is_no_header() {
        assert!(!find("5.1,3.5,setosa\n4.9,3.0,setosa\n").1);
        assert!(!find("1;2,5\n3;4,5\n").1);
        assert!(find("height,2019,2020\n1.2,3,4\n").1, "a text above numbers is a name");
        assert!(!find("?,3,4\n1,2,3\n").1, "a missing cell is no name");
        assert!(find("kind,colour\na,red\n").1, "all text: the first row has to be names");
    }

    #[test]
    fn a_last_record_that_was_cut_does_not_count() {
        let long: String = std::iter::once("a,b,c\n".to_string()).chain((0..5).map(|i| format!("{i},2,3\n"))).collect();
        assert_eq!(Dialect::find(&long.as_bytes()[..long.len() - 4], false).delimiter, b',');
    }
}
