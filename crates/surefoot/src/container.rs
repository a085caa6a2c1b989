//! The container of models and checkpoints: safetensors with a JSON object in the metadata, nothing executable.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))] // the bytes are a stranger's

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorInfo};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, Result};

/// A tensor to be written, whose bytes are made only then.
pub(crate) struct Tensor<'a> {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Box<dyn Fn() -> Vec<u8> + 'a>,
}

/// One such file, which is named in every error.
#[derive(Clone, Copy)]
pub(crate) struct Container<'a> {
    pub path: &'a Path,
}

impl Container<'_> {
    /// Writes the file, whole or not at all, with this entry in its metadata.
    #[cfg(feature = "files")]
    pub fn write(&self, entry: Option<(&str, String)>, tensors: &[Tensor<'_>]) -> Result<()> {
        let header = self.header(entry, tensors)?;
        crate::files::write_atomically_by(self.path, |file| {
            std::io::Write::write_all(file, &header)?;
            tensors.iter().try_for_each(|tensor| std::io::Write::write_all(file, &(tensor.bytes)()))
        })
    }

    /// The bytes of the file.
    pub fn bytes(&self, entry: Option<(&str, String)>, tensors: &[Tensor<'_>]) -> Result<Vec<u8>> {
        let mut bytes = self.header(entry, tensors)?;
        tensors.iter().for_each(|tensor| bytes.extend((tensor.bytes)()));
        Ok(bytes)
    }

    /// What stands before the numbers: the length of a JSON object, and it.
    fn header(&self, entry: Option<(&str, String)>, tensors: &[Tensor<'_>]) -> Result<Vec<u8>> {
        let mut end = 0;
        let info = |tensor: &Tensor<'_>| {
            let start = end;
            end += tensor.shape.iter().product::<usize>() * tensor.dtype.bitsize() / 8;
            let (dtype, shape) = (tensor.dtype, tensor.shape.clone());
            (tensor.name.clone(), TensorInfo { dtype, shape, data_offsets: (start, end) })
        };
        let entries = entry.map(|(name, json)| HashMap::from([(name.to_string(), json)]));
        let metadata = Metadata::new(entries, tensors.iter().map(info).collect())
            .map_err(|error| self.error("tensors", "safetensors", error))?;
        let mut header = serde_json::to_vec(&metadata).map_err(|error| self.error("tensors", "safetensors", error))?;
        header.resize(header.len().next_multiple_of(8), b' '); // so that the data begin at a multiple of 8
        Ok([(header.len() as u64).to_le_bytes().as_slice(), &header].concat())
    }

    pub fn error(&self, what: &str, expected: impl ToString, got: impl ToString) -> Error {
        let (expected, got) = (expected.to_string(), got.to_string());
        Error::ModelFile { path: self.path.into(), what: what.into(), expected, got }
    }

    /// All bytes of the file, which is one that has an end.
    #[cfg(feature = "files")]
    pub fn read(&self) -> Result<Vec<u8>> {
        let io = |source| Error::Io { action: "read", path: self.path.into(), source };
        let kind = std::fs::metadata(self.path).map_err(io)?.file_type();
        if !kind.is_file() && !kind.is_dir() {
            return Err(self.error("file", "a regular file", "a device or a pipe"));
        }
        std::fs::read(self.path).map_err(io)
    }

    /// The JSON object of an entry of the metadata, in one of these formats, and the tensors.
    pub fn open<'b, H: DeserializeOwned>(
        &self,
        bytes: &'b [u8],
        entry: &str,
        formats: RangeInclusive<u64>,
    ) -> Result<(H, SafeTensors<'b>)> {
        self.check_names_are_unique(bytes)?;
        let (_, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|error| self.error("file", "safetensors", error))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| self.error("file", "safetensors", error))?;
        let json = metadata.metadata().as_ref().and_then(|entries| entries.get(entry));
        let json = json.ok_or_else(|| self.error("metadata", format!("an entry `{entry}`"), "none"))?;
        Ok((self.entry(json, entry, formats)?, tensors))
    }

    fn entry<H: DeserializeOwned>(&self, json: &str, entry: &str, formats: RangeInclusive<u64>) -> Result<H> {
        let known = formats.clone().map(|format| format.to_string()).collect::<Vec<_>>().join(" or ");
        // The version first: another one may have other keys.
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|error| self.error(entry, "a JSON object", error))?;
        self.refuse_repeated_key(entry, serde_json::from_str(json))?;
        match value.get("format") {
            Some(found) if found.as_u64().is_some_and(|found| formats.contains(&found)) => {}
            Some(other) => return Err(self.error("format", known, other)),
            None => return Err(self.error("format", known, "none")),
        }
        serde_json::from_value(value).map_err(|error| self.error(entry, format!("the keys of format {known}"), error))
    }

    /// The container's own reader keeps the last of two equal names; here they are an error. What else may be wrong
    /// with the header is left to that reader.
    fn check_names_are_unique(&self, bytes: &[u8]) -> Result<()> {
        let length = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length) as usize);
        let json = bytes.get(8..length.saturating_add(8)).unwrap_or_default();
        self.refuse_repeated_key("tensor names", serde_json::from_slice(json))
    }

    fn refuse_repeated_key(&self, what: &str, found: serde_json::Result<RepeatedKey>) -> Result<()> {
        match found {
            Ok(RepeatedKey(Some(name))) => Err(self.error(what, "each name once", format!("`{name}` twice"))),
            _ => Ok(()),
        }
    }
}

/// The first key that an object has twice, in a JSON value or within it.
struct RepeatedKey(Option<String>);

impl<'de> Deserialize<'de> for RepeatedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = RepeatedKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<RepeatedKey, M::Error> {
                let (mut seen, mut repeated) = (BTreeSet::new(), None);
                while let Some((key, RepeatedKey(within))) = map.next_entry::<String, _>()? {
                    repeated = repeated.or(within).or(seen.replace(key));
                }
                Ok(RepeatedKey(repeated))
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> std::result::Result<RepeatedKey, S::Error> {
                let mut repeated = None;
                while let Some(RepeatedKey(within)) = items.next_element()? {
                    repeated = repeated.or(within);
                }
                Ok(RepeatedKey(repeated))
            }

            fn visit_bool<E>(self, _: bool) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_i64<E>(self, _: i64) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_u64<E>(self, _: u64) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_f64<E>(self, _: f64) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_str<E>(self, _: &str) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
            fn visit_unit<E>(self) -> std::result::Result<RepeatedKey, E> {
                Ok(RepeatedKey(None))
            }
        }
        deserializer.deserialize_any(Keys)
    }
}
