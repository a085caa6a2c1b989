//! The data sets that are in the binary. `docs/datasets.md` has their sources and licences.

/// A data set that is built in.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The name that stands for it wherever a file could.
    pub name: &'static str,
    /// What it holds.
    pub about: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    pub(crate) content: Content,
}

/// How a built-in table is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    Csv(&'static str),
    /// A packed IDX file, in which a byte b stands for 0.1 + 0.8 b/255.
    Patches(&'static [u8]),
}

/// All of them.
pub const BUILTIN: [Builtin; 4] = [
    Builtin {
        name: "xor",
        about: "exclusive or of two bits: 4 rows, 2 inputs, 2 classes",
        source: "the definition",
        content: Content::Csv(include_str!("../data/xor.csv")),
    },
    Builtin {
        name: "iris",
        about: "species of iris flowers: 150 rows, 4 measurements in cm, 3 classes",
        source: "Fisher 1936, UCI Machine Learning Repository (CC BY 4.0)",
        content: Content::Csv(include_str!("../data/iris.csv")),
    },
    Builtin {
        name: "digits",
        about: "handwritten digits of 8 × 8 pixels: 1797 rows, 64 inputs from 0 to 16, 10 classes",
        source: "Alpaydin and Kaynak 1998, UCI Machine Learning Repository (CC BY 4.0)",
        content: Content::Csv(include_str!("../data/digits.csv")),
    },
    Builtin {
        name: "patches",
        about: "pieces of 8 × 8 pixels of whitened photographs: 10000 rows, 64 inputs from 0.1 to 0.9, no target",
        source: "eight photographs in scikit-image (CC0 and public domain)",
        content: Content::Patches(include_bytes!("../data/patches.idx.gz")),
    },
];
