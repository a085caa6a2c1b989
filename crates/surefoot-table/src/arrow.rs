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
use arrow_schema::{DataType, TimeUnit};

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
        let table = Table::of_batches(name, batches, &Told::default())?;
        table.check_names()?;
        Ok(table)
    }

    /// The same of a file, where the caller may have said how texts are read.
    pub(crate) fn of_batches(name: &str, batches: &[RecordBatch], told: &Told) -> Result<Self> {
        let wrong = |expected: &str, got: &str| Err(Error::columns(name, Reason::Columns, expected, got));
        let Some(first) = batches.first() else { return wrong("at least one row", "none") };
        let fields = first.schema_ref().fields();
        let is_alike = |batch: &RecordBatch| {
            let others = batch.schema_ref().fields().iter();
            others.map(|field| (field.name(), field.data_type())).eq(fields.iter().map(|f| (f.name(), f.data_type())))
        };
        if !batches.iter().all(is_alike) {
            return wrong("the same columns in each batch", "others");
        }
        let names = Names::new(name, fields.iter().map(|field| field.name().clone()).collect());
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        if rows == 0 {
            return wrong("at least one row", "none");
        }
        let column = |(place, field): (usize, &arrow_schema::FieldRef)| {
            let parts: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(place)).collect();
            column(&parts, told).ok_or_else(|| {
                let expected = "numbers, booleans, strings, dates or dictionaries of these";
                let got = format!("{} in column `{}`", field.data_type(), field.name());
                Error::format(name, Reason::Format, expected, got)
            })
        };
        let columns = fields.iter().enumerate().map(column).collect::<Result<_>>()?;
        Ok(Table::new(names, columns, Lines::counted(rows)))
    }
}

/// The cells of a column in several parts; `None` for a type that is not understood.
fn column(parts: &[&ArrayRef], told: &Told) -> Option<Cells> {
    if let [part] = parts
        && let Some(numbers) = part.as_primitive_opt::<Float64Type>()
        && let Some(cells) = Cells::of_array(numbers)
    {
        return Some(cells);
    }
    if let Some(numbers) = parts.iter().map(|part| numbers(part)).collect::<Option<Vec<_>>>() {
        return Some(Cells::of_numbers(numbers.concat()));
    }
    let mut texts = parts.iter().map(|part| texts(part.as_ref())).collect::<Option<Vec<_>>>()?.into_iter().flatten();
    let mut column: Option<Growing> = None;
    loop {
        let block: Vec<Cow<'_, str>> = texts.by_ref().take(BLOCK).collect();
        match &mut column {
            None => column = Some(Growing::new(|| block.iter())),
            Some(_) if block.is_empty() => return settled(told, column.into_iter().collect()).pop(),
            Some(column) => column.extend(block.iter().map(AsRef::as_ref)),
        }
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
