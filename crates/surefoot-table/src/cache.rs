//! Tables as they were read, kept in files of Arrow for the next time.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufWriter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Field, Schema};
use serde::{Deserialize, Serialize};
use surefoot::files::write_atomically_by;

use crate::column::{Kept, Restored};
use crate::error::Result;
use crate::format::Format;
use crate::part::Part;
use crate::progress::{Counted, Progress};
use crate::reading::Reading;
use crate::table::{About, Table};

/// A folder in which tables are kept as they were read, so that the next reading of the same files takes little more than a copy. A
/// [`Source`](crate::Source) takes it.
///
/// A table is read from it where the files have the sizes and the times of their last change that they had, where they are to be read as
/// they were, and where this version of Surefoot wrote it; else the files are read, and what was kept of them is replaced. So a file that is
/// changed while both stay as they were is not noticed. Built-in sets, standard input and images of IDX files are not kept.
///
/// What is kept are files of Arrow with all cells in them, about as large as the table is in memory. Whoever no longer needs them deletes
/// them. Whoever can write to the folder decides what is read.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    uses: Mutex<Vec<CacheUse>>,
}

/// What was done with a table and its [`Cache`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheUse {
    /// `data` was read from `file`.
    Read {
        /// The source.
        data: String,
        /// What was kept of it.
        file: PathBuf,
    },
    /// `data` was read, and is now kept in `file`.
    Written {
        /// The source.
        data: String,
        /// What is kept of it.
        file: PathBuf,
    },
    /// `data` was read, and `file` could not be written.
    NotWritten {
        /// The source.
        data: String,
        /// What should have been written.
        file: PathBuf,
        /// The system's reason.
        reason: String,
    },
}

/// A table that is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub data: &'a str,
    pub more: &'a [String],
    pub files: &'a [String],
    pub reading: &'a Reading,
    pub known: &'a [String],
    pub part: Part,
}

/// The key of the header among a file's metadata.
const HEADER: &str = "surefoot";
/// What tells headers of this form; raised as well where a change makes other tables of the same files within one version.
const FORM: u32 = 1;
/// A batch has at most so many rows, and of wide tables about so many cells.
const ROWS: usize = 1 << 16;
const CELLS: usize = 1 << 21;

/// What a kept file says of itself, beside the cells.
#[derive(Serialize, Deserialize)]
struct Header {
    origin: Origin,
    table: About,
    columns: Vec<Kept>,
}

/// What a table was read from, and how: where all of it is equal, reading gives the same table.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Origin {
    form: u32,
    version: String,
    data: String,
    more: Vec<String>,
    files: Vec<Stamp>,
    reading: Reading,
    known: Vec<String>,
    part: Part,
}

/// A file as it was when it was read.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Stamp {
    path: PathBuf,
    bytes: u64,
    /// When it was last changed, in nanoseconds since 1970.
    modified: u64,
}

impl Cache {
    /// In this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Cache { folder: folder.into(), uses: Mutex::default() }
    }

    /// What was done with it so far, in that order.
    pub fn uses(&self) -> Vec<CacheUse> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn used(&self, what: CacheUse) {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// The table that is asked for: what was kept, else what `read` gives, which is then kept.
    pub(crate) fn table(
        &self,
        asked: Asked<'_>,
        progress: Option<&Arc<Progress>>,
        read: impl FnOnce() -> Result<Table>,
    ) -> Result<Table> {
        let Some(origin) = Origin::of(asked) else { return read() };
        let (data, file) = (asked.data.to_string(), self.folder.join(origin.file_name()));
        if let Some(table) = restored(&file, &origin, progress.cloned().unwrap_or_default()) {
            self.used(CacheUse::Read { data, file });
            return Ok(table);
        }
        let table = read()?;
        // not what was changed meanwhile, nor what has labels in another file
        let is_as_before = Origin::of(asked).is_some_and(|now| now == origin);
        if is_as_before && table.format() != Format::Idx.name() {
            self.used(match keep(&table, origin, &file) {
                Ok(()) => CacheUse::Written { data, file },
                Err(error) => CacheUse::NotWritten { data, file, reason: error.to_string() },
            });
        }
        Ok(table)
    }
}

impl Origin {
    /// `None` for what is no regular file.
    fn of(asked: Asked<'_>) -> Option<Self> {
        Some(Origin {
            form: FORM,
            version: env!("CARGO_PKG_VERSION").into(),
            data: asked.data.into(),
            more: asked.more.to_vec(),
            files: asked.files.iter().map(|file| Stamp::of(file)).collect::<Option<Vec<_>>>()?,
            reading: asked.reading.clone(),
            known: asked.known.to_vec(),
            part: asked.part,
        })
    }

