//! Data frames, as record batches of Arrow.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, ArrowTemporalType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, Decimal128Array, Decimal256Array, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Fields, TimeUnit};

use crate::builder::settled;
use crate::column::{Cells, Growing};
use crate::error::{Error, Reason, Result};
use crate::notation::Told;
use crate::table::{Lines, Names, Table};

/// Whole numbers up to this are exact as `f64`.
const EXACT: u64 = 1 << 53;
/// The texts that a column takes up at a time.
const BLOCK: usize = 4096;

impl Table {
    /// A data frame: columns of floats, integers, booleans (`true` and `false`), strings, dates, timestamps, decimals, dictionaries of
    /// these, or nothing at all; a null and NaN are missing cells, dates and timestamps are texts by ISO 8601. `name` is what errors call it; the line of a cell is its row, from 1. A column
    /// of `f64` that is in one batch and has no null is not copied.
    ///
    /// # Errors
    /// [`Error::Columns`] when there is no batch or no row, two columns have one name, or the batches differ in their columns;
    /// [`Error::Format`] for a column of another type.
    pub fn from_batches(name: &str, batches: &[RecordBatch]) -> Result<Self> {
        let table = Table::of_batches(name, batches.iter().cloned().map(Ok), &Told::default())?;
        table.check_names()?;
        Ok(table)
    }

    /// The same of batches that are taken up one after the other, where the caller may have said how texts are read.
    pub(crate) fn of_batches(
        name: &str,
        batches: impl Iterator<Item = Result<RecordBatch>>,
        told: &Told,
    ) -> Result<Self> {
        let wrong = |expected: &str, got: &str| Error::columns(name, Reason::Columns, expected, got);
        let mut batches = batches.peekable();
        let mut frame: Option<Frame> = None;
        while let Some(batch) = batches.next().transpose()? {
            let frame = frame.get_or_insert_with(|| Frame::new(&batch));
            if !frame.takes(&batch) {
                return Err(wrong("the same columns in each batch", "others"));
            }
            let is_alone = frame.rows == 0 && batches.peek().is_none();
            if let Err(place) = frame.push(&batch, is_alone) {
                let field = &frame.fields[place];
                let expected = "numbers, booleans, strings, dates or dictionaries of these";
                let got = format!("{} in column `{}`", field.data_type(), field.name());
                return Err(Error::format(name, Reason::Format, expected, got));
            }
        }
        match frame {
            Some(frame) if frame.rows > 0 => {
                let names = Names::new(name, frame.fields.iter().map(|field| field.name().clone()).collect());
                let columns = frame.columns.into_iter().zip(&frame.fields);
                let columns =
                    columns.map(|(column, field)| column.finish(told, field.data_type().is_numeric())).collect();
                Ok(Table::new(names, columns, Lines::counted(frame.rows)))
            }
            _ => Err(wrong("at least one row", "none")),
        }
    }
}

/// A table that grows batch by batch.
struct Frame {
    fields: Fields,
    rows: usize,
    columns: Vec<Parts>,
}

/// The cells of a column so far.
enum Parts {
    /// All there are, as they lie.
    Whole(Cells),
    /// NaN is a missing cell.
    Numbers(Vec<f64>),
    Texts(Growing),
}

impl Frame {
    fn new(first: &RecordBatch) -> Self {
        let fields = first.schema_ref().fields().clone();
        let columns = fields.iter().map(|_| Parts::Numbers(Vec::new())).collect();
        Frame { fields, rows: 0, columns }
    }

    fn takes(&self, batch: &RecordBatch) -> bool {
        let of = |fields: &Fields| -> Vec<_> {
            fields.iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
        };
        of(batch.schema_ref().fields()) == of(&self.fields)
    }

    /// Takes up a batch, which may be the only one; the place of a column whose type is not understood.
    fn push(&mut self, batch: &RecordBatch, is_alone: bool) -> std::result::Result<(), usize> {
        self.rows += batch.num_rows();
        for (place, (column, part)) in self.columns.iter_mut().zip(batch.columns()).enumerate() {
            let whole = part.as_primitive_opt::<Float64Type>().filter(|_| is_alone).and_then(Cells::of_array);
            match whole {
                Some(cells) => *column = Parts::Whole(cells),
                None => column.push(part).ok_or(place)?,
            }
        }
        Ok(())
    }
}

