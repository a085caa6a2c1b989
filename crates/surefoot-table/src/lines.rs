//! Text with one kind of line end, and the faults of its quotes.

use std::io::{self, Read};

/// Text with a line feed at the end of each line, the last one too, whatever it had, and without spaces in front of a cell.
/// It sees quotes as the CSV reader does, which says nothing of faults.
pub(crate) struct Lines<R> {
    inner: R,
    delimiter: u8,
    /// The last byte that came in was a carriage return, whose line feed, if there is one, is not wanted.
    after_return: bool,
    /// The last byte that went out.
    last: u8,
    place: Place,
    /// The bytes that went out.
    count: u64,
    /// Where, counted in those, text follows the quote that closed a cell.
    stray_quote: Option<u64>,
    is_over: bool,
}

/// Where in a cell the last byte was.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Start,
    Bare,
    Quoted,
    /// At a quote within a quoted cell: it closes it, or the next one is a quote, too.
    Quote,
}

impl<R: Read> Lines<R> {
    pub fn new(inner: R, delimiter: u8) -> Self {
        let (place, stray_quote) = (Place::Start, None);
        Lines { inner, delimiter, after_return: false, last: b'\n', place, count: 0, stray_quote, is_over: false }
    }

    /// Whether the text is over, and ends at this place within quotes.
    pub fn is_open_at(&self, end: u64) -> bool {
        self.is_over && end == self.count && self.place == Place::Quoted
    }

    /// Whether text followed a closing quote before this place.
    pub fn has_stray_quote_before(&self, end: u64) -> bool {
        self.stray_quote.is_some_and(|place| place < end)
    }

    /// How many bytes from here are within one cell and go out as they are; it follows them.
    fn run(&mut self, bytes: &[u8]) -> usize {
        let length = match self.place {
            Place::Bare => bytes.iter().position(|byte| [self.delimiter, b'\n', b'\r'].contains(byte)),
            Place::Quoted => bytes.iter().position(|byte| [b'"', b'\r', b'\n'].contains(byte)),
            Place::Start | Place::Quote => Some(0),
        };
        let length = length.unwrap_or(bytes.len());
        if let Some(last) = bytes.get(..length).and_then(|run| run.last()) {
            (self.last, self.after_return) = (*last, false);
            self.count += length as u64;
        }
        length
    }

    /// Passes bytes on as they are, where nothing in them has to be looked at one by one: no quote, no carriage return, no space;
    /// whether it did.
    fn pass_plain(&mut self, bytes: &[u8]) -> bool {
        let is_plain = matches!(self.place, Place::Start | Place::Bare)
            && !self.after_return
            && memchr::memchr3(b'"', b'\r', b' ', bytes).is_none();
        if let (true, Some(&last)) = (is_plain, bytes.last()) {
            self.place = if last == self.delimiter || last == b'\n' { Place::Start } else { Place::Bare };
            (self.last, self.count) = (last, self.count + bytes.len() as u64);
        }
        is_plain
    }

    /// Follows a byte; whether it goes out.
    fn pass(&mut self, byte: u8) -> bool {
        let ends = byte == self.delimiter || byte == b'\n';
        let is_space = byte == b' ' && self.delimiter != b' ';
        self.place = match (self.place, byte) {
            (Place::Quoted, b'"') => Place::Quote,
            (Place::Quoted, _) | (Place::Quote, b'"') => Place::Quoted,
            (Place::Start, b'"') => Place::Quoted,
            // a run of spaces is one
            (Place::Start, b' ') if self.delimiter == b' ' => return false,
            (Place::Start | Place::Bare | Place::Quote, _) if ends => Place::Start,
            (Place::Start, _) if is_space => return false,
            (Place::Start | Place::Bare, _) => Place::Bare,
            (Place::Quote, _) if is_space => Place::Quote,
            (Place::Quote, _) => {
                self.stray_quote.get_or_insert(self.count);
                Place::Bare
            }
        };
        (self.last, self.count) = (byte, self.count + 1);
        true
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_over || out.is_empty() {
                return Ok(0);
            }
            let read = self.inner.read(out)?;
            if read == 0 {
                self.is_over = true;
                if self.last == b'\n' {
                    return Ok(0);
                }
                out.fill(b'\n');
                self.pass(b'\n');
                return Ok(1);
            }
            if self.pass_plain(out.get(..read).unwrap_or_default()) {
                return Ok(read);
            }
            let (mut kept, mut i) = (0, 0);
            while let Some(&byte) = out.get(i)
                && i < read
            {
                let run = self.run(out.get(i..read).unwrap_or_default());
                if run > 0 {
                    out.copy_within(i..i + run, kept);
                    (i, kept) = (i + run, kept + run);
                    continue;
                }
                i += 1;
                let is_rest_of_return = byte == b'\n' && self.after_return;
                self.after_return = byte == b'\r';
                if is_rest_of_return {
                    continue;
                }
                let byte = if byte == b'\r' { b'\n' } else { byte };
                if self.pass(byte)
                    && let Some(place) = out.get_mut(kept)
                {
                    *place = byte;
                    kept += 1;
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}
