//! What a sheet's reader does not tell: which rows are hidden, and how far its cells reach, for all of which it asks for memory.

use std::collections::HashSet;
use std::io::Cursor;

use zip::ZipArchive;

use crate::unpack::unpacked_file;

/// Of a sheet.
#[derive(Default)]
pub struct Raw {
    /// The rows with values that are hidden.
    pub hidden: u64,
    /// The rows and the columns up to the last cell.
    pub extent: (u64, u64),
}

/// Of the sheet at a place of an archive; `None` where that is not found, and in `.xlsb`.
pub fn of_archive(bytes: &[u8], place: usize) -> Option<Raw> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut part = |name: &str| String::from_utf8(unpacked_file(&mut archive.by_name(name).ok()?).ok()?).ok();
    match part("content.xml") {
        Some(content) => of_opendocument(&content, place),
        None => of_excel(&mut part, place),
    }
}

fn of_excel(part: &mut impl FnMut(&str) -> Option<String>, place: usize) -> Option<Raw> {
    let book = part("xl/workbook.xml")?;
    let (_, sheet) = tags(&book).filter(|(name, _)| *name == "sheet").nth(place)?;
    let (id, relations) = (attribute(sheet, "r:id")?, part("xl/_rels/workbook.xml.rels")?);
    let (_, relation) = tags(&relations).find(|(_, relation)| attribute(relation, "Id") == Some(id))?;
    let target = attribute(relation, "Target")?;
    let sheet = part(&target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), String::from))?;
    let (mut raw, mut row, mut column, mut is_hidden) = (Raw::default(), 0, 0, false);
    for (name, attributes) in tags(&sheet) {
        match name {
            // a row or a cell that does not say its place is after the one before
            "row" => {
                row = attribute(attributes, "r").and_then(|row| row.parse().ok()).unwrap_or(row + 1);
                column = 0;
                is_hidden = matches!(attribute(attributes, "hidden"), Some("1" | "true"));
            }
            "c" => {
                let place = attribute(attributes, "r").and_then(place_of_cell);
                (row, column) = place.unwrap_or((row, column + 1));
                raw.extent = (row.max(raw.extent.0), column.max(raw.extent.1));
            }
            "v" | "is" if is_hidden => {
                raw.hidden += 1;
                is_hidden = false;
            }
            _ => {}
        }
    }
    Some(raw)
}

/// Row and column, from 1, of a name such as `AB12`.
fn place_of_cell(name: &str) -> Option<(u64, u64)> {
    let (letters, digits) = name.split_at_checked(name.find(|c: char| c.is_ascii_digit())?)?;
    let column =
        letters.bytes().fold(0u64, |sum, letter| sum.saturating_mul(26).saturating_add(u64::from(letter & 31)));
    Some((digits.parse().ok()?, column))
}

/// Of the sheet at a place of a workbook of Excel until 2003. It is a sequence of records: two bytes of kind, two of length, content.
///
/// Source: *\[MS-XLS\]: Excel Binary File Format (.xls) Structure*, sections 2.4.28 (BoundSheet8) and 2.4.221 (Row).
pub fn of_old_excel(workbook: &[u8], place: usize) -> Option<Raw> {
    const SHEET: u16 = 0x85;
    const ROW: u16 = 0x208;
    const END: u16 = 10;
    let (_, sheet) =
        records(workbook).take_while(|(kind, _)| *kind != END).filter(|(kind, _)| *kind == SHEET).nth(place)?;
    let start = u32::from_le_bytes(*sheet.first_chunk()?) as usize;
    let sheet = workbook.get(start..)?;
    let (mut hidden, mut filled) = (HashSet::new(), HashSet::new());
    for (kind, content) in records(sheet).take_while(|(kind, _)| *kind != END) {
        let Some(row) = number_at(content, 0) else { continue };
        if kind == ROW && content.get(12).is_some_and(|flags| flags & 0x20 != 0) {
            hidden.insert(row);
        } else if VALUES.contains(&kind) {
            filled.insert(row);
        }
    }
    // how far its cells reach is bounded by `check_old_excel`
    Some(Raw { hidden: hidden.intersection(&filled).count() as u64, extent: (0, 0) })
}

