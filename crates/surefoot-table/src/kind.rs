//! What a column of a table is, and the inputs that follow from it.

use serde::{Deserialize, Serialize};

use crate::notation::Notation;

/// How the cells of a column become inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Kind {
    /// A number, one input.
    Number {
        /// What stands for a missing cell; `None`: a cell has to be there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fill: Option<f64>,
        /// Whether one more input, the missing indicator, is 1 for a missing cell and 0 otherwise.
        #[serde(default, rename = "marked", skip_serializing_if = "std::ops::Not::not")]
        missing_indicator: bool,
        /// How the numbers are written.
        #[serde(default, skip_serializing_if = "Notation::is_default")]
        notation: Notation,
    },
    /// One of two values: one input, 0 for the first, 1 for the second, ½ for missing and unseen ones.
    #[serde(rename = "yes-no")]
    Binary {
        /// The two, in ascending order; words for no before those for yes, where they are that.
        values: [String; 2],
        /// Whether one more input, the missing indicator, is 1 for a missing cell and 0 otherwise.
        #[serde(default, rename = "marked", skip_serializing_if = "std::ops::Not::not")]
        missing_indicator: bool,
    },
    /// One of several values: one-hot, an input for each category.
    Category {
        /// Their names, in ascending order.
        categories: Vec<String>,
        /// One more input for rare and unseen ones; without it they are 0 everywhere.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        other: bool,
        /// Whether one more input, the missing indicator, is 1 for a missing cell and 0 otherwise.
        #[serde(default, rename = "marked", skip_serializing_if = "std::ops::Not::not")]
        missing_indicator: bool,
    },
}

/// Why a column is excluded from the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excluded {
    /// It counts the rows, perhaps with gaps.
    RowNumber,
    /// Every cell differs: it identifies the row, and says nothing about other rows.
    Identifier,
    /// Text whose values hardly ever repeat.
    FreeText,
    /// All cells are equal.
    Constant,
    /// All cells are missing.
    Empty,
    /// It was asked to be.
    Ignored,
    /// It has the weights of the rows.
    Weight,
    /// It has the groups of the rows.
    Group,
}

impl Excluded {
    /// The reason in a word or two.
    pub fn reason(self) -> &'static str {
        match self {
            Excluded::RowNumber => "row number",
            Excluded::Identifier => "identifier: a different value in every row",
            Excluded::FreeText => "free text",
            Excluded::Constant => "constant",
            Excluded::Empty => "empty",
            Excluded::Ignored => "ignored",
            Excluded::Weight => "weight",
            Excluded::Group => "group",
        }
    }
}

impl Kind {
    /// The names of its inputs.
    pub fn inputs(&self, column: &str) -> Vec<String> {
        let mut names = match self {
            Kind::Number { .. } => vec![column.to_string()],
            Kind::Binary { values: [_, second], .. } => vec![format!("{column}={second}")],
            Kind::Category { categories, other, .. } => {
                let mut names: Vec<String> = categories.iter().map(|name| format!("{column}={name}")).collect();
                names.extend(other.then(|| format!("{column}=(other)")));
                names
            }
        };
        names.extend(self.has_missing_indicator().then(|| format!("{column}=(missing)")));
        names
    }

    /// The values that it tells apart, in ascending order; none for a number.
    pub fn values(&self) -> &[String] {
        match self {
            Kind::Number { .. } => &[],
            Kind::Binary { values, .. } => values,
            Kind::Category { categories, .. } => categories,
        }
    }

    /// How many they are.
    pub fn width(&self) -> usize {
        usize::from(self.has_missing_indicator())
            + match self {
                Kind::Number { .. } | Kind::Binary { .. } => 1,
                Kind::Category { categories, other, .. } => categories.len() + usize::from(*other),
            }
    }

    /// Whether it has a missing indicator.
    pub fn has_missing_indicator(&self) -> bool {
        match self {
            Kind::Number { missing_indicator, .. }
            | Kind::Binary { missing_indicator, .. }
            | Kind::Category { missing_indicator, .. } => *missing_indicator,
        }
    }

    /// The kind in a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Number { .. } => "number",
            Kind::Binary { .. } => "yes/no",
            Kind::Category { .. } => "category",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_names_of_their_own() {
        let kind = Kind::Category { categories: vec!["a".into(), "b".into()], other: true, missing_indicator: true };
        assert_eq!(kind.inputs("x"), ["x=a", "x=b", "x=(other)", "x=(missing)"]);
        assert_eq!(kind.width(), 4);
        let kind = Kind::Binary { values: ["no".into(), "yes".into()], missing_indicator: false };
        assert_eq!((kind.inputs("x"), kind.width()), (vec!["x=yes".to_string()], 1));
    }

    #[test]
    fn model_files_of_earlier_versions_are_read() {
        let values = ["no".to_string(), "yes".to_string()];
        let kind = Kind::Binary { values, missing_indicator: true };
        let json = r#"{"yes-no":{"values":["no","yes"],"marked":true}}"#;
        assert_eq!(serde_json::from_str::<Kind>(json).unwrap(), kind);
        assert_eq!(serde_json::to_string(&kind).unwrap(), json);
    }
}
