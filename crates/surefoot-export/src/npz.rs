//! NumPy's archive of arrays: the tensors under the names that they have in the model file, and `metadata`, the JSON object of
//! that file as a text.

use std::io::{Cursor, Write};

use surefoot::Model;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::error::Result;
use crate::layers::{Numbers, networks};

pub(crate) fn export(model: &Model) -> Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    // without a time, so that the same model makes the same file
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .large_file(true);
    let mut add = |name: &str, array: Vec<u8>| -> Result<()> {
        archive.start_file(format!("{name}.npy"), options)?;
        Ok(archive.write_all(&array)?)
    };
    for tensor in networks(model).into_iter().flatten().flatten() {
        let kind = match tensor.numbers {
            Numbers::F32(_) => "<f4",
            Numbers::F64(_) => "<f8",
        };
        add(&tensor.name, array(kind, &tensor.shape, &tensor.numbers.to_le_bytes()))?;
    }
    let letters: Vec<u32> = model.metadata()?.chars().map(u32::from).collect();
    let bytes: Vec<u8> = letters.iter().flat_map(|letter| letter.to_le_bytes()).collect();
    add("metadata", array(&format!("<U{}", letters.len()), &[], &bytes))?;
    Ok(archive.finish()?.into_inner())
}

/// An `.npy` file of version 2, whose header may be long.
///
/// Source: NumPy, *NEP 1: a simple file format for NumPy arrays*.
fn array(kind: &str, shape: &[usize], numbers: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|count| format!("{count}, ")).collect();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    let begin = b"\x93NUMPY\x02\x00".len() + 4;
    // the numbers begin at a multiple of 64
    let length = (begin + header.len() + 1).next_multiple_of(64) - begin;
    header.extend(std::iter::repeat_n(' ', length - header.len() - 1));
    header.push('\n');
    [b"\x93NUMPY\x02\x00", (length as u32).to_le_bytes().as_slice(), header.as_bytes(), numbers].concat()
}
