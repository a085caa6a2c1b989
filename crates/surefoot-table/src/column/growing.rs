//! The cells of a column, as they come.

use arrow_array::builder::{LargeStringBuilder, NullBufferBuilder};
use arrow_array::{Array, Float64Array};
use hashbrown::{DefaultHashBuilder, HashMap};

use super::cells::{Cells, Values};
use super::decimal::Style;
use super::dictionary::GrowingDictionary;
use crate::notation::{Evidence, Settled};

/// A column that takes cells up, in the form that takes least memory for those so far.
pub(crate) struct Growing {
    values: GrowingValues,
    dictionary: GrowingDictionary,
    rows: usize,
    evidence: Evidence,
}

enum GrowingValues {
    Bytes(Vec<u8>),
    Shorts(Vec<u16>),
    Numbers { numbers: Vec<f64>, are_numbers: NullBufferBuilder, style: Style },
    Texts(LargeStringBuilder),
}

/// A dictionary is worth its memory where each of its texts stands in at least so many rows,
const ROWS_A_CODE: usize = 8;
/// and is given up where it is fewer than so many.
const FEWEST_ROWS_A_CODE: usize = 4;
/// Codes have two bytes; what is left is for the rows until their number is looked at again.
const MOST_CODES: usize = 60_000;
/// The cells that are looked at to see whether a dictionary may be worth it.
const SAMPLE: usize = 1024;

impl Growing {
    /// A column that begins with these cells: codes where few are different; else numbers, where nearly all are and can be
    /// written again as they were; else text.
    pub fn new<I: Iterator<Item: AsRef<str>>>(cells: impl Fn() -> I) -> Self {
        let rows = cells().count();
        let codes = Growing::empty(GrowingValues::Bytes(Vec::new())).taking(cells(), rows);
        let numbers = || {
            let [points, commas] = [false, true].map(|comma| {
                let styles = cells().filter_map(move |cell| Style::of(cell.as_ref(), comma));
                styles.fold((0, None), |(count, least), style| {
                    let least = least.filter(|least: &Style| least.decimals <= style.decimals);
                    (count + 1, least.or(Some(style)))
                })
            });
            let style = if commas.0 > points.0 { commas.1 } else { points.1 }?;
            Growing::empty(GrowingValues::numbers(style)).taking(cells(), rows)
        };
        let texts = || {
            let mut texts = Growing::empty(GrowingValues::Texts(LargeStringBuilder::with_capacity(0, 0)));
            cells().for_each(|cell| texts.push(cell.as_ref()));
            texts
        };
        codes.or_else(numbers).unwrap_or_else(texts)
    }

    fn empty(values: GrowingValues) -> Self {
        Growing { values, dictionary: GrowingDictionary::new(), rows: 0, evidence: Evidence::default() }
    }

    /// With these cells of a column of so many rows, unless too many of them would be in the dictionary.
    fn taking(mut self, cells: impl Iterator<Item: AsRef<str>>, rows: usize) -> Option<Self> {
        for cell in cells {
            self.push(cell.as_ref());
            if self.dictionary.len() * ROWS_A_CODE > rows || self.dictionary.len() > MOST_CODES {
                return None;
            }
        }
        Some(self)
    }

    /// Takes up the next cells.
    pub fn extend<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        cells.for_each(|cell| self.push(cell));
        self.reconsider();
    }

    /// Keeps the cells in another form where the dictionary has become too large; to be asked at least every 4,096 cells.
    pub fn reconsider(&mut self) {
        if self.dictionary.len() * FEWEST_ROWS_A_CODE > self.rows || self.dictionary.len() > MOST_CODES {
            let empty = Growing::empty(GrowingValues::Bytes(Vec::new()));
            let (cells, _) = std::mem::replace(self, empty).at_rest();
            *self = Growing::of_cells(&cells);
        }
    }

    fn of_cells(cells: &Cells) -> Self {
        Growing::new(|| (0..cells.len()).map(|row| cells.text(row)))
    }

    /// As a column whose cells were numbers and no texts: their decimal sign is a point, however other numbers are written.
    pub fn of_numbers(mut self) -> Self {
        self.evidence = Evidence::of_numbers();
        self
    }

    /// Takes up the next cell.
    pub fn push(&mut self, cell: &str) {
        self.rows += 1;
        match &mut self.values {
            GrowingValues::Bytes(codes) => {
                let code = self.dictionary.code(cell, &mut self.evidence);
                match u8::try_from(code) {
                    Ok(code) => codes.push(code),
                    Err(_) => {
                        let shorts = codes.iter().copied().map(u16::from).chain([code as u16]);
                        self.values = GrowingValues::Shorts(shorts.collect());
                    }
                }
            }
            GrowingValues::Shorts(codes) => codes.push(self.dictionary.code(cell, &mut self.evidence) as u16),
            GrowingValues::Numbers { numbers, are_numbers, style } => {
                let number = style.read(cell);
                are_numbers.append(number.is_some());
                numbers.push(match number {
                    Some((number, decimals)) => {
                        self.evidence.look_at_plain(cell, number, decimals, style.comma);
                        number
                    }
                    None => self.dictionary.code(cell, &mut self.evidence) as f64,
                });
            }
            GrowingValues::Texts(texts) => {
                self.evidence.look(cell);
                texts.append_value(cell);
            }
        }
    }

    /// The whole column, and what its cells tell of how they are written. Codes are tried once more, as the first cells may have
    /// differed more than the others.
    pub fn finish(self) -> (Cells, Evidence) {
        let is_coded = matches!(self.values, GrowingValues::Bytes(_) | GrowingValues::Shorts(_));
        let (cells, evidence) = self.at_rest();
        let rows = cells.len();
        if is_coded || rows <= SAMPLE {
            return (cells, evidence);
        }
        let sample = (0..SAMPLE).map(|i| (i as u128 * rows as u128 / SAMPLE as u128) as usize);
        let few = cells.different(sample).len() <= SAMPLE / 2;
        if few { Growing::of_cells(&cells).at_rest() } else { (cells, evidence) }
    }

    fn at_rest(self) -> (Cells, Evidence) {
        let values = match self.values {
            GrowingValues::Bytes(mut codes) => {
                codes.shrink_to_fit();
                Values::Bytes(codes.into())
            }
            GrowingValues::Shorts(mut codes) => {
                codes.shrink_to_fit();
                Values::Shorts(codes.into())
            }
            GrowingValues::Numbers { mut numbers, mut are_numbers, style } => {
                numbers.shrink_to_fit();
                Values::Numbers(Float64Array::new(numbers.into(), are_numbers.finish()), style)
            }
            GrowingValues::Texts(mut texts) => Values::Texts(texts.finish()),
        };
        (Cells::new(values, self.dictionary), self.evidence)
    }
}