impl Parts {
    /// Takes up more cells; `None` for a type that is not understood.
    fn push(&mut self, part: &ArrayRef) -> Option<()> {
        if let Parts::Numbers(all) = self {
            if let Some(numbers) = numbers(part) {
                all.extend(numbers);
                return Some(());
            }
            let before = std::mem::take(all);
            let text = |number: &f64| if number.is_nan() { String::new() } else { number.to_string() };
            let mut before = before.iter().map(text).chain(texts(part)?.map(Cow::into_owned));
            let block: Vec<String> = before.by_ref().take(BLOCK).collect();
            let mut growing = Growing::new(|| block.iter());
            extend(&mut growing, before);
            *self = Parts::Texts(growing);
            return Some(());
        }
        if let Parts::Texts(growing) = self {
            extend(growing, texts(part)?);
        }
        Some(())
    }

    fn finish(self, told: &Told, are_numbers: bool) -> Cells {
        match self {
            Parts::Whole(cells) => cells,
            Parts::Numbers(numbers) => Cells::of_numbers(numbers),
            Parts::Texts(growing) if are_numbers => settled(told, vec![growing.of_numbers()]).swap_remove(0),
            Parts::Texts(growing) => settled(told, vec![growing]).swap_remove(0),
        }
    }
}

fn extend(growing: &mut Growing, mut texts: impl Iterator<Item: AsRef<str>>) {
    loop {
        let block: Vec<_> = texts.by_ref().take(BLOCK).collect();
        if block.is_empty() {
            return;
        }
        growing.extend(block.iter().map(AsRef::as_ref));
    }
}

/// Numbers, NaN for null; `None` where some cannot be told as `f64`.
fn numbers(array: &dyn Array) -> Option<Vec<f64>> {
    macro_rules! of_type {
        ($($kind:ty: $number:expr),*) => {
            $(if let Some(array) = array.as_primitive_opt::<$kind>() {
                return array.iter().map(|x| x.map_or(Some(f64::NAN), $number)).collect();
            })*
        };
    }
    of_type!(
        Float64Type: Some, Float32Type: |x| Some(x.into()), Float16Type: |x| Some(x.to_f64()), Int8Type: |x| Some(x.into()),
        Int16Type: |x| Some(x.into()), Int32Type: |x| Some(x.into()), UInt8Type: |x| Some(x.into()),
        UInt16Type: |x| Some(x.into()), UInt32Type: |x| Some(x.into()),
        Int64Type: |x| (x.unsigned_abs() <= EXACT).then_some(x as f64), UInt64Type: |x| (x <= EXACT).then_some(x as f64)
    );
    None
}

/// Texts, an empty one for null; `None` for a type that is not understood.
fn texts<'a>(array: &'a dyn Array) -> Option<Box<dyn Iterator<Item = Cow<'a, str>> + 'a>> {
    fn or_empty<'a>(text: Option<impl ToString>) -> Cow<'a, str> {
        text.map_or_else(String::new, |text| text.to_string()).into()
    }
    Some(match array.data_type() {
        DataType::Utf8 => Box::new(array.as_string_opt::<i32>()?.iter().map(|text| text.unwrap_or_default().into())),
        DataType::LargeUtf8 => {
            Box::new(array.as_string_opt::<i64>()?.iter().map(|text| text.unwrap_or_default().into()))
        }
        DataType::Utf8View => Box::new(array.as_string_view_opt()?.iter().map(|text| text.unwrap_or_default().into())),
        DataType::Boolean => Box::new(array.as_boolean_opt()?.iter().map(or_empty)),
        DataType::Null => Box::new(std::iter::repeat_n("".into(), array.len())),
        DataType::Int64 => Box::new(array.as_primitive_opt::<Int64Type>()?.iter().map(or_empty)),
        DataType::UInt64 => Box::new(array.as_primitive_opt::<UInt64Type>()?.iter().map(or_empty)),
        DataType::Decimal128(..) => {
            decimals(array.as_primitive_opt::<Decimal128Type>()?, Decimal128Array::value_as_string)
        }
        DataType::Decimal256(..) => {
            decimals(array.as_primitive_opt::<Decimal256Type>()?, Decimal256Array::value_as_string)
        }
        DataType::Date32 => moments(array.as_primitive_opt::<Date32Type>()?),
        DataType::Date64 => moments(array.as_primitive_opt::<Date64Type>()?),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => moments(array.as_primitive_opt::<TimestampSecondType>()?),
            TimeUnit::Millisecond => moments(array.as_primitive_opt::<TimestampMillisecondType>()?),
            TimeUnit::Microsecond => moments(array.as_primitive_opt::<TimestampMicrosecondType>()?),
            TimeUnit::Nanosecond => moments(array.as_primitive_opt::<TimestampNanosecondType>()?),
        },
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let values: Vec<String> = texts(dictionary.values())?.map(Cow::into_owned).collect();
            let keys = numbers(dictionary.keys())?.into_iter();
            Box::new(keys.map(move |key| or_empty(values.get(key as usize).filter(|_| !key.is_nan()))))
        }
        _ => Box::new(numbers(array)?.into_iter().map(|number| or_empty(Some(number).filter(|x| !x.is_nan())))),
    })
}

