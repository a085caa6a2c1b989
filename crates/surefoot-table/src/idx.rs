//! IDX files, in which MNIST, Fashion-MNIST and their like come: a whole array of numbers, packed with gzip or not.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))] // the bytes are a stranger's

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use ndarray::Array2;
use surefoot::Scalar;

use crate::error::{Error, Reason, Result};
use crate::table::{Names, Table, pixel_names};

/// The array of an IDX file: two bytes of zero, a byte for the kind of number, a byte for how many dimensions, each of
/// these as a big-endian 32-bit number, then all numbers, big-endian, the last dimension running fastest.
///
/// Source: Yann LeCun, *The MNIST database of handwritten digits*, "The IDX file format".
#[derive(Clone, Debug)]
pub struct Idx {
    shape: Vec<usize>,
    kind: Kind,
    bytes: Vec<u8>,
}

/// The kinds of number that the format has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl Kind {
    fn of(code: u8) -> Option<Kind> {
        Some(match code {
            0x08 => Kind::U8,
            0x09 => Kind::I8,
            0x0b => Kind::I16,
            0x0c => Kind::I32,
            0x0d => Kind::F32,
            0x0e => Kind::F64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Kind::U8 | Kind::I8 => 1,
            Kind::I16 => 2,
            Kind::I32 | Kind::F32 => 4,
            Kind::F64 => 8,
        }
    }

    /// The number of these bytes, as many as [`size`](Self::size); exact, whichever the kind.
    fn number(self, bytes: &[u8]) -> f64 {
        let mut wide = [0; 8];
        wide.iter_mut().zip(bytes).for_each(|(wide, byte)| *wide = *byte);
        let [a, b, c, d, ..] = wide;
        match self {
            Kind::U8 => f64::from(a),
            Kind::I8 => f64::from(a as i8),
            Kind::I16 => f64::from(i16::from_be_bytes([a, b])),
            Kind::I32 => f64::from(i32::from_be_bytes([a, b, c, d])),
            Kind::F32 => f64::from(f32::from_be_bytes([a, b, c, d])),
            Kind::F64 => f64::from_be_bytes(wide),
        }
    }
}

/// The column that labels become.
const LABEL: &str = "label";
/// The most dimensions that are read.
const DIMENSIONS: usize = 8;
/// The most that a packed file may unpack to, as a multiple of its size, beyond `SMALL`: images of MNIST are packed to a
/// tenth, but gzip can promise a thousand times as much as there is.
pub(crate) const LARGEST_RATIO: u64 = 200;
pub(crate) const SMALL: u64 = 1 << 20;