impl GrowingValues {
    fn numbers(style: Style) -> Self {
        GrowingValues::Numbers { numbers: Vec::new(), are_numbers: NullBufferBuilder::new(0), style }
    }
}

impl Cells {
    /// Cells that are read in the usual notation, until another is settled.
    fn new(values: Values, dictionary: GrowingDictionary) -> Self {
        Cells { values, dictionary: dictionary.finish(), settled: Settled::default() }
    }

    /// Numbers as they are, without a copy; `None` where one is missing or not finite.
    pub fn of_array(numbers: &Float64Array) -> Option<Cells> {
        let are_finite = numbers.null_count() == 0 && numbers.values().iter().all(|number| number.is_finite());
        let values = Values::Numbers(numbers.clone(), Style { decimals: 0, comma: false });
        are_finite.then(|| Cells::new(values, GrowingDictionary::new()).with_numbers())
    }

    fn with_numbers(mut self) -> Self {
        self.settled.are_numbers = true;
        self
    }

    /// A column of numbers that were never written as text; NaN is an empty cell.
    pub fn of_numbers(numbers: Vec<f64>) -> Cells {
        let mut dictionary = GrowingDictionary::new();
        if let Some((codes, different)) = coded(&numbers) {
            different.iter().for_each(|number| {
                dictionary.code(&text(*number), &mut Evidence::default());
            });
            let values = match different.len() {
                ..=256 => Values::Bytes(codes.iter().map(|&code| code as u8).collect::<Vec<_>>().into()),
                _ => Values::Shorts(codes.into()),
            };
            return Cells::new(values, dictionary).with_numbers();
        }
        let style = Style { decimals: 0, comma: false };
        let mut numbers = numbers;
        let mut are_numbers = NullBufferBuilder::new(numbers.len());
        for number in &mut numbers {
            are_numbers.append(number.is_finite());
            if !number.is_finite() {
                *number = dictionary.code(&text(*number), &mut Evidence::default()) as f64;
            }
        }
        let values = Values::Numbers(Float64Array::new(numbers.into(), are_numbers.finish()), style);
        Cells::new(values, dictionary).with_numbers()
    }
}

/// A number as the text of a cell.
fn text(number: f64) -> String {
    if number.is_nan() { String::new() } else { number.to_string() }
}

