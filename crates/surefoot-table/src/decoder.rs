//! Text in any encoding, as UTF-8.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The bytes that are looked at, from the first that is not ASCII.
const WINDOW: usize = 1 << 16;

/// The encoding that was found, where it is another than UTF-8.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoundEncoding(Arc<Mutex<Option<&'static str>>>);

impl FoundEncoding {
    /// Its name, once.
    pub fn take(&self) -> Option<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, encoding: &'static Encoding) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(encoding.name());
    }
}

/// Text as UTF-8. What is ASCII so far goes through; at the first other byte the encoding is settled: UTF-8 if what follows is
/// mostly that, else what it looks like. So all of the text is read in one encoding, and none of it twice.
pub(crate) struct Decoder<R> {
    inner: R,
    encoding: State,
    found: FoundEncoding,
    /// Bytes that came in, from `start`.
    input: Vec<u8>,
    start: usize,
    is_over: bool,
    /// UTF-8 that is to go out, from `sent`.
    output: Vec<u8>,
    sent: usize,
}

enum State {
    /// Nothing was read.
    Unknown,
    Ascii,
    /// Faults of it are left to the reader of lines, which knows where they are.
    Utf8,
    Other(encoding_rs::Decoder),
}

impl<R: Read> Decoder<R> {
    /// Of these bytes, in the encoding that is told by one of its names, or to be found out.
    pub fn new(inner: R, told: Option<&str>) -> (Self, FoundEncoding) {
        let found = FoundEncoding::default();
        let encoding = match told.and_then(|name| Encoding::for_label(name.as_bytes())) {
            Some(encoding) if encoding == UTF_8 => State::Utf8,
            Some(encoding) => State::Other(encoding.new_decoder()),
            None => State::Unknown,
        };
        let (input, output) = (Vec::new(), Vec::new());
        let decoder =
            Decoder { inner, encoding, found: found.clone(), input, start: 0, is_over: false, output, sent: 0 };
        (decoder, found)
    }

    /// Reads until so many bytes are there, or the end.
    fn fill(&mut self, bytes: usize) -> io::Result<()> {
        self.input.drain(..self.start);
        self.start = 0;
        let missing = bytes.saturating_sub(self.input.len()) as u64;
        let read = self.inner.by_ref().take(missing).read_to_end(&mut self.input)?;
        self.is_over |= (read as u64) < missing;
        Ok(())
    }

    fn is(&mut self, encoding: &'static Encoding) {
        self.found.set(encoding);
        self.encoding = State::Other(encoding.new_decoder_with_bom_removal());
    }

    /// Moves some text from the input to the output.
    fn decode(&mut self) -> io::Result<()> {
        if matches!(self.encoding, State::Unknown) {
            self.fill(WINDOW)?;
            self.encoding = State::Ascii;
            if let Some(encoding) = utf_16(&self.input) {
                self.is(encoding);
            }
        }
        if matches!(self.encoding, State::Ascii) {
            self.fill(WINDOW)?;
            let ascii = Encoding::ascii_valid_up_to(&self.input);
            if ascii > 0 || self.input.is_empty() {
                self.output.extend_from_slice(&self.input[..ascii]);
                self.start = ascii;
                return Ok(());
            }
            match looks_like(&self.input, self.is_over) {
                encoding if encoding == UTF_8 => self.encoding = State::Utf8,
                encoding => self.is(encoding),
            }
        }
        self.fill(WINDOW)?;
        let input = &self.input[self.start..];
        match &mut self.encoding {
            State::Other(decoder) => {
                let needed = decoder.max_utf8_buffer_length(input.len()).unwrap_or(4 * WINDOW);
                self.output.resize(needed, 0);
                let (_, read, written, has_errors) = decoder.decode_to_utf8(input, &mut self.output, self.is_over);
                self.output.truncate(written);
                self.start += read;
                if has_errors {
                    let name = decoder.encoding().name();
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("some bytes are no text in {name}"),
                    ));
                }
            }
            _ => {
                self.output.extend_from_slice(input);
                self.start = self.input.len();
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.sent == self.output.len() {
            (self.sent, _) = (0, self.output.clear());
            if self.is_over && self.start == self.input.len() {
                return Ok(0);
            }
            self.decode()?;
        }
        let count = out.len().min(self.output.len() - self.sent);
        out[..count].copy_from_slice(&self.output[self.sent..self.sent + count]);
        self.sent += count;
        Ok(count)
    }
}

