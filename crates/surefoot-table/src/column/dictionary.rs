//! The different texts of a column, each with what it says.

use std::hash::BuildHasher;

use arrow_array::builder::LargeStringBuilder;
use arrow_array::{Array, LargeStringArray};
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::cell::Meaning;
use crate::notation::{Evidence, Notation};

/// Different texts in the order in which they came; the code of a text is its place.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary {
    texts: LargeStringArray,
    meanings: Vec<Meaning>,
}

impl Dictionary {
    /// Of these different texts, in a notation.
    pub fn of(texts: &[String], notation: &Notation) -> Self {
        let texts = LargeStringArray::from_iter_values(texts);
        let mut dictionary = Dictionary { texts, meanings: Vec::new() };
        dictionary.read(notation);
        dictionary
    }

    pub fn len(&self) -> usize {
        self.meanings.len()
    }

    pub fn text(&self, code: usize) -> &str {
        self.texts.value(code)
    }

    pub fn meaning(&self, code: usize) -> Meaning {
        self.meanings[code]
    }

    /// Reads all texts in this notation.
    pub fn read(&mut self, notation: &Notation) {
        self.meanings = self.texts.iter().flatten().map(|text| Meaning::of(text, notation)).collect();
    }

    pub fn bytes(&self) -> usize {
        self.texts.get_array_memory_size() + self.meanings.capacity() * size_of::<Meaning>()
    }
}

/// A dictionary that takes texts up.
pub(crate) struct GrowingDictionary {
    texts: LargeStringBuilder,
    length: usize,
    /// The codes by the hash of their texts. It is seeded at random against files that are made to collide; no code depends
    /// on it.
    codes: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl GrowingDictionary {
    pub fn new() -> Self {
        GrowingDictionary {
            texts: LargeStringBuilder::with_capacity(0, 0),
            length: 0,
            codes: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    /// The code of a text, a new one where it was not seen before; then it is evidence.
    pub fn code(&mut self, text: &str, evidence: &mut Evidence) -> usize {
        let GrowingDictionary { texts, length, codes, hasher } = self;
        let hash = hasher.hash_one(text.as_bytes());
        if let Some(&code) = codes.find(hash, |&code| bytes(texts, code) == text.as_bytes()) {
            return code as usize;
        }
        let code = *length;
        *length += 1;
        texts.append_value(text);
        evidence.look(text);
        codes.insert_unique(hash, code as u32, |&code| hasher.hash_one(bytes(texts, code)));
        code
    }

    /// All texts, read in the usual notation.
    pub fn finish(mut self) -> Dictionary {
        let mut dictionary = Dictionary { texts: self.texts.finish(), meanings: Vec::new() };
        dictionary.read(&Notation::default());
        dictionary
    }
}

/// The bytes of the text with this code.
fn bytes(texts: &LargeStringBuilder, code: u32) -> &[u8] {
    let (ends, code) = (texts.offsets_slice(), code as usize);
    &texts.values_slice()[ends[code] as usize..ends[code + 1] as usize]
}