impl Idx {
    /// Reads a file; one that begins as gzip does is unpacked.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Format`] when it is not an IDX file, has fewer or more bytes than
    /// its own head says, or would unpack to more than a megabyte and 200 times its size.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let io = |source| Error::Io { path: path.into(), source };
        let mut file = File::open(path).map_err(io)?;
        let mut start = Vec::new();
        file.by_ref().take(2).read_to_end(&mut start).map_err(io)?;
        file.rewind().map_err(io)?;
        let name = path.display().to_string();
        let file = BufReader::new(file);
        let size = file.get_ref().metadata().map_err(io)?.len();
        if start == [0x1f, 0x8b] { Idx::unpack(&name, file, size) } else { Idx::read(&name, file) }
    }

    /// Reads a packed file of so many bytes.
    fn unpack(file: &str, packed: impl BufRead, size: u64) -> Result<Self> {
        Idx::read_up_to(file, MultiGzDecoder::new(packed), SMALL + LARGEST_RATIO * size)
    }

    /// Reads the bytes of a packed file, which errors call `file`.
    pub(crate) fn read_packed(file: &str, bytes: &[u8]) -> Result<Self> {
        Idx::unpack(file, bytes, bytes.len() as u64)
    }

    /// Reads the bytes of an unpacked file, which errors call `file`. Memory is taken as the bytes come, not as the head
    /// promises.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(file: &str, reader: impl Read) -> Result<Self> {
        Idx::read_up_to(file, reader, isize::MAX as u64)
    }

    fn read_up_to(file: &str, mut reader: impl Read, largest: u64) -> Result<Self> {
        let mut take = |count: usize| -> Result<Vec<u8>> {
            let mut bytes = Vec::new();
            let read = reader.by_ref().take(count as u64).read_to_end(&mut bytes);
            read.map_err(|source| Error::Io { path: file.into(), source })?;
            Ok(bytes)
        };
        let wrong = |expected: String, got: String| Err(Error::format(file, Reason::Format, expected, got));
        let magic = take(4)?;
        let (kind, dimensions) = match magic[..] {
            [0, 0, code, dimensions] if Kind::of(code).is_some() && dimensions > 0 => {
                (Kind::of(code), dimensions.into())
            }
            _ => (None, 0),
        };
        let Some(kind) = kind else {
            let expected = "the start of an IDX file: 0, 0, a kind of number from 8 to 14, how many dimensions";
            return wrong(expected.into(), format!("the bytes {magic:?}"));
        };
        if dimensions > DIMENSIONS {
            return wrong(format!("at most {DIMENSIONS} dimensions"), dimensions.to_string());
        }
        let head = take(4 * dimensions)?;
        let (sizes, rest) = head.as_chunks::<4>();
        if sizes.len() < dimensions || !rest.is_empty() {
            return wrong(format!("{dimensions} dimensions of 4 bytes"), format!("{} bytes", head.len()));
        }
        let shape: Vec<usize> = sizes.iter().map(|size| u32::from_be_bytes(*size) as usize).collect();
        let length = shape.iter().try_fold(kind.size(), |product, &size| product.checked_mul(size));
        let shown = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        if length == Some(0) {
            return wrong("at least one number in each dimension".into(), shown);
        }
        let Some(length) = length.filter(|&length| (length as u64) < largest) else {
            return wrong(format!("at most {largest} bytes of numbers from a file of this size"), shown);
        };
        let bytes = take(length + 1)?;
        if bytes.len() != length {
            let more = if bytes.len() > length { "more" } else { &bytes.len().to_string() };
            return wrong(format!("{length} bytes after the head, for {shown} numbers"), more.into());
        }
        Ok(Idx { shape, kind, bytes })
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The first dimension, and the others.
    pub(crate) fn rows(&self) -> (usize, &[usize]) {
        self.shape.split_first().map_or((0, &[]), |(rows, row)| (*rows, row))
    }

    /// Its rows with a column for each number, which is `f` of what the file has: `pixel_3_0` for row 3 and column 0 of an
    /// image.
    pub(crate) fn table(&self, file: &str, f: impl Fn(f64) -> f64) -> Table {
        let (_, sizes) = self.rows();
        let size = self.kind.size();
        let width = sizes.iter().product::<usize>().max(1);
        let column = |column: usize| {
            let numbers = self.bytes.chunks_exact(size).skip(column).step_by(width);
            numbers.map(|bytes| f(self.kind.number(bytes))).collect()
        };
        Table::of_matrix(Names::new(file, pixel_names(sizes)), (0..width).map(column))
    }

    /// The array as a matrix: the first dimension is the rows, all others together are the columns.
    pub fn matrix<T: Scalar>(&self) -> Array2<T> {
        let (rows, row) = self.rows();
        let columns = row.iter().product();
        let mut numbers = self.bytes.chunks_exact(self.kind.size()).map(|bytes| T::from_f64(self.kind.number(bytes)));
        Array2::from_shape_simple_fn((rows, columns), || numbers.next().unwrap_or_else(T::zero))
    }
}

