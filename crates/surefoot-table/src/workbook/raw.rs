//! What a sheet's reader does not tell: which rows are hidden, and how far its cells reach, for all of which it asks for memory.

use std::collections::HashSet;
use std::io::Cursor;

use zip::ZipArchive;

use crate::unpack::unpacked_file;

/// Of a sheet.
#[derive(Default)]
pub struct Raw {
    /// The rows with values that are hidden.
    pub hidden: usize,
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
    let id = attribute(elements(&part("xl/workbook.xml")?, "sheet").nth(place)?, "r:id")?.to_string();
    let relations = part("xl/_rels/workbook.xml.rels")?;
    let relation = elements(&relations, "Relationship").find(|relation| attribute(relation, "Id") == Some(&id))?;
    let target = attribute(relation, "Target")?;
    let sheet = part(&target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), String::from))?;
    let mut raw = Raw::default();
    for row in elements(&sheet, "row") {
        raw.hidden += usize::from(matches!(attribute(row, "hidden"), Some("1" | "true")));
        let (mut rows, mut columns) = (raw.extent.0 + 1, 0);
        for cell in row.split("<c ").skip(1) {
            // where a cell says its place, that is nearly always the first attribute
            let at = cell.strip_prefix("r=\"").and_then(|rest| rest.split('"').next()).or_else(|| attribute(cell, "r"));
            let (letters, digits) =
                at.and_then(|at| at.split_at_checked(at.find(|c: char| c.is_ascii_digit())?)).unwrap_or_default();
            let column = letters
                .bytes()
                .fold(0, |sum: u64, letter| sum.saturating_mul(26).saturating_add(u64::from(letter & 31)));
            columns = column.max(columns + 1);
            rows = digits.parse().unwrap_or(rows).max(rows);
        }
        raw.extent = (rows, columns.max(raw.extent.1));
    }
    Some(raw)
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
    Some(Raw { hidden: hidden.intersection(&filled).count(), extent: (0, 0) })
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

/// Rows count as often as they are repeated.
fn of_opendocument(content: &str, place: usize) -> Option<Raw> {
    let sheet = elements(content, "table:table").nth(place)?;
    let is_hidden = |row: &&str| matches!(attribute(row, "table:visibility"), Some("collapse" | "filter"));
    let has_values =
        |row: &&str| row.split("</table:table-row>").next().is_some_and(|row| row.contains("office:value-type"));
    let times = |row| attribute(row, "table:number-rows-repeated").and_then(|times| times.parse::<usize>().ok());
    let hidden =
        elements(sheet, "table:table-row").filter(is_hidden).filter(has_values).map(|row| times(row).unwrap_or(1));
    Some(Raw { hidden: hidden.fold(0, usize::saturating_add), extent: (0, 0) })
}

/// The elements of a name with attributes, each with what comes before the next one.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let begin = format!("<{name} ");
    let mut rest = xml.split_once(&begin).map(|(_, rest)| rest);
    std::iter::from_fn(move || {
        let (element, after) = match rest?.split_once(&begin) {
            Some((element, after)) => (element, Some(after)),
            None => (rest?, None),
        };
        rest = after;
        Some(element)
    })
}

/// An attribute of an element.
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let tag = element.split('>').next()?;
    let begins = |place: &usize| tag[..*place].is_empty() || tag[..*place].ends_with(char::is_whitespace);
    let start = format!("{name}=\"");
    let place = tag.match_indices(&start).map(|(place, _)| place).find(begins)?;
    tag[place + start.len()..].split('"').next()
}
