//! The rows that the program of a workbook does not show, which its reader does not tell.

use std::collections::HashSet;
use std::io::Cursor;

use zip::ZipArchive;

use super::{Kind, compound};
use crate::unpack::unpacked_file;

/// The rows of the sheet at a place that are hidden; `None` where that is not found, and in `.xlsb`.
pub fn hidden_rows(kind: Kind, bytes: &[u8], place: usize) -> Option<usize> {
    if let Kind::Xls = kind {
        return hidden_in_old_excel(&compound::workbook_of(bytes).ok()?, place);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut part = |name: &str| String::from_utf8(unpacked_file(&mut archive.by_name(name).ok()?).ok()?).ok();
    match kind {
        Kind::Xlsx => hidden_in_excel(&mut part, place),
        Kind::Ods => hidden_in_opendocument(&part("content.xml")?, place),
        Kind::Xls | Kind::Xlsb => None,
    }
}

fn hidden_in_excel(part: &mut impl FnMut(&str) -> Option<String>, place: usize) -> Option<usize> {
    let id = attribute(elements(&part("xl/workbook.xml")?, "sheet").nth(place)?, "r:id")?.to_string();
    let relations = part("xl/_rels/workbook.xml.rels")?;
    let relation = elements(&relations, "Relationship").find(|relation| attribute(relation, "Id") == Some(&id))?;
    let target = attribute(relation, "Target")?;
    let sheet = part(&target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), String::from))?;
    Some(elements(&sheet, "row").filter(|row| matches!(attribute(row, "hidden"), Some("1" | "true"))).count())
}

/// Rows with a value. A workbook is a sequence of records: two bytes of kind, two of length, content.
///
/// Source: *\[MS-XLS\]: Excel Binary File Format (.xls) Structure*, sections 2.4.28 (BoundSheet8) and 2.4.221 (Row).
fn hidden_in_old_excel(workbook: &[u8], place: usize) -> Option<usize> {
    const SHEET: u16 = 0x85;
    const ROW: u16 = 0x208;
    const END: u16 = 10;
    /// Formula, RK, MulRk, Number, Label, LabelSst, BoolErr.
    const VALUES: [u16; 7] = [0x06, 0x27e, 0xbd, 0x203, 0x204, 0xfd, 0x205];
    let records = |start: usize| {
        let mut rest = workbook.get(start..);
        std::iter::from_fn(move || {
            let ([kind @ .., low, high], after) = rest?.split_first_chunk::<4>()?;
            let (content, next) = after.split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))?;
            rest = Some(next);
            Some((u16::from_le_bytes(*kind), content))
        })
        .take_while(|(kind, _)| *kind != END)
    };
    let (_, sheet) = records(0).filter(|(kind, _)| *kind == SHEET).nth(place)?;
    let start = u32::from_le_bytes(*sheet.first_chunk()?);
    let of_sheet = || records(start as usize);
    let row = |content: &[u8]| content.first_chunk().copied().map(u16::from_le_bytes);
    let is_hidden = |content: &[u8]| content.get(12).is_some_and(|flags| flags & 0x20 != 0);
    let hidden = of_sheet().filter(|(kind, content)| *kind == ROW && is_hidden(content));
    let hidden: HashSet<u16> = hidden.filter_map(|(_, content)| row(content)).collect();
    let filled: HashSet<u16> =
        of_sheet().filter(|(kind, _)| VALUES.contains(kind)).filter_map(|(_, content)| row(content)).collect();
    Some(hidden.intersection(&filled).count())
}

/// Rows with a value, each as often as it is repeated.
fn hidden_in_opendocument(content: &str, place: usize) -> Option<usize> {
    let sheet = elements(content, "table:table").nth(place)?;
    let is_hidden = |row: &&str| matches!(attribute(row, "table:visibility"), Some("collapse" | "filter"));
    let has_values =
        |row: &&str| row.split("</table:table-row>").next().is_some_and(|row| row.contains("office:value-type"));
    let times = |row| attribute(row, "table:number-rows-repeated").and_then(|times| times.parse::<usize>().ok());
    Some(
        elements(sheet, "table:table-row")
            .filter(is_hidden)
            .filter(has_values)
            .map(|row| times(row).unwrap_or(1))
            .sum(),
    )
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