/// A table with the numbers of an IDX file as a last column.
pub(crate) fn with_labels(table: Table, path: &Path) -> Result<Table> {
    let labels = Idx::open(path)?;
    let (expected, got) = (format!("a number for each of the {} rows", table.rows()), labels.shape());
    if got != [table.rows()] {
        let got = got.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        return Err(Error::columns(&path.display().to_string(), Reason::Columns, expected, got));
    }
    Ok(table.with_label_column(LABEL, labels.matrix::<f64>().into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Two images of 2 × 3 pixels.
    const IMAGES: [u8; 28] =
        [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 250, 251, 252, 253, 254, 255];

    #[test]
    fn images_are_rows() {
        let idx = Idx::read("images", &IMAGES[..]).unwrap();
        assert_eq!(idx.shape(), [2, 2, 3]);
        let matrix = idx.matrix::<f32>();
        assert_eq!(matrix.row(0).to_vec(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(matrix.row(1).to_vec(), [250.0, 251.0, 252.0, 253.0, 254.0, 255.0]);
    }

    #[test]
    fn every_kind_of_number_is_read() {
        for (code, bytes, expected) in [
            (8, vec![200], 200.0),
            (9, vec![200], -56.0),
            (11, (-3i16).to_be_bytes().to_vec(), -3.0),
            (12, 100_000i32.to_be_bytes().to_vec(), 100_000.0),
            (13, 0.5f32.to_be_bytes().to_vec(), 0.5),
            (14, (-0.1f64).to_be_bytes().to_vec(), -0.1),
        ] {
            let file = [vec![0, 0, code, 1, 0, 0, 0, 1], bytes].concat();
            assert_eq!(Idx::read("one", &file[..]).unwrap().matrix::<f64>()[[0, 0]], expected);
        }
    }

    #[test]
    fn a_file_may_be_packed() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, packed) = (folder.path().join("plain"), folder.path().join("packed.gz"));
        std::fs::write(&plain, IMAGES).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(File::create(&packed).unwrap(), flate2::Compression::default());
        encoder.write_all(&IMAGES).unwrap();
        encoder.finish().unwrap();
        assert_eq!(Idx::open(plain).unwrap().matrix::<f64>(), Idx::open(packed).unwrap().matrix::<f64>());
        assert!(matches!(Idx::open(folder.path().join("none")), Err(Error::Io { .. })));
    }

    #[test]
    fn files_that_are_cut_or_lie_are_refused() {
        for length in 0..IMAGES.len() {
            assert!(matches!(Idx::read("cut", &IMAGES[..length]), Err(Error::Format { .. })), "{length}");
        }
        let refused = |place: usize, byte: u8| {
            let mut bytes = IMAGES;
            bytes[place] = byte;
            Idx::read("changed", &bytes[..]).unwrap_err().to_string()
        };
        assert!(refused(0, 1).contains("the start of an IDX file"));
        assert!(refused(2, 10).contains("a kind of number"));
        assert!(refused(3, 0).contains("how many dimensions"));
        assert!(refused(3, 9).contains("at most 8 dimensions, got 9"));
        // a head that promises far more than there is takes no memory for it
        assert!(refused(4, 255).contains("4278190082 × 2 × 3 numbers, got 12"), "{}", refused(4, 255));
        assert!(refused(7, 1).contains("got more"));
        let huge = [vec![0, 0, 14, 3], vec![255; 12]].concat();
        assert!(Idx::read("huge", &huge[..]).unwrap_err().to_string().contains("expected at most"));
        // nor does one without any number, whose other sizes say what they like
        for sizes in [[0, u32::MAX, u32::MAX], [u32::MAX, 0, u32::MAX], [u32::MAX, u32::MAX, 0]] {
            let head: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
            let empty = Idx::read("empty", &[vec![0, 0, 8, 3], head].concat()[..]).unwrap_err().to_string();
            assert!(empty.contains("at least one number"), "{empty}");
        }
        // a gzip bomb: 64 MB of zeros in 64 KB
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&[0, 0, 8, 2, 0, 0, 4, 0, 0, 1, 0, 0]).unwrap();
        (0..64).for_each(|_| encoder.write_all(&vec![0; 1 << 20]).unwrap());
        let bomb = encoder.finish().unwrap();
        let error = Idx::read_packed("bomb", &bomb).unwrap_err().to_string();
        assert!(bomb.len() < 100_000 && error.contains("from a file of this size, got 1024 × 65536"), "{error}");
    }

    #[test]
    fn a_packed_file_cut_anywhere_and_a_head_with_any_bit_changed_are_no_surprise() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&IMAGES).unwrap();
        let packed = encoder.finish().unwrap();
        for length in 0..packed.len() {
            assert!(Idx::read_packed("cut", &packed[..length]).is_err(), "{length}");
        }
        for bit in 0..8 * packed.len() {
            let mut changed = packed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(idx) = Idx::read_packed("changed", &changed) {
                assert_eq!(idx.bytes, IMAGES[16..], "{bit}"); // what gzip leaves open, such as the time
            }
        }
        for bit in 0..8 * 16 {
            let mut changed = IMAGES;
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(idx) = Idx::read("changed", &changed[..]) {
                assert_eq!((idx.shape(), idx.kind), (&[2, 2, 3][..], Kind::I8), "{bit}");
            }
        }
    }

    /// The real files, where Debian's package dataset-fashion-mnist is installed.
    #[test]
    fn fashion_mnist_is_read() {
        let file = Path::new("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz");
        if !file.exists() {
            eprintln!("skipped: the Debian package dataset-fashion-mnist is not installed");
            return;
        }
        let images = Idx::open(file).unwrap();
        assert_eq!(images.shape(), [60_000, 28, 28]);
        let matrix = images.matrix::<f32>();
        let mean = matrix.iter().map(|&x| f64::from(x)).sum::<f64>() / matrix.len() as f64;
        // the mean of the training images' pixels, also counted by NumPy over the same file
        assert!((mean - 72.940_352).abs() < 1e-3, "{mean}");
    }
}