    /// A name for what is kept: the same as long as the same is asked for, whether files have changed or not.
    fn file_name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        let paths: Vec<&Path> = self.files.iter().map(|file| &*file.path).collect();
        let asked = serde_json::to_string(&(&self.data, &self.more, paths, &self.reading, &self.known, self.part));
        asked.unwrap_or_default().hash(&mut hasher);
        let name = Path::new(&self.data).file_name().unwrap_or_default().to_string_lossy();
        let name: String = name.chars().filter(|c| c.is_alphanumeric() || "._-".contains(*c)).take(60).collect();
        format!("{name}-{:016x}.arrow", hasher.finish())
    }
}

impl Stamp {
    fn of(file: &str) -> Option<Self> {
        let path = Path::new(file).canonicalize().ok()?;
        let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Stamp { path, bytes: metadata.len(), modified: u64::try_from(modified.as_nanos()).ok()? })
    }
}

/// The table that is kept in this file, if it is of this origin; what is wrong with a kept file does not matter, as it can be written anew.
fn restored(file: &Path, origin: &Origin, progress: Arc<Progress>) -> Option<Table> {
    let inner = File::open(file).ok()?;
    let size = inner.metadata().ok()?.len();
    let read = || -> Option<Table> {
        let reader = FileReader::try_new(Counted { inner, progress: progress.clone() }, None).ok()?;
        let header: Header = serde_json::from_str(reader.schema().metadata().get(HEADER)?).ok()?;
        if header.origin != *origin {
            return None;
        }
        progress.add_size(size);
        // a row has a byte at least: no more memory is taken than a damaged header could ask for
        let rows = Some(header.table.rows()).filter(|&rows| rows as u64 <= size)?;
        let mut columns: Vec<Restored> = header.columns.into_iter().map(|kept| Restored::new(kept, rows)).collect();
        for batch in reader {
            let batch = batch.ok()?;
            progress.add_rows(batch.num_rows());
            let arrays = columns.iter_mut().zip(batch.columns());
            arrays.map(|(column, array)| column.extend(array)).collect::<Option<()>>()?;
        }
        let columns: Vec<_> = columns.into_iter().map(Restored::finish).collect();
        columns.iter().all(|cells| cells.len() == rows).then(|| header.table.with(columns))
    };
    // the library may panic at damaged files
    catch_unwind(AssertUnwindSafe(read)).ok()?
}

/// Writes a table to be read again.
fn keep(table: &Table, origin: Origin, file: &Path) -> surefoot::Result<()> {
    let columns = || (0..table.columns().len()).map(|column| table.cells(column));
    write_atomically_by(file, |out| {
        let header = Header { origin, table: table.about(), columns: columns().map(|cells| cells.kept()).collect() };
        let header = serde_json::to_string(&header)?;
        let fields: Vec<Field> = columns()
            .zip(table.columns())
            .map(|(cells, name)| Field::new(name, cells.array().data_type().clone(), true))
            .collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, [(HEADER.to_string(), header)].into()));
        let write = || -> std::result::Result<(), ArrowError> {
            let mut writer = FileWriter::try_new(BufWriter::new(out), &schema)?;
            let most = (CELLS / table.columns().len().max(1)).clamp(1, ROWS);
            for first in (0..table.rows()).step_by(most) {
                let rows = most.min(table.rows() - first);
                let arrays = columns().map(|cells| cells.array().slice(first, rows)).collect();
                writer.write(&RecordBatch::try_new(schema.clone(), arrays)?)?;
            }
            writer.finish()
        };
        write().map_err(|error| match error {
            ArrowError::IoError(_, error) => error,
            error => io::Error::other(error),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_while_it_is_read_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv").display().to_string();
        std::fs::write(&path, "x,y\n1,2\n").unwrap();
        let (cache, files, reading) = (Cache::new(folder.path()), [path.clone()], Reading::default());
        let (known, part) = (&[][..], Part::Training);
        let asked = Asked { data: &path, more: &[], files: &files, reading: &reading, known, part };
        let table = cache.table(asked, None, || {
            let table = Table::read(&path, &b"x,y\n1,2\n"[..]);
            std::fs::write(&path, "x,y\n1,2\n3,4\n").unwrap();
            table
        });
        assert_eq!(table.unwrap().rows(), 1);
        assert!(cache.uses().is_empty(), "{:?}", cache.uses());
    }
}
