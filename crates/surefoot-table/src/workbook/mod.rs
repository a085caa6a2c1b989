//! Workbooks of Excel and OpenDocument.

mod compound;
mod raw;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Cursor;
use std::panic::catch_unwind;

use calamine::{Data, Ods, Range, Reader, SheetType, SheetVisible, Sheets, Xls, Xlsb, Xlsx};
use csv::ByteRecord;

use crate::builder::{Builder, Numbers};
use crate::dialect::Layout;
use crate::error::{Error, Reason, Result};
use crate::reading::Reading;
use crate::table::{Names, Table};
use crate::text::names_of;

/// The formats of workbooks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Excel until 2003.
    Xls,
    /// Excel since 2007.
    Xlsx,
    /// The same, in binary.
    Xlsb,
    /// OpenDocument.
    Ods,
}

/// Rows that are looked at to find where the table begins.
const SAMPLE: usize = 100;
/// The cells up to the last one of a sheet, of which each takes memory even where it is empty.
const MOST_CELLS: u64 = 1 << 27;
/// The sheets that an error or a note names.
const SHOWN: usize = 8;

/// Reads a sheet: that of the name, else the first visible one that has a table. Dates and times are texts by ISO 8601, formulas
/// have the values that the program which saved the file computed. A cell's line is its row in the sheet.
///
/// # Errors
/// [`Error::Format`] when it is no workbook, is damaged or locked, or has no such sheet.
pub(crate) fn read(file: &str, kind: Kind, bytes: Vec<u8>, reading: &Reading, known: &[String]) -> Result<Table> {
    // the library may panic at damaged files
    let opened = catch_unwind(|| open(file, kind, &bytes, reading.sheet.as_deref()));
    let Sheet { range, notes } = opened.unwrap_or_else(|_| Err(damaged(file, "its reader panicked")))?;
    Ok(table(file, &range, reading, known)?.with_notes(notes))
}

type Book<'a> = Sheets<Cursor<Cow<'a, [u8]>>>;

/// The sheet that is read.
struct Sheet {
    range: Range<Data>,
    /// What a person should know of it.
    notes: Vec<String>,
}

fn damaged(file: &str, got: impl Into<String>) -> Error {
    Error::format(file, Reason::Format, "a workbook of Excel or OpenDocument", got)
}

