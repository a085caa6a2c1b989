//! What the person at the command line can do about an error of the libraries.

use surefoot_table::Reason;

/// What to do about what is wrong with a table.
pub fn of_table(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreadable => {
            "DATA is a file (CSV, TSV, npy, npz, IDX), a folder of the MNIST family, - for standard input, or a built-in name; `surefoot datasets` lists those"
        }
        Reason::Encoding => "save the file as UTF-8",
        Reason::Quote => "a quote opens at the start of a cell and closes at its end; write two for one within",
        Reason::Rows => "a table has a header and, in each line, as many cells as the header",
        Reason::Format => "was the file copied whole?",
        Reason::NoArray => "of a spreadsheet, export the sheet as CSV; of an archive, unpack the table",
        Reason::DuplicateName => "rename one of them; where the first line is no header, say --header no",
        Reason::UnknownColumn => {
            "names are compared letter by letter; --header yes or no says whether the first line has them"
        }
        Reason::NoInput => {
            "are columns separated by commas, semicolons, tabs or bars? --numeric and --categorical keep a column"
        }
        Reason::NoTarget | Reason::ConstantTarget => "--target names another column",
        Reason::Classes => {
            "--target names another column; where these are meant to be numbers, they have more than digits, a point and a unit"
        }
        Reason::ManyClasses => "--target names another column; --task classification takes them all the same",
        Reason::EmptyCell => "fill the cell, or remove its line",
        Reason::TextAmongNumbers => {
            "correct the cell or empty it; or say --categorical, --ignore or, for the target, --task classification"
        }
        Reason::TextInNumeric => "leave the column out of --numeric, correct the cell, or empty it",
        Reason::TextAsTarget => "where the target is text, leave --task out, or take --task classification",
        Reason::TextAsInput => "this model takes numbers only in this column: correct the cell, or remove its line",
        Reason::UnknownClass => {
            "a class has to be among those that are learned from: correct the cell, or leave its row out"
        }
        Reason::Weight => "correct the cell, or remove its line",
        _ => "does the table belong to these settings, or to this model?",
    }
}