/// The records of cells: Formula, RK, MulRk, Number, Label, LabelSst, BoolErr.
const VALUES: [u16; 7] = [0x06, 0x27e, 0xbd, 0x203, 0x204, 0xfd, 0x205];
/// The columns of a sheet of Excel until 2003.
const COLUMNS_OF_OLD_EXCEL: u16 = 256;

/// That a workbook of Excel until 2003 has no password, and each of its cells a column that there can be.
///
/// # Errors
/// What it is otherwise.
pub fn check_old_excel(workbook: &[u8]) -> Result<(), &'static str> {
    const PASSWORD: u16 = 0x2f;
    if records(workbook).any(|(kind, _)| kind == PASSWORD) {
        return Err("a workbook with a password");
    }
    let mut cells = records(workbook).filter(|(kind, _)| VALUES.contains(kind));
    match cells.all(|(_, content)| number_at(content, 2).is_none_or(|column| column < COLUMNS_OF_OLD_EXCEL)) {
        true => Ok(()),
        false => Err("a sheet with more columns than there can be"),
    }
}

fn records(mut workbook: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let ([kind @ .., low, high], after) = workbook.split_first_chunk::<4>()?;
        let (content, next) = after.split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))?;
        workbook = next;
        Some((u16::from_le_bytes(*kind), content))
    })
}

fn number_at(content: &[u8], place: usize) -> Option<u16> {
    content.get(place..)?.first_chunk().copied().map(u16::from_le_bytes)
}

/// Rows and cells count as often as they are repeated.
fn of_opendocument(content: &str, place: usize) -> Option<Raw> {
    let number =
        |attributes, name| attribute(attributes, name).and_then(|times| times.parse::<u64>().ok()).unwrap_or(1);
    let (mut raw, mut sheets, mut rows, mut columns, mut hidden) = (Raw::default(), 0, 0u64, 0u64, 0);
    for (name, attributes) in tags(content) {
        match name {
            "table" => sheets += 1,
            _ if sheets != place + 1 => {}
            "table-row" => {
                let times = number(attributes, "table:number-rows-repeated");
                let is_hidden = matches!(attribute(attributes, "table:visibility"), Some("collapse" | "filter"));
                (rows, columns, hidden) = (rows.saturating_add(times), 0, if is_hidden { times } else { 0 });
            }
            "table-cell" | "covered-table-cell" => {
                columns = columns.saturating_add(number(attributes, "table:number-columns-repeated"));
                if attribute(attributes, "office:value-type").is_some() {
                    raw.extent = (rows, columns.max(raw.extent.1));
                    raw.hidden = raw.hidden.saturating_add(std::mem::take(&mut hidden));
                }
            }
            _ => {}
        }
    }
    (sheets > place).then_some(raw)
}

/// The names of the tags that begin elements, without that of their space, each with its attributes.
fn tags(xml: &str) -> impl Iterator<Item = (&str, &str)> {
    xml.split('<').skip(1).map(|tag| {
        let tag = tag.split('>').next().unwrap_or_default();
        let (name, attributes) = tag.split_at(tag.find([' ', '\t', '\r', '\n', '/']).unwrap_or(tag.len()));
        (name.split(':').next_back().unwrap_or_default(), attributes)
    })
}

/// The value of an attribute.
fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = attributes;
    while let Some((before, after)) = rest.split_once('=') {
        let after = after.trim_ascii_start();
        let quote = if after.starts_with('\'') { '\'' } else { '"' };
        let (value, after) = after.strip_prefix(quote)?.split_once(quote)?;
        if before.trim_ascii() == name {
            return Some(value);
        }
        rest = after;
    }
    None
}