fn book(kind: Kind, bytes: Cursor<Cow<'_, [u8]>>) -> std::result::Result<Book<'_>, calamine::Error> {
    Ok(match kind {
        Kind::Xls => Sheets::Xls(Xls::new(bytes)?),
        Kind::Xlsx => Sheets::Xlsx(Xlsx::new(bytes)?),
        Kind::Xlsb => Sheets::Xlsb(Xlsb::new(bytes)?),
        Kind::Ods => Sheets::Ods(Ods::new(bytes)?),
    })
}

/// Finds and reads the sheet.
fn open(file: &str, kind: Kind, bytes: &[u8], wanted: Option<&str>) -> Result<Sheet> {
    let bytes = match kind {
        Kind::Xls => Cow::Owned(compound::written_anew(bytes).map_err(|error| damaged(file, error.to_string()))?),
        _ => Cow::Borrowed(bytes),
    };
    let mut book = book(kind, Cursor::new(bytes.clone())).map_err(|error| damaged(file, error.to_string()))?;
    let sheets = book.sheets_metadata().to_vec();
    let list = |names: &[&str]| {
        let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        let more = if names.len() > SHOWN { ", …" } else { "" };
        shown.join(", ") + more
    };
    let all: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
    let mut sheet_at = |place: usize| {
        let raw = match kind {
            Kind::Xls => compound::workbook_of(&bytes).ok().and_then(|workbook| raw::of_old_excel(&workbook, place)),
            _ => raw::of_archive(&bytes, place),
        };
        let raw = raw.unwrap_or_default();
        let (rows, columns) = raw.extent;
        if rows.saturating_mul(columns) > MOST_CELLS {
            let got = format!("one with cells as far as row {rows} and column {columns}");
            return Err(Error::format(file, Reason::Format, format!("a sheet of at most {MOST_CELLS} cells"), got));
        }
        let range = book.worksheet_range(all[place]).map_err(|error| damaged(file, error.to_string()))?;
        let notes = match raw.hidden {
            0 => Vec::new(),
            1 => vec!["1 row of the sheet is hidden, and read as the others are".into()],
            hidden => vec![format!("{hidden} rows of the sheet are hidden, and read as the others are")],
        };
        Ok(Sheet { range, notes })
    };
    if let Some(wanted) = wanted {
        return match all.iter().position(|name| *name == wanted) {
            Some(place) => sheet_at(place),
            None => Err(Error::format(file, Reason::Sheet, format!("a sheet `{wanted}`"), list(&all))),
        };
    }
    let is_visible =
        |sheet: &calamine::Sheet| sheet.visible == SheetVisible::Visible && matches!(sheet.typ, SheetType::WorkSheet);
    for (place, sheet) in sheets.iter().enumerate().filter(|(_, sheet)| is_visible(sheet)) {
        let mut found = sheet_at(place)?;
        if found.range.height() >= 2 {
            let others: Vec<&str> = all.iter().copied().filter(|name| *name != sheet.name).collect();
            if !others.is_empty() {
                found.notes.insert(0, format!("sheet `{}` is read; the others are {}", sheet.name, list(&others)));
            }
            return Ok(found);
        }
    }
    Err(Error::format(file, Reason::NoTable, "a visible sheet with two rows at least", list(&all)))
}

fn table(file: &str, range: &Range<Data>, reading: &Reading, known: &[String]) -> Result<Table> {
    let first_line = u64::from(range.start().map_or(0, |(row, _)| row)) + 1;
    let is_anything = |row: &&[Data]| row.iter().any(|cell| !matches!(cell, Data::Empty));
    let mut rows = range.rows().enumerate().map(|(i, row)| (first_line + i as u64, row));
    let before = first_line - 1;
    for _ in before..reading.skip.unwrap_or(0) as u64 {
        rows.next();
    }
    let rows: Vec<(u64, &[Data])> = rows.filter(|(_, row)| is_anything(row)).collect();
    // columns without any cell are those of a frame around the table
    let used: Vec<usize> =
        (0..range.width()).filter(|&c| rows.iter().any(|(_, row)| !matches!(row[c], Data::Empty))).collect();
    let cells = |row: &[Data]| used.iter().map(|&column| text(&row[column])).collect::<Vec<String>>();
    let sample: Vec<ByteRecord> = rows.iter().take(SAMPLE).map(|(_, row)| ByteRecord::from(cells(row))).collect();
    let layout = Layout::find(&sample, reading.skip.is_none());
    let mut rows = rows[layout.first.min(rows.len())..].iter();
    let Some(&(line, top)) = rows.next() else {
        return Err(Error::format(file, Reason::NoTable, "a table", "an empty sheet"));
    };
    let first = cells(top);
    let mut notes = Vec::new();
    if layout.first > 0 {
        notes.push(format!("the rows above row {line} are skipped: the table begins there"));
    }
    let known: HashSet<&String> = known.iter().collect();
    let has_names = reading.header.unwrap_or(layout.header || first.iter().any(|cell| known.contains(cell)));
    let names = names_of(&first, has_names);
    if has_names
        && layout.has_units
        && let Some((line, _)) = rows.next()
    {
        notes.push(format!("row {line} is skipped: it has the units of the columns"));
    }
    let mut numbers = Numbers::default();
    for row in rows.clone().map(|&(_, row)| row).chain((!has_names).then_some(top)) {
        for (place, &column) in used.iter().enumerate() {
            let is_number = matches!(row[column], Data::Float(_) | Data::Int(_));
            numbers.see(place, is_number, if let Data::String(text) = &row[column] { text.trim() } else { "" });
        }
    }
    let mut builder = Builder::new(Names::new(file, names), reading.told()).with_numbers(numbers);
    if !has_names {
        notes.push(format!("no header was found, so the columns are named `column_1` … `column_{}`", first.len()));
        builder.push(first.iter().map(String::as_str), line);
    }
    for &(line, row) in rows {
        builder.push(cells(row).iter().map(String::as_str), line);
    }
    match builder.rows() {
        0 => Err(Error::format(file, Reason::NoTable, "a row below the header", "none")),
        _ => Ok(builder.finish().with_notes(notes)),
    }
}

/// A cell as text.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.trim().into(),
        Data::Float(number) => number.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Bool(value) => value.to_string(),
        Data::DateTimeIso(text) | Data::DurationIso(text) => text.trim_end_matches("T00:00:00").into(),
        Data::Error(error) => error.to_string(),
        Data::DateTime(time) if time.is_duration() => time.as_f64().to_string(),
        Data::DateTime(time) => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            match (hour, minute, second) {
                (0, 0, 0) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
            }
        }
    }
}
