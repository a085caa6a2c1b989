//! Files and streams of Arrow, and so Feather of version 2.

use std::io::Cursor;
use std::panic::catch_unwind;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader, read_footer_length};
use arrow_ipc::{Block, Message, root_as_footer, root_as_message};
use arrow_schema::ArrowError;

use crate::error::{Error, Reason, Result};
use crate::idx::SMALL;
use crate::notation::Told;
use crate::table::Table;

/// The most that a file may unpack to, as a multiple of its size, beyond `SMALL`: constant columns pack well.
const LARGEST_RATIO: u64 = 1100;
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Reads a file (`is_file`) or a stream.
///
/// # Errors
/// [`Error::Format`] when it is damaged; as [`Table::from_batches`].
pub(crate) fn read(file: &str, bytes: Vec<u8>, is_file: bool, told: &Told) -> Result<Table> {
    let read = move || -> Checked<Vec<RecordBatch>> {
        let messages = if is_file { messages_of_file(&bytes)? } else { messages_of_stream(&bytes)? };
        check_sizes(&messages, bytes.len())?;
        let bytes = Cursor::new(&bytes);
        let batches = match is_file {
            true => FileReader::try_new(bytes, None).and_then(Iterator::collect),
            false => StreamReader::try_new(bytes, None).and_then(Iterator::collect),
        };
        batches.map_err(|error: ArrowError| error.to_string())
    };
    let wrong = |got: String| Error::format(file, Reason::Format, "an Arrow file", got);
    // the library may panic at damaged files
    let batches = catch_unwind(read).unwrap_or_else(|_| Err("its reader panicked".into()));
    Table::of_batches(file, batches.map_err(wrong)?.into_iter().map(Ok), told)
}

// The reader asks for as much memory as the file says. What it says is looked at here before.
//
// Source: Apache Arrow, *Arrow Columnar Format*, sections *Encapsulated message format*, *IPC File Format* and *Compression*.

/// A message, and the buffers of its arrays.
type Encapsulated<'a> = (Message<'a>, &'a [u8]);
type Checked<T> = std::result::Result<T, String>;

fn cut() -> String {
    "one of which a part is missing".into()
}

/// Those that the footer of a file tells of.
fn messages_of_file(bytes: &[u8]) -> Checked<Vec<Encapsulated<'_>>> {
    let (rest, end) = bytes.split_last_chunk().ok_or_else(cut)?;
    let start = rest.len().checked_sub(read_footer_length(*end).map_err(|error| error.to_string())?).ok_or_else(cut)?;
    let footer = root_as_footer(&rest[start..]).map_err(|error| error.to_string())?;
    let message = |block: &Block| {
        let part = bytes.get(usize::try_from(block.offset()).ok()?..)?;
        let (metadata, part) = part.split_at_checked(usize::try_from(block.metaDataLength()).ok()?)?;
        let body = part.get(..usize::try_from(block.bodyLength()).ok()?)?;
        let metadata = metadata.strip_prefix(&CONTINUATION).unwrap_or(metadata);
        Some((root_as_message(metadata.get(4..)?).ok()?, body))
    };
    let blocks = footer.dictionaries().into_iter().chain(footer.recordBatches()).flatten();
    blocks.map(|block| message(block).ok_or_else(cut)).collect()
}

/// Those of a stream, up to its end or to where it is damaged.
fn messages_of_stream(mut stream: &[u8]) -> Checked<Vec<Encapsulated<'_>>> {
    let mut messages = Vec::new();
    loop {
        let part = stream.strip_prefix(&CONTINUATION).unwrap_or(stream);
        let Some((length, part)) = part.split_first_chunk() else { return Ok(messages) };
        let (metadata, part) = part.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(cut)?;
        let Ok(message) = root_as_message(metadata) else { return Ok(messages) };
        let length = usize::try_from(message.bodyLength()).map_err(|_| cut())?;
        let (body, rest) = part.split_at_checked(length).ok_or_else(cut)?;
        messages.push((message, body));
        stream = rest;
    }
}

/// Refuses what says that it unpacks to far more than its size.
fn check_sizes(messages: &[Encapsulated<'_>], size: usize) -> Checked<()> {
    let mut left = SMALL + LARGEST_RATIO * size as u64;
    for (message, body) in messages {
        let dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
        let batch = message.header_as_record_batch().or(dictionary);
        let packed = batch.filter(|batch| batch.compression().is_some());
        for buffer in packed.and_then(|batch| batch.buffers()).into_iter().flatten() {
            let bytes = usize::try_from(buffer.offset()).ok().and_then(|start| body.get(start..)?.first_chunk());
            // a negative number: not packed
            let unpacked = bytes.map_or(0, |bytes| i64::from_le_bytes(*bytes).max(0) as u64);
            let too_many = || format!("one that unpacks to more than {LARGEST_RATIO} times its size");
            left = left.checked_sub(unpacked).ok_or_else(too_many)?;
        }
    }
    Ok(())
}
