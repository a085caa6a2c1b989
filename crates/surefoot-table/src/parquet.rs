//! Parquet files, with the feature `parquet`.

use std::panic::catch_unwind;

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::builder::Builder;
use crate::error::{Error, Reason, Result};
use crate::table::{Names, Table};

/// The first bytes of a Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// Reads a Parquet file whose columns are numbers, texts, dates or yes and no. A cell's line is its row, from 1.
///
/// # Errors
/// [`Error::Format`] when it is not a Parquet file, is damaged, or has cells that are lists or groups; [`Error::Columns`]
/// when two columns have one name or there is no row.
pub(crate) fn read(file: &str, bytes: Vec<u8>) -> Result<Table> {
    // the library panics at some damaged files
    catch_unwind(|| read_rows(file, bytes)).unwrap_or_else(|_| {
        let (expected, got) = ("a Parquet file", "a damaged one, at which its reader panicked");
        Err(Error::format(file, Reason::Format, expected, got))
    })
}

fn read_rows(file: &str, bytes: Vec<u8>) -> Result<Table> {
    let format = |error: String| Error::format(file, Reason::Format, "a Parquet file", error);
    let wrong = |error: parquet::errors::ParquetError| format(error.to_string());
    let reader = SerializedFileReader::new(Bytes::from(bytes)).map_err(wrong)?;
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let names = Names::new(file, fields.iter().map(|field| field.name().to_string()).collect());
    names.check()?;
    let mut builder = Builder::new(names, false);
    for (row, cells) in reader.get_row_iter(None).map_err(wrong)?.enumerate() {
        let cells = cells.map_err(wrong)?.into_columns();
        let cells = cells.iter().map(|(name, field)| match field {
            Field::Null => Ok(String::new()),
            Field::Str(text) => Ok(text.clone()),
            Field::Double(number) => Ok(number.to_string()),
            Field::Float(number) => Ok(number.to_string()),
            Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => {
                Err(format(format!("a list or group in column `{name}`, row {}", row + 1)))
            }
            other => Ok(other.to_string()),
        });
        builder.push(cells.collect::<Result<Vec<_>>>()?.iter().map(String::as_str), row as u64 + 1);
    }
    if builder.rows() == 0 {
        return Err(Error::columns(file, Reason::Columns, "at least one row", "none"));
    }
    Ok(builder.finish())
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
            let table = read("t.parquet", file(compression)).unwrap();
            assert_eq!(table.columns(), ["a", "b", "c", "y"]);
            assert_eq!([0, 1, 2].map(|row| table.number(row, 0)), [Some(1.5), Some(-2e-7), Some(3.0)]);
            assert_eq!([table.cell(0, 1), table.cell(0, 2), table.cell(1, 3)], ["x, y", "true", "-8"]);
            assert!(table.is_missing(1, 1) && !table.is_missing(2, 1));
        }
    }

    #[test]
    fn a_file_cut_anywhere_or_with_a_byte_changed_is_an_error_or_a_table() {
        let whole = file(Compression::SNAPPY);
        assert!((0..whole.len()).all(|length| read("t", whole[..length].to_vec()).is_err()));
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            let _ = read("t", changed);
        }
    }
}
