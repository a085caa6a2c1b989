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
    /// The table, as CSV.
    pub(crate) csv: &'static str,
}

/// All of them.
pub const BUILTIN: [Builtin; 3] = [
    Builtin {
        name: "xor",
        about: "exclusive or of two bits: 4 rows, 2 inputs, 2 classes",
        source: "the definition",
        csv: include_str!("../data/xor.csv"),
    },
    Builtin {
        name: "iris",
        about: "species of iris flowers: 150 rows, 4 measurements in cm, 3 classes",
        source: "Fisher 1936, UCI Machine Learning Repository (CC BY 4.0)",
        csv: include_str!("../data/iris.csv"),
    },
    Builtin {
        name: "digits",
        about: "handwritten digits of 8 × 8 pixels: 1797 rows, 64 inputs from 0 to 16, 10 classes",
        source: "Alpaydin and Kaynak 1998, UCI Machine Learning Repository (CC BY 4.0)",
        csv: include_str!("../data/digits.csv"),
    },
];
