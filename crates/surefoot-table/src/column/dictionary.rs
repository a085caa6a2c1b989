//! The different texts of a column, each with what it says.

use std::hash::BuildHasher;

use arrow_array::builder::LargeStringBuilder;
use arrow_array::{Array, LargeStringArray};
use hashbrown::{DefaultHashBuilder, HashTable};

use crate::cell::Meaning;

/// Different texts in the order in which they came; the code of a text is its place.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary {
    texts: LargeStringArray,
    meanings: Vec<Meaning>,
}

impl Dictionary {
    pub fn len(&self) -> usize {
        self.meanings.len()
    }

    pub fn text(&self, code: usize) -> &str {
        self.texts.value(code)
    }

    pub fn meaning(&self, code: usize) -> Meaning {
        self.meanings[code]
    }

    pub fn bytes(&self) -> usize {
        self.texts.get_array_memory_size() + self.meanings.capacity() * size_of::<Meaning>()
    }
}

/// A dictionary that takes texts up.
pub(crate) struct GrowingDictionary {
    texts: LargeStringBuilder,
    meanings: Vec<Meaning>,
    /// The codes by the hash of their texts. It is seeded at random against files that are made to collide; no code depends
    /// on it.
    codes: HashTable<u32>,
    hasher: DefaultHashBuilder,
    decimal_comma: bool,
}

impl GrowingDictionary {
    pub fn new(decimal_comma: bool) -> Self {
        GrowingDictionary {
            texts: LargeStringBuilder::with_capacity(0, 0),
            meanings: Vec::new(),
            codes: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            decimal_comma,
        }
    }

    pub fn len(&self) -> usize {
        self.meanings.len()
    }

    /// The code of a text, a new one where it was not seen before.
    pub fn code(&mut self, text: &str) -> usize {
        let GrowingDictionary { texts, meanings, codes, hasher, decimal_comma } = self;
        let hash = hasher.hash_one(text.as_bytes());
        if let Some(&code) = codes.find(hash, |&code| bytes(texts, code) == text.as_bytes()) {
            return code as usize;
        }
        let code = meanings.len();
        texts.append_value(text);
        meanings.push(Meaning::of(text, *decimal_comma));
        codes.insert_unique(hash, code as u32, |&code| hasher.hash_one(bytes(texts, code)));
        code
    }

    pub fn finish(mut self) -> Dictionary {
        self.meanings.shrink_to_fit();
        Dictionary { texts: self.texts.finish(), meanings: self.meanings }
    }
}

/// The bytes of the text with this code.
fn bytes(texts: &LargeStringBuilder, code: u32) -> &[u8] {
    let (ends, code) = (texts.offsets_slice(), code as usize);
    &texts.values_slice()[ends[code] as usize..ends[code + 1] as usize]
}