/// The codes of numbers, and the different ones, where these are few.
fn coded(numbers: &[f64]) -> Option<(Vec<u16>, Vec<f64>)> {
    let (mut codes, mut different) = (Vec::new(), Vec::new());
    let mut known: HashMap<u64, u16, DefaultHashBuilder> = HashMap::default();
    for number in numbers {
        // all NaN are written alike
        let bits = if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() };
        codes.push(*known.entry(bits).or_insert_with(|| {
            different.push(*number);
            (different.len() - 1) as u16
        }));
        if different.len() * ROWS_A_CODE > numbers.len() || different.len() > MOST_CODES {
            return None;
        }
    }
    Some((codes, different))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Meaning;
    use crate::column::Cell;
    use crate::notation::Notation;

    /// The column of these cells, taken up in blocks of so many.
    fn grown(cells: &[String], block: usize, decimal_comma: bool) -> Cells {
        let mut blocks = cells.chunks(block);
        let first = blocks.next().unwrap();
        let mut column = Growing::new(|| first.iter());
        blocks.for_each(|block| column.extend(block.iter().map(String::as_str)));
        let (mut cells, _) = column.finish();
        let notation = Notation { decimal_comma, ..Notation::default() };
        cells.settle(Settled { notation, ..Settled::default() });
        cells
    }

    fn form(cells: &Cells) -> &'static str {
        match &cells.values {
            Values::Bytes(_) => "bytes",
            Values::Shorts(_) => "shorts",
            Values::Numbers(..) => "numbers",
            Values::Texts(_) => "texts",
        }
    }

    fn cells(rows: usize, f: impl Fn(usize) -> String) -> Vec<String> {
        (0..rows).map(f).collect()
    }

    /// Cells of many sorts, with the form that a large column of them has and whether their numbers have a decimal comma.
    fn columns() -> Vec<(&'static str, bool, Vec<String>)> {
        let mixed = |i: usize| i.wrapping_mul(2_654_435_761) % 1_000_003;
        vec![
            ("bytes", false, cells(5000, |i| (i % 100).to_string())),
            ("bytes", false, cells(5000, |i| ["red", "NA", "007", "12 km", "1.0", "1"][i % 6].into())),
            ("bytes", true, cells(5000, |i| ["1,5", "1.250", "1,50", "x"][i % 4].into())),
            ("shorts", false, cells(5000, |i| format!("city {}", i % 400))),
            ("numbers", false, cells(5000, |i| format!("{}.{}", i, i % 10 + 1))),
            ("numbers", false, cells(5000, |i| format!("{:.2}", mixed(i) as f64 / 100.0))),
            ("numbers", false, cells(5000, |i| format!("{:?}", mixed(i) as f64 / 7.0))),
            ("numbers", true, cells(5000, |i| format!("{:.3}", mixed(i) as f64 / 1000.0).replace('.', ","))),
            ("numbers", false, cells(5000, |i| if i % 3 == 0 { "?".into() } else { (i * i).to_string() })),
            ("texts", false, cells(5000, |i| format!("name {i}"))),
            ("texts", false, cells(5000, |i| format!("{i} km"))),
            ("texts", false, cells(5000, |i| format!("{i:07}"))),
            ("texts", false, cells(5000, |i| format!("{i}e-3"))),
            // the first cells say something else than the others
            ("numbers", false, cells(5000, |i| if i < 1000 { "0".into() } else { (i * 7).to_string() })),
            ("texts", false, cells(5000, |i| if i < 1000 { "0".into() } else { format!("name {i}") })),
            ("bytes", false, cells(5000, |i| if i < 100 { i.to_string() } else { (i % 50).to_string() })),
            ("texts", false, cells(5000, |i| if i < 1000 { i.to_string() } else { format!("name {i}") })),
            ("texts", false, cells(5000, |i| if i < 1000 { format!("{i}.50") } else { i.to_string() })),
        ]
    }

    #[test]
    fn the_form_follows_from_the_cells_and_keeps_them_to_the_letter() {
        for (expected, decimal_comma, cells) in columns() {
            for block in [7, 100, 1000, 4096] {
                let column = grown(&cells, block, decimal_comma);
                let about = format!("{:?} in blocks of {block}", &cells[1000..1004]);
                assert!(block < 1000 || form(&column) == expected, "{about}: {}", form(&column));
                assert_eq!(column.len(), cells.len());
                for (row, cell) in cells.iter().enumerate() {
                    assert_eq!(column.text(row), *cell, "{about}");
                    assert_eq!(column.meaning(row), Meaning::of(cell, &column.settled.notation), "{cell}, {about}");
                }
            }
        }
    }

    #[test]
    fn different_cells_are_counted_alike_in_every_form() {
        for (_, decimal_comma, cells) in columns() {
            let rows = (0..cells.len()).filter(|row| row % 3 > 0);
            let mut counts = std::collections::BTreeMap::<&str, usize>::new();
            rows.clone().for_each(|row| *counts.entry(&cells[row]).or_default() += 1);
            let column = grown(&cells, 1000, decimal_comma);
            let mut found: Vec<_> =
                column.different(rows.clone()).into_iter().map(|(row, n)| (cells[row].as_str(), n)).collect();
            found.sort_unstable();
            assert_eq!(found, counts.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn numbers_without_text_are_kept_as_they_are() {
        let few = Cells::of_numbers((0..1000).map(|i| [0.5, -0.0, f64::NAN, f64::INFINITY][i % 4]).collect());
        let many = Cells::of_numbers((0..1000).map(|i| if i % 2 == 0 { f64::NAN } else { i as f64 / 3.0 }).collect());
        assert_eq!((form(&few), form(&many)), ("bytes", "numbers"));
        assert_eq!([0, 1, 2, 3].map(|row| few.text(row).into_owned()), ["0.5", "-0", "", "inf"]);
        assert_eq!([0, 1, 2, 3].map(|row| few.meaning(row).number), [Some(0.5), Some(-0.0), None, None]);
        assert!(few.meaning(2).is_missing && !few.meaning(3).is_missing && many.meaning(0).is_missing);
        assert!(matches!(many.cell(1), Cell::Number(number) if number == 1.0 / 3.0));
    }
}
