//! Parquet files, with the feature `parquet`.

use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::error::{Error, Reason, Result};
use crate::notation::Told;
use crate::progress::{Counted, Progress};
use crate::table::Table;

/// Rows that are unpacked at a time.
const ROWS: usize = 1 << 16;

/// Reads a Parquet file whose columns are numbers, texts, dates or yes and no, batch by batch. A cell's line is its row, from 1.
///
/// # Errors
/// [`Error::Format`] when it is not a Parquet file, is damaged, or has cells that are lists or groups; [`Error::Columns`]
/// when there is no row.
pub(crate) fn read(file: &str, bytes: impl ChunkReader + 'static, told: &Told, progress: &Progress) -> Result<Table> {
    let open = || ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(ROWS).build();
    let mut reader = caught(file, open)?;
    let next = || {
        let batch = caught(file, || Ok(reader.next().transpose()?)).transpose();
        progress.add_rows(batch.iter().flatten().map(RecordBatch::num_rows).sum());
        batch
    };
    Table::of_batches(file, std::iter::from_fn(next), told)
}

impl Length for Counted<File> {
    fn len(&self) -> u64 {
        self.inner.len()
    }
}

impl ChunkReader for Counted<File> {
    type T = BufReader<File>;

    /// For the heads of pages, which are not counted: more than they have is read to find their ends.
    fn get_read(&self, start: u64) -> std::result::Result<Self::T, ParquetError> {
        self.inner.get_read(start)
    }

    fn get_bytes(&self, start: u64, length: usize) -> std::result::Result<Bytes, ParquetError> {
        self.progress.add_bytes(length);
        self.inner.get_bytes(start, length)
    }
}

/// What the library reads; it panics at some damaged files.
fn caught<T>(file: &str, read: impl FnOnce() -> std::result::Result<T, ParquetError>) -> Result<T> {
    let wrong = |got: String| Error::format(file, Reason::Format, "a Parquet file", got);
    let read = catch_unwind(AssertUnwindSafe(read));
    let read = read.map_err(|_| wrong("a damaged one, at which its reader panicked".into()))?;
    read.map_err(|error| wrong(error.to_string()))
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
            let table =
                read("t.parquet", Bytes::from(file(compression)), &Told::default(), &Progress::default()).unwrap();
            assert_eq!(table.columns(), ["a", "b", "c", "y"]);
            assert_eq!([0, 1, 2].map(|row| table.number(row, 0)), [Some(1.5), Some(-2e-7), Some(3.0)]);
            assert_eq!([table.cell(0, 1), table.cell(0, 2), table.cell(1, 3)], ["x, y", "true", "-8"]);
            assert!(table.is_missing(1, 1) && !table.is_missing(2, 1));
        }
    }

    #[test]
    fn rows_and_bytes_are_counted_as_a_file_is_read_where_it_lies() {
        let bytes = file(Compression::SNAPPY);
        let mut inner = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut inner, &bytes).unwrap();
        let progress = std::sync::Arc::new(Progress::default());
        let counted = Counted { inner, progress: progress.clone() };
        let table = read("t.parquet", counted, &Told::default(), &progress).unwrap();
        assert_eq!((table.rows(), progress.rows()), (3, 3));
        assert_eq!([table.cell(0, 1), table.cell(2, 3)], ["x, y", "9"]);
        let read = progress.bytes();
        assert!(read > 0 && read <= 2 * bytes.len() as u64, "{read} of {}", bytes.len());
    }

    #[test]
    fn a_file_cut_anywhere_or_with_a_byte_changed_is_an_error_or_a_table() {
        let whole = file(Compression::SNAPPY);
        assert!((0..whole.len()).all(|length| {
            read("t", Bytes::copy_from_slice(&whole[..length]), &Told::default(), &Progress::default()).is_err()
        }));
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            let _ = read("t", Bytes::from(changed), &Told::default(), &Progress::default());
        }
    }
}
