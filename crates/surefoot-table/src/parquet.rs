//! Parquet files, with the feature `parquet`.

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use crate::error::{Error, Result};
use crate::table::{Cells, Names, Table, Text};

/// The first bytes of a Parquet file.
pub(crate) const MAGIC: &[u8] = b"PAR1";

/// Reads a Parquet file whose columns are numbers, texts, dates or yes and no. A cell's line is its row, from 1.
///
/// # Errors
/// [`Error::Format`] when it is not a Parquet file, is damaged, or has cells that are lists or groups; [`Error::Columns`]
/// when two columns have one name or there is no row.
pub(crate) fn read(file: &str, bytes: Vec<u8>) -> Result<Table> {
    let format = |error: String| Error::Format { file: file.into(), expected: "a Parquet file".into(), got: error };
    let wrong = |error: parquet::errors::ParquetError| format(error.to_string());
    let reader = SerializedFileReader::new(Bytes::from(bytes)).map_err(wrong)?;
    let fields = reader.metadata().file_metadata().schema().get_fields();
    let names = Names::new(file, fields.iter().map(|field| field.name().to_string()).collect());
    names.check()?;
    let mut text = Text::new(names.columns.len(), false);
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
        text.push_cells(cells.collect::<Result<Vec<_>>>()?.iter().map(String::as_str), row as u64 + 1);
    }
    if text.rows() == 0 {
        let (expected, got) = ("at least one row".into(), "none".into());
        return Err(Error::Columns { file: file.into(), expected, got });
    }
    Ok(Table::new(names, Cells::Text(text), None))
}
