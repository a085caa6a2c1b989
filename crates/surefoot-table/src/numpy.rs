//! Arrays of NumPy: `.npy`, and `.npz` with several of them.

use std::io::{Cursor, Read, Seek};

use ndarray::{Array2, ArrayD, ArrayView2, ArrayViewD, Axis, concatenate};
use ndarray_npy::{ReadNpyError, ReadNpyExt};
use zip::ZipArchive;

use crate::error::{Error, Reason, Result};
use crate::part::Part;
use crate::table::{Names, Table, pixel_names};

/// The most that one array of a `.npz` may unpack to, as a multiple of its size, beyond `SMALL`.
const LARGEST_RATIO: u64 = 1100;
const SMALL: u64 = 1 << 20;
/// Columns that are taken out of a matrix at a time: numbers that are beside each other in a line of the cache.
const COLUMNS: usize = 8;

/// Reads `.npy`: rows × columns; of a longer shape all but the first dimension are columns.
///
/// # Errors
/// [`Error::Format`] when it is not a `.npy` file, is cut short, or has no numbers.
pub(crate) fn read_npy(file: &str, bytes: &[u8]) -> Result<Table> {
    let array = array(file, bytes)?;
    let (columns, numbers) = by_rows(file, "column", array)?;
    table(file, columns, numbers.view())
}

/// Reads `.npz`: all its arrays side by side, in their order. Of arrays whose names end in `_train` and `_test` those of the
/// part are taken. The column of an array of one dimension has its name, and one named y, label, labels, target or targets
/// has the targets; the others are numbered, as `x_1`.
///
/// # Errors
/// As [`read_npy`], and [`Error::Columns`] when the arrays differ in their rows.
pub(crate) fn read_npz(file: &str, bytes: impl Read + Seek, part: Part) -> Result<Table> {
    let format = |error: String| Error::format(file, Reason::Format, "an .npz file", error);
    let mut archive = ZipArchive::new(bytes).map_err(|error| format(error.to_string()))?;
    let names = archive.file_names().map(|name| name.map(String::from)).collect::<std::result::Result<Vec<_>, _>>();
    let names = names.map_err(|error| format(error.to_string()))?;
    let (wanted, other) = if part == Part::Training { ("_train", "_test") } else { ("_test", "_train") };
    let stem = |name: &str| name.strip_suffix(".npy").map(String::from);
    let has_parts = names.iter().filter_map(|name| stem(name)).any(|name| name.ends_with(wanted));
    let (mut columns, mut parts, mut label) = (Vec::new(), Vec::new(), None);
    for name in &names {
        let Some(short) = stem(name).filter(|name| !(has_parts && name.ends_with(other))) else { continue };
        let mut entry = archive.by_name(name).map_err(|error| format(error.to_string()))?;
        let largest = SMALL + LARGEST_RATIO * entry.compressed_size();
        let mut bytes = Vec::new();
        let read = entry.by_ref().take(largest).read_to_end(&mut bytes);
        read.map_err(|source| Error::Io { path: file.into(), source })?;
        if bytes.len() as u64 == largest {
            let expected = format!("at most {LARGEST_RATIO} times its size in `{short}`");
            return Err(Error::format(file, Reason::Format, expected, "more"));
        }
        let array = array(file, &bytes)?;
        let short = short.strip_suffix(wanted).unwrap_or(&short).to_string();
        if array.ndim() == 1 && ["y", "label", "labels", "target", "targets"].contains(&&*short.to_lowercase()) {
            label = Some(short.clone());
        }
        let (names, numbers) = by_rows(file, &short, array)?;
        columns.extend(names);
        parts.push(numbers);
    }
    let rows: Vec<String> = parts.iter().map(|part| part.nrows().to_string()).collect();
    let parts: Vec<_> = parts.iter().map(|part| part.view()).collect();
    match concatenate(Axis(1), &parts) {
        Ok(numbers) => Ok(table(file, columns, numbers.view())?.with_label(label)),
        Err(_) if parts.is_empty() => Err(Error::format(file, Reason::NoArray, "an .npz file", "no array")),
        Err(_) => Err(Error::columns(file, Reason::Columns, "as many rows in each array", rows.join(", "))),
    }
}

fn table(file: &str, columns: Vec<String>, numbers: ArrayView2<'_, f64>) -> Result<Table> {
    let names = Names::new(file, columns);
    names.check()?;
    // a few columns at a time: a matrix that lies row by row is passed through once for them, and not all are there twice
    let columns = numbers.axis_chunks_iter(Axis(1), COLUMNS).flat_map(|some| {
        let mut columns: Vec<Vec<f64>> = some.columns().into_iter().map(|_| Vec::with_capacity(some.nrows())).collect();
        some.rows().into_iter().for_each(|row| columns.iter_mut().zip(row).for_each(|(column, x)| column.push(*x)));
        columns
    });
    Ok(Table::of_matrix(names, columns))
}

/// Any array of numbers, as double precision.
fn array(file: &str, bytes: &[u8]) -> Result<ArrayD<f64>> {
    let format = |expected: &str, got: String| Error::format(file, Reason::Format, expected, got);
    if promised(bytes).is_none_or(|count| count > bytes.len()) {
        return Err(format("an .npy file with all the numbers that its shape says", "fewer bytes".into()));
    }
    macro_rules! of_type {
        ($($number:ty as $cast:expr),*) => {
            $(match ArrayD::<$number>::read_npy(Cursor::new(bytes)) {
                Ok(array) => return Ok(array.mapv($cast)),
                Err(ReadNpyError::WrongDescriptor(_)) => {}
                Err(error) => return Err(format("an .npy file", error.to_string())),
            })*
        };
    }
    of_type!(
        f64 as |x| x, f32 as f64::from, u8 as f64::from, i64 as |x| x as f64, i32 as f64::from, i16 as f64::from,
        i8 as f64::from, u64 as |x| x as f64, u32 as f64::from, u16 as f64::from, bool as |x| f64::from(u8::from(x))
    );
    let head = String::from_utf8_lossy(bytes.get(10..).unwrap_or_default().get(..80).unwrap_or_default()).into_owned();
    Err(format("numbers: floats of 4 or 8 bytes, integers, or bool", head))
}

/// How many numbers the head of a `.npy` file says there are, before memory is taken for them.
fn promised(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..bytes.len().min(1 << 16))?;
    let place = head.windows(8).position(|window| window == b"'shape':")? + 8;
    let shape: &[u8] = head.get(place..)?.split(|&byte| byte == b')').next()?;
    let sizes = std::str::from_utf8(shape).ok()?.trim().trim_start_matches('(');
    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
    sizes.map(|size| size.parse::<usize>().ok()).try_fold(1usize, |product, size| product.checked_mul(size?))
}

/// As rows × columns, with names.
fn by_rows(file: &str, name: &str, array: ArrayD<f64>) -> Result<(Vec<String>, Array2<f64>)> {
    let error = |got: String| Err(Error::format(file, Reason::Format, "rows of numbers", got));
    let shape = array.shape().to_vec();
    let shown = || format!("an array of the shape {shape:?}");
    let Some((&rows, columns)) = shape.split_first() else { return error(shown()) };
    if array.is_empty() {
        return error(shown());
    }
    let names = match columns {
        [] => vec![name.to_string()],
        [columns] => (1..=*columns).map(|i| format!("{name}_{i}")).collect(),
        sizes => pixel_names(sizes),
    };
    let view: ArrayViewD<'_, f64> = array.view();
    match view.to_shape((rows, names.len())) {
        Ok(matrix) => Ok((names, matrix.to_owned())),
        Err(_) => error(shown()),
    }
}