/// UTF-16, by its mark or by the zeros of ASCII in it.
fn utf_16(start: &[u8]) -> Option<&'static Encoding> {
    match start {
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        _ => {}
    }
    let start = start.get(..start.len().min(256) & !1).filter(|start| start.len() >= 4)?;
    let (pairs, _) = start.as_chunks::<2>();
    let zeros = |place: usize| pairs.iter().filter(|pair| pair[place] == 0).count();
    match (4 * zeros(0) >= 3 * pairs.len(), 4 * zeros(1) >= 3 * pairs.len()) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// The encoding of bytes, the first of which is not ASCII.
fn looks_like(bytes: &[u8], is_whole: bool) -> &'static Encoding {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    // the last character may be cut
    if invalid <= usize::from(!is_whole) && valid > 0 || invalid < valid {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Whether there is an encoding of this name.
pub(crate) fn is_encoding(name: &str) -> bool {
    Encoding::for_label(name.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, Option<&'static str>) {
        let (mut decoder, found) = Decoder::new(bytes, None);
        let mut text = String::new();
        decoder.read_to_string(&mut text).unwrap();
        (text, found.take())
    }

    const TEXT: &str = "stadt,y\nKöln,1\nZürich,2\nMálaga,3\n";

    #[test]
    fn text_in_other_encodings_is_found_and_read() {
        assert_eq!(decoded(TEXT.as_bytes()), (TEXT.into(), None));
        let western = encoding_rs::WINDOWS_1252.encode(TEXT).0;
        assert_eq!(decoded(&western), (TEXT.into(), Some("windows-1252")));
        let russian = "город,y\nМосква,1\nКазань,2\nСанкт-Петербург,3\n";
        assert_eq!(decoded(&encoding_rs::WINDOWS_1251.encode(russian).0), (russian.into(), Some("windows-1251")));
        let wide = |to_bytes: fn(u16) -> [u8; 2], mark: bool| {
            let text = if mark { format!("\u{feff}{TEXT}") } else { TEXT.into() };
            text.encode_utf16().flat_map(to_bytes).collect::<Vec<u8>>()
        };
        for mark in [true, false] {
            assert_eq!(decoded(&wide(u16::to_le_bytes, mark)), (TEXT.into(), Some("UTF-16LE")));
            assert_eq!(decoded(&wide(u16::to_be_bytes, mark)), (TEXT.into(), Some("UTF-16BE")));
        }
        assert_eq!(decoded(b""), (String::new(), None));
    }

    #[test]
    fn the_encoding_is_found_behind_any_length_of_ascii() {
        for lines in [1, 1000, 40_000] {
            let long = format!("{}{TEXT}", "ascii,1\n".repeat(lines));
            assert_eq!(decoded(long.as_bytes()), (long.clone(), None));
            let western = encoding_rs::WINDOWS_1252.encode(&long).0;
            assert_eq!(decoded(&western), (long.clone(), Some("windows-1252")), "{lines} lines");
        }
    }

    #[test]
    fn damaged_utf_8_is_no_other_encoding() {
        let damaged = [TEXT.as_bytes(), b"\xff,4\n"].concat();
        let (mut decoder, found) = Decoder::new(&damaged[..], None);
        let mut bytes = Vec::new();
        decoder.read_to_end(&mut bytes).unwrap();
        assert_eq!((bytes, found.take()), (damaged, None));
    }

    #[test]
    fn an_encoding_may_be_told() {
        let (mut decoder, _) = Decoder::new(&b"K\xf6ln"[..], Some("iso-8859-2"));
        let mut text = String::new();
        decoder.read_to_string(&mut text).unwrap();
        assert_eq!(text, "Köln");
        assert!(is_encoding("latin1") && !is_encoding("nonsense"));
    }
}
