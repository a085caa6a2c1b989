//! Files and streams of Arrow, and so Feather of version 2.

use std::io::Cursor;
use std::panic::catch_unwind;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::ArrowError;

use crate::error::{Error, Reason, Result};
use crate::notation::Told;
use crate::table::Table;

/// Reads a file (`is_file`) or a stream.
///
/// # Errors
/// [`Error::Format`] when it is damaged; as [`Table::from_batches`].
pub(crate) fn read(file: &str, bytes: Vec<u8>, is_file: bool, told: &Told) -> Result<Table> {
    let read = move || -> std::result::Result<Vec<RecordBatch>, ArrowError> {
        let bytes = Cursor::new(bytes);
        if is_file {
            FileReader::try_new(bytes, None)?.collect()
        } else {
            StreamReader::try_new(bytes, None)?.collect()
        }
    };
    let wrong = |got: String| Error::format(file, Reason::Format, "an Arrow file", got);
    // the library may panic at damaged files
    let batches = catch_unwind(read).unwrap_or_else(|_| Err(ArrowError::IpcError("its reader panicked".into())));
    Table::of_batches(file, &batches.map_err(|error| wrong(error.to_string()))?, told)
}
