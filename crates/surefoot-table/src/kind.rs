//! What a column of a table is, and the inputs that follow from it.

use serde::{Deserialize, Serialize};

/// How the cells of a column become inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Kind {
    /// A number, one input.
    Number {
        /// What stands for a missing cell; `None`: a cell has to be there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fill: Option<f64>,
        /// One more input is 1 where the cell is missing, else 0.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        marked: bool,
    },
    /// One of two values: one input, 0 for the first, 1 for the second, ½ for missing and unseen ones.
    YesNo {
        /// The two, in ascending order.
        values: [String; 2],
        /// One more input is 1 where the cell is missing, else 0.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        marked: bool,
    },
    /// One of several values: one-hot, an input for each category.
    Category {
        /// Their names, in ascending order.
        categories: Vec<String>,
        /// One more input for rare and unseen ones; without it they are 0 everywhere.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        other: bool,
        /// One more input is 1 where the cell is missing, else 0.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        marked: bool,
    },
}

/// Why a column is no input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Every cell differs: it names the row, and says nothing of other rows.
    Identifier,
    /// Text that hardly ever repeats.
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

impl LeftOut {
    /// The reason in a word or two.
    pub fn reason(self) -> &'static str {
        match self {
            LeftOut::Identifier => "identifier: another value in every row",
            LeftOut::FreeText => "text that hardly repeats",
            LeftOut::Constant => "constant",
            LeftOut::Empty => "empty",
            LeftOut::Ignored => "ignored",
            LeftOut::Weight => "weight",
            LeftOut::Group => "group",
        }
    }
}

impl Kind {
    /// The names of its inputs.
    pub fn inputs(&self, column: &str) -> Vec<String> {
        let mut names = match self {
            Kind::Number { .. } => vec![column.to_string()],
            Kind::YesNo { values: [_, second], .. } => vec![format!("{column}={second}")],
            Kind::Category { categories, other, .. } => {
                let mut names: Vec<String> = categories.iter().map(|name| format!("{column}={name}")).collect();
                names.extend(other.then(|| format!("{column}=(other)")));
                names
            }
        };
        names.extend(self.is_marked().then(|| format!("{column}=(missing)")));
        names
    }

    /// How many they are.
    pub fn width(&self) -> usize {
        usize::from(self.is_marked())
            + match self {
                Kind::Number { .. } | Kind::YesNo { .. } => 1,
                Kind::Category { categories, other, .. } => categories.len() + usize::from(*other),
            }
    }

    /// Whether an input says that the cell is missing.
    pub fn is_marked(&self) -> bool {
        match self {
            Kind::Number { marked, .. } | Kind::YesNo { marked, .. } | Kind::Category { marked, .. } => *marked,
        }
    }

    /// The kind in a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Kind::Number { .. } => "number",
            Kind::YesNo { .. } => "yes/no",
            Kind::Category { .. } => "category",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_names_of_their_own() {
        let kind = Kind::Category { categories: vec!["a".into(), "b".into()], other: true, marked: true };
        assert_eq!(kind.inputs("x"), ["x=a", "x=b", "x=(other)", "x=(missing)"]);
        assert_eq!(kind.width(), 4);
        let kind = Kind::YesNo { values: ["no".into(), "yes".into()], marked: false };
        assert_eq!((kind.inputs("x"), kind.width()), (vec!["x=yes".to_string()], 1));
    }
}
