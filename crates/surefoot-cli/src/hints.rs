//! What the person at the command line can do about an error of the libraries.

use surefoot_table::Reason;

/// What to do about what is wrong with a table.
pub fn of_table(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreadable => {
            "DATA is a file (CSV, a workbook, JSON, Parquet, Arrow, NumPy, IDX), a folder of the MNIST family, - for standard input, or a built-in name; `surefoot datasets` lists those"
        }
        Reason::Encoding => "save the file as UTF-8, or name its encoding with --encoding",
        Reason::Quote => "a quoted cell starts and ends with a quote; double a quote inside it",
        Reason::Rows => "a table has a header, and as many cells in each line as in the header",
        Reason::Format => "the file may be truncated or corrupt",
        Reason::NoArray => "unpack the archive, and name the file in it",
        Reason::Archive => "unpack it, and name the file in it that is the table",
        Reason::NoTable => {
            "export the table as CSV, a workbook, JSON records, Parquet or Arrow; `surefoot --help` lists what is read"
        }
        Reason::Json => {
            "one record a line, such as {\"size\": 3, \"kind\": \"a\"}, or an array of them; nested values are not read"
        }
        Reason::Sheet => "--sheet names a sheet of the workbook",
        Reason::DuplicateName => "rename one of them; if the first line is not a header, use --header no",
        Reason::UnknownColumn => {
            "column names must match exactly (case-sensitive); --header yes|no says whether the first row has them"
        }
        Reason::NoInput => {
            "are columns separated by commas, semicolons, tabs or bars? --numeric and --categorical keep a column"
        }
        Reason::NoTarget => "--target names another column",
        Reason::ConstantTarget => "there is nothing to predict in a constant column; --target names another one",
        Reason::Classes => {
            "--target names another column; if it is meant to be numeric, some cells are not plain numbers"
        }
        Reason::ManyClasses => "--target names another column; --task classification treats them as classes anyway",
        Reason::EmptyCell => "fill the cell, or remove its line",
        Reason::TextAmongNumbers => {
            "correct the cell or empty it; or use --missing WORDS, --categorical, --ignore or, for the target, --task classification"
        }
        Reason::TextInNumeric => "omit the column from --numeric, correct the cell, or empty it",
        Reason::TextAsTarget => "for a text target omit --task, or use --task classification",
        Reason::TextAsInput => "this model takes numbers only in this column: correct the cell, or remove its line",
        Reason::UnknownClass => "every class must occur in the training rows: correct the cell, or remove its row",
        Reason::Weight => "correct the cell, or remove its line",
        Reason::Infinite => {
            "correct the cell or empty it; --categorical takes the column as text, --ignore excludes it"
        }
        Reason::DecimalSign => "--decimal point or --decimal comma says which",
        Reason::MinusSign => "write all negative numbers in one way, or exclude the column with --ignore",
        Reason::PercentSign => "write all cells with a percent sign or none, or use --categorical or --ignore",
        _ => "does the table belong to these settings, or to this model?",
    }
}