/// Decimal numbers as they are written, an empty text for null.
fn decimals<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    text: impl Fn(&PrimitiveArray<T>, usize) -> String,
) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
    let texts: Vec<String> =
        (0..array.len()).map(|row| if array.is_null(row) { String::new() } else { text(array, row) }).collect();
    Box::new(texts.into_iter().map(Cow::Owned))
}

/// Days and times of day by ISO 8601, days alone at midnight; an empty text for null.
fn moments<T: ArrowTemporalType>(array: &PrimitiveArray<T>) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_>
where
    i64: From<T::Native>,
{
    Box::new((0..array.len()).map(|row| {
        let moment = array.value_as_datetime(row).filter(|_| !array.is_null(row));
        let text = moment.map_or_else(String::new, |moment| moment.to_string().replacen(' ', "T", 1));
        text.trim_end_matches("T00:00:00").to_string().into()
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type as Key;
    use arrow_array::{
        BinaryArray, BooleanArray, Date32Array, DictionaryArray, Float32Array, Float64Array, Int64Array,
        LargeStringArray, NullArray, StringArray, StringViewArray, TimestampSecondArray, UInt8Array,
    };

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn one_column(array: impl Array + 'static) -> RecordBatch {
        batch(vec![("x", Arc::new(array))])
    }

    fn texts_of(table: &Table, column: usize) -> Vec<String> {
        (0..table.rows()).map(|row| table.cell(row, column).into_owned()).collect()
    }

    #[test]
    fn columns_of_each_type_are_read() {
        let dictionary: DictionaryArray<Key> = [Some("b"), None, Some("b")].into_iter().collect();
        let money = Decimal128Array::from(vec![Some(12_345), None, Some(-7)]).with_precision_and_scale(10, 2).unwrap();
        let frame = batch(vec![
            ("float", Arc::new(Float64Array::from(vec![Some(1.5), None, Some(-2e-7)]))),
            ("single", Arc::new(Float32Array::from(vec![0.5, f32::NAN, f32::INFINITY]))),
            ("whole", Arc::new(Int64Array::from(vec![Some(7), None, Some(-8)]))),
            ("byte", Arc::new(UInt8Array::from(vec![0, 255, 3]))),
            ("large", Arc::new(Int64Array::from(vec![9_007_199_254_740_993, 1, 2]))),
            ("boolean", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            ("string", Arc::new(StringArray::from(vec![Some("a"), None, Some("12 %")]))),
            ("long", Arc::new(LargeStringArray::from(vec!["a", "007", "c"]))),
            ("view", Arc::new(StringViewArray::from(vec!["a", "NA", "a text of more than twelve bytes"]))),
            ("dictionary", Arc::new(dictionary)),
            ("nothing", Arc::new(NullArray::new(3))),
            ("date", Arc::new(Date32Array::from(vec![Some(0), None, Some(20_784)]))),
            ("money", Arc::new(money)),
            ("moment", Arc::new(TimestampSecondArray::from(vec![Some(86_400), None, Some(86_461)]))),
        ]);
        let table = Table::from_batches("frame", &[frame]).unwrap();
        let numbers = |column| [0, 1, 2].map(|row| table.number(row, column));
        assert_eq!(numbers(0), [Some(1.5), None, Some(-2e-7)]);
        assert_eq!(numbers(1), [Some(0.5), None, None]);
        assert_eq!(numbers(2), [Some(7.0), None, Some(-8.0)]);
        assert_eq!(numbers(3), [Some(0.0), Some(255.0), Some(3.0)]);
        assert_eq!(texts_of(&table, 4), ["9007199254740993", "1", "2"]);
        assert_eq!(texts_of(&table, 5), ["true", "", "false"]);
        assert_eq!((numbers(6), texts_of(&table, 6)[2].as_str()), ([None, None, Some(12.0)], "12 %"));
        assert_eq!(texts_of(&table, 7), ["a", "007", "c"]);
        assert_eq!(texts_of(&table, 8)[2], "a text of more than twelve bytes");
        assert_eq!(texts_of(&table, 9), ["b", "", "b"]);
        let missing = |column| [0, 1, 2].map(|row| table.is_missing(row, column));
        for column in [0, 2, 5, 6, 8, 9] {
            assert_eq!(missing(column), [false, true, false], "{}", table.columns()[column]);
        }
        assert_eq!((missing(1), missing(10)), ([false, true, false], [true; 3]));
        assert_eq!(texts_of(&table, 11), ["1970-01-01", "", "2026-11-27"]);
        assert_eq!((texts_of(&table, 12)[0].as_str(), numbers(12)), ("123.45", [Some(123.45), None, Some(-0.07)]));
        assert_eq!(texts_of(&table, 13), ["1970-01-02", "", "1970-01-02T00:01:01"]);
        assert!(!table.is_matrix());
    }

    #[test]
    fn batches_follow_each_other_and_mean_what_the_same_csv_does() {
        let batches = [0, 5000, 10_000].map(|start| {
            let rows = start..start + 5000;
            let city = rows.clone().map(|i| format!("city {}", i % 7)).collect::<Vec<_>>();
            let dictionary: DictionaryArray<Key> = city.iter().map(String::as_str).collect();
            batch(vec![
                ("x", Arc::new(Float64Array::from_iter_values(rows.clone().map(|i| f64::from(i) / 7.0)))),
                ("city", Arc::new(dictionary)),
                ("name", Arc::new(StringArray::from_iter_values(rows.clone().map(|i| format!("name {i}"))))),
                ("y", Arc::new(Int64Array::from_iter_values(rows.map(|i| i64::from(i) % 3)))),
            ])
        });
        let table = Table::from_batches("frame", &batches).unwrap();
        let row = |i: i32| format!("{},city {},name {i},{}\n", f64::from(i) / 7.0, i % 7, i % 3);
        let csv: String = (0..15_000).map(row).collect();
        let read = Table::read("frame", format!("x,city,name,y\n{csv}").as_bytes()).unwrap();
        for column in 0..4 {
            assert_eq!(texts_of(&table, column), texts_of(&read, column));
        }
    }

    #[test]
    fn numbers_become_texts_where_a_later_batch_has_some_that_are_no_double() {
        let small = Int64Array::from(vec![Some(7), None, Some(1 << 53)]);
        let large = Int64Array::from(vec![Some((1 << 53) + 1), Some(-8)]);
        let table = Table::from_batches("frame", &[one_column(small), one_column(large)]).unwrap();
        assert_eq!(texts_of(&table, 0), ["7", "", "9007199254740992", "9007199254740993", "-8"]);
        assert!(table.is_missing(1, 0));
    }

    #[test]
    fn a_column_of_floats_is_not_copied() {
        let numbers = Float64Array::from_iter_values((0..100).map(f64::from));
        let table = Table::from_batches("frame", &[batch(vec![("x", Arc::new(numbers.clone()))])]).unwrap();
        assert_eq!(table.cells(0).numbers().unwrap().values().as_ptr(), numbers.values().as_ptr());
    }

    #[test]
    fn frames_that_are_no_table_are_refused() {
        let message = |batches: &[RecordBatch]| Table::from_batches("frame", batches).unwrap_err().to_string();
        let one = |array: ArrayRef| batch(vec![("x", array)]);
        assert_eq!(message(&[]), "frame: expected at least one row, got none");
        assert_eq!(message(&[one(Arc::new(NullArray::new(0)))]), "frame: expected at least one row, got none");
        let two = [one(Arc::new(NullArray::new(1))), one(Arc::new(UInt8Array::from(vec![1])))];
        assert_eq!(message(&two), "frame: expected the same columns in each batch, got others");
        let bytes = message(&[one(Arc::new(BinaryArray::from(vec![&b"x"[..]])))]);
        assert_eq!(
            bytes,
            "frame: expected numbers, booleans, strings, dates or dictionaries of these, got Binary in column `x`"
        );
    }
}
