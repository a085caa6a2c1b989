//! Parquet files, with the feature `parquet`.

use std::panic::catch_unwind;

use arrow_array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

use crate::error::{Error, Reason, Result};
use crate::notation::Told;
use crate::table::Table;

/// Rows that are unpacked at a time.
const ROWS: usize = 1 << 16;

/// Reads a Parquet file whose columns are numbers, texts, dates or yes and no. A cell's line is its row, from 1.
///
/// # Errors
/// [`Error::Format`] when it is not a Parquet file, is damaged, or has cells that are lists or groups; [`Error::Columns`]
/// when there is no row.
pub(crate) fn read(file: &str, bytes: Vec<u8>, told: &Told) -> Result<Table> {
    let read = move || -> std::result::Result<Vec<RecordBatch>, ParquetError> {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))?.with_batch_size(ROWS).build()?;
        Ok(reader.collect::<std::result::Result<_, _>>()?)
    };
    let wrong = |got: String| Error::format(file, Reason::Format, "a Parquet file", got);
    // the library panics at some damaged files
    let batches = catch_unwind(read).map_err(|_| wrong("a damaged one, at which its reader panicked".into()))?;
    Table::of_batches(file, &batches.map_err(|error| wrong(error.to_string()))?, told)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::basic::{Compression, ZstdLevel};
    use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// Three rows of a number, a text that is missing once, a yes or no, and a whole number.
    fn file(compression: Compression) -> Vec<u8> {
        let schema = "message m { required double a; optional binary b (UTF8); required boolean c; required int32 y; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
        let mut rows = writer.next_row_group().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&[1.5, -2e-7, 3.0], None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        let texts = [ByteArray::from("x, y"), ByteArray::from("z")];
        column.typed::<ByteArrayType>().write_batch(&texts, Some(&[1, 0, 1]), None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<BoolType>().write_batch(&[true, false, true], None, None).unwrap();
        column.close().unwrap();
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&[7, -8, 9], None, None).unwrap();
        column.close().unwrap();
        rows.close().unwrap();
        writer.close().unwrap();
        bytes
    }

    #[test]
    fn columns_of_numbers_texts_and_yes_or_no_are_read() {
        for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default())] {
            let table = read("t.parquet", file(compression), &Told::default()).unwrap();
            assert_eq!(table.columns(), ["a", "b", "c", "y"]);
            assert_eq!([0, 1, 2].map(|row| table.number(row, 0)), [Some(1.5), Some(-2e-7), Some(3.0)]);
            assert_eq!([table.cell(0, 1), table.cell(0, 2), table.cell(1, 3)], ["x, y", "true", "-8"]);
            assert!(table.is_missing(1, 1) && !table.is_missing(2, 1));
        }
    }

    #[test]
    fn a_file_cut_anywhere_or_with_a_byte_changed_is_an_error_or_a_table() {
        let whole = file(Compression::SNAPPY);
        assert!((0..whole.len()).all(|length| read("t", whole[..length].to_vec(), &Told::default()).is_err()));
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            let _ = read("t", changed, &Told::default());
        }
    }
}
