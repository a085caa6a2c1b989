//! From the columns of a table to the inputs and targets of a network.

use ndarray::{Array2, Axis, s};
use serde::{Deserialize, Serialize};
use surefoot::{Model, Scalar, Scaling};

use crate::categories::Categories;
use crate::column::{Cell, Cells, Mapped};
use crate::error::{Error, FINITE, Reason, Result};
use crate::kind::{Asked, Kind, LeftOut, find_kind};
use crate::table::{Table, short};
use crate::targets::{NUMBER_TARGET, TARGETS, Target, Targets, unknown_class};

/// How the rows of a table become examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The columns that are inputs, in their order.
    pub columns: Vec<Column>,
    /// The names of the target columns.
    pub target_columns: Vec<String>,
    /// What the targets mean.
    pub targets: Targets,
}

/// A column that is an input, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// How its cells become inputs.
    pub kind: Kind,
}

/// What the user says of columns; each is a name.
#[derive(Clone, Debug, Default)]
pub struct Roles<'a> {
    /// Those that are numbers.
    pub numeric: Vec<&'a str>,
    /// Those that are categories.
    pub categorical: Vec<&'a str>,
    /// Those that are left out.
    pub ignored: Vec<&'a str>,
    /// The one with the weights of the rows.
    pub weight: Option<&'a str>,
    /// The one with the groups of the rows.
    pub group: Option<&'a str>,
}

/// What was learned of the columns of a table.
#[derive(Clone, Debug)]
pub struct Learned {
    /// How they become inputs.
    pub encoding: Encoding,
    /// The centre and scale of each input, robust, with a smooth limit.
    pub scaling: Scaling,
    /// The columns that are no inputs, and why.
    pub left_out: Vec<(String, LeftOut)>,
}

/// Where outliers of scaled inputs are held back.
const LIMIT: f64 = 3.0;

impl Encoding {
    /// Learns from these rows what each column is, the target's apart: numbers, yes and no, categories, or nothing to learn
    /// from (identifiers, constants, what is empty). Whether a column has numbers or texts, or numbers the rows, is decided by all rows
    /// of the table, so that it is the same whichever part is learned from; all else by these.
    ///
    /// # Errors
    /// [`Error::Columns`] when a named column is not there or no input is left; [`Error::Cell`] for a cell that is no number
    /// in a column of numbers.
    pub fn learn(table: &Table, rows: &[usize], target: &Target, roles: &Roles<'_>) -> Result<Learned> {
        let named = [&roles.numeric, &roles.categorical, &roles.ignored];
        for name in named.into_iter().flatten().chain(&roles.weight).chain(&roles.group) {
            table.column(name)?;
        }
        let (mut columns, mut left_out) = (Vec::new(), Vec::new());
        let (mut centre, mut scale) = (Vec::new(), Vec::new());
        for (place, name) in table.columns().iter().enumerate().filter(|&(place, _)| place != target.column) {
            let is_in = |names: &[&str]| names.contains(&name.as_str());
            let found = if roles.weight == Some(name) {
                Err(LeftOut::Weight)
            } else if is_in(&roles.ignored) {
                Err(LeftOut::Ignored)
            } else if is_in(&roles.numeric) {
                find_kind(table, rows, place, Asked::Number)?
            } else if is_in(&roles.categorical) {
                find_kind(table, rows, place, Asked::Category)?
            } else if roles.group == Some(name) {
                Err(LeftOut::Group)
            } else {
                find_kind(table, rows, place, Asked::Nothing)?
            };
            match found {
                Ok((kind, first)) => {
                    // the first input of a number or of yes and no has a scale of its own, one-hot inputs are as they are
                    let inputs = std::iter::once(first).chain(std::iter::repeat((0.0, 1.0))).take(kind.width());
                    inputs.for_each(|(c, s)| {
                        centre.push(c);
                        scale.push(s);
                    });
                    columns.push(Column { name: name.clone(), kind });
                }
                Err(why) => left_out.push((name.clone(), why)),
            }
        }
        if columns.is_empty() {
            let got = match left_out.len() {
                0 => format!("{} column", table.columns().len()),
                1 => format!("`{}`, which is {}", short(&left_out[0].0), described(left_out[0].1)),
                others => format!("{others} columns that are {}", described(left_out[0].1)),
            };
            return Err(Error::columns(table.file(), Reason::NoInput, "an input column beside the target", got));
        }
        let target_columns = vec![table.columns()[target.column].clone()];
        let encoding = Encoding { columns, target_columns, targets: target.targets.clone() };
        Ok(Learned { encoding, scaling: Scaling { centre, scale, limit: Some(LIMIT) }, left_out })
    }

    /// Each column but the target's as a number that has to be there.
    pub fn plain(table: &Table, target: &Target) -> Self {
        let columns = table.columns().iter().enumerate().filter(|&(place, _)| place != target.column);
        let names: Vec<String> = columns.map(|(_, name)| name.clone()).collect();
        let target_columns = vec![table.columns()[target.column].clone()];
        Encoding { columns: plain(&names), target_columns, targets: target.targets.clone() }
    }

    /// The encoding of a table that an autoencoder learns from: all columns are inputs, and targets as well, but for one
    /// that is named, or the label of a built-in set, which is left out.
    ///
    /// # Errors
    /// [`Error::Columns`] when there is no such column, or no other.
    pub fn of_autoencoder(table: &Table, left_out: Option<&str>) -> Result<Self> {
        let left_out = match left_out.or(table.label()) {
            Some(name) => Some(table.column(name)?),
            None => None,
        };
        let columns = table.columns().iter().enumerate().filter(|&(i, _)| Some(i) != left_out);
        let names: Vec<String> = columns.map(|(_, name)| name.clone()).collect();
        if names.is_empty() {
            return Err(Error::columns(table.file(), Reason::NoInput, "an input column", "none"));
        }
        Ok(Encoding { columns: plain(&names), target_columns: names, targets: Targets::Numbers })
    }

    /// The encoding that a model asks for. Columns are found by the names that the model has; where it has none, they
    /// are those of the table by their position: first the inputs, then the targets.
    ///
    /// # Errors
    /// [`Error::Format`] when what the model says of columns is not understood, or does not fit its network.
    pub fn of_model(model: &Model, table: &Table) -> Result<Self> {
        let mut rest = table.columns().iter();
        let mut positions = |count| rest.by_ref().take(count).cloned().collect::<Vec<_>>();
        let or_positions =
            |names: &[String], positions: Vec<String>| if names.is_empty() { positions } else { names.to_vec() };
        let columns = match &model.encoding {
            serde_json::Value::Null => plain(&or_positions(&model.input_columns, positions(model.network.inputs()))),
            encoding => {
                let wrong = |got: String| {
                    Error::format("the model", Reason::Format, "an encoding of columns for its inputs", got)
                };
                let columns: Vec<Column> =
                    serde_json::from_value(encoding.clone()).map_err(|error| wrong(error.to_string()))?;
                let inputs: usize = columns.iter().map(|column| column.kind.width()).sum();
                if inputs != model.network.inputs() {
                    return Err(wrong(format!("{inputs} inputs for a network with {}", model.network.inputs())));
                }
                columns
            }
        };
        let target_count = if model.classes.is_empty() { model.network.outputs() } else { 1 };
        let target_columns = or_positions(&model.target_columns, positions(target_count));
        let targets = match model.classes.as_slice() {
            [] => Targets::Numbers,
            names => Targets::Classes(names.to_vec()),
        };
        Ok(Encoding { columns, target_columns, targets })
    }

    /// The columns that a model encodes; none where its inputs are columns of numbers.
    pub fn columns_of(model: &Model) -> Vec<Column> {
        Vec::<Column>::deserialize(&model.encoding).unwrap_or_default()
    }

    /// The names that the columns of a model's tables have, as far as it knows them.
    pub fn names_of(model: &Model) -> Vec<String> {
        let columns = Encoding::columns_of(model);
        let inputs: Vec<String> = match columns.is_empty() {
            true => model.input_columns.clone(),
            false => columns.into_iter().map(|column| column.name).collect(),
        };
        inputs.into_iter().chain(model.target_columns.iter().cloned()).collect()
    }

    /// For the metadata of a model.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.columns)
    }

    /// Whether the targets are the inputs.
    pub fn is_autoencoder(&self) -> bool {
        self.columns.iter().map(|column| &column.name).eq(&self.target_columns)
    }

    /// The names of the inputs.
    pub fn input_names(&self) -> Vec<String> {
        self.columns.iter().flat_map(|column| column.kind.inputs(&column.name)).collect()
    }

    /// The inputs that each column has.
    pub fn input_groups(&self) -> Vec<Vec<usize>> {
        let mut next = 0;
        let group = |column: &Column| {
            let first = next;
            next += column.kind.width();
            (first..next).collect()
        };
        self.columns.iter().map(group).collect()
    }

    /// The inputs of these rows, in the unit of the table.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns, [`Error::Cell`] for a cell that is no number where it has to be one.
    pub fn inputs(&self, table: &Table, rows: &[usize]) -> Result<Array2<f64>> {
        self.inputs_as(table, rows, None)
    }

    /// The inputs of these rows in the precision of training, scaled where a scaling is given: each number is scaled as
    /// `f64` and rounded once, and no matrix of `f64` is made on the way.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), and [`Error::Columns`] when the scaling is not one of so many inputs.
    pub fn inputs_as<T: Scalar>(&self, table: &Table, rows: &[usize], scaling: Option<&Scaling>) -> Result<Array2<T>> {
        let places = self.find_columns(table, self.columns.iter().map(|column| &column.name))?;
        let kinds = self.columns.iter().map(|column| &column.kind);
        let encoders: Vec<_> =
            kinds.zip(&places).map(|(kind, &place)| Encoder::new(kind, table.cells(place))).collect();
        let width = self.columns.iter().map(|column| column.kind.width()).sum();
        let inputs = filled(table, rows, width, scaling, |row, inputs| {
            let mut first = 0;
            for encoder in &encoders {
                encoder.encode(row, &mut inputs[first..first + encoder.width])?;
                first += encoder.width;
            }
            Some(())
        });
        inputs?.map_err(|_| {
            // of several wrong cells the first of the first column is told
            let mut all = encoders.iter().zip(&places).flat_map(|(encoder, &column)| {
                let mut inputs = vec![0.0; encoder.width];
                rows.iter()
                    .filter(move |&&row| encoder.encode(row, &mut inputs).is_none())
                    .map(move |&row| (row, column))
            });
            let (row, column) = all.next().unwrap_or_default();
            table.cell_error(row, column, Reason::TextAsInput, FINITE)
        })
    }

    /// The targets of these rows for a network with so many outputs: numbers as they are; classes as 1 for the class
    /// and 0 for the others, and for two classes on one output as 1 for the second.
    ///
    /// # Errors
    /// As [`inputs`](Self::inputs), and [`Error::Cell`] for a class that the encoding does not know.
    pub fn targets(&self, table: &Table, rows: &[usize], outputs: usize) -> Result<Array2<f64>> {
        self.targets_as(table, rows, outputs, None)
    }

    /// The targets of these rows in the precision of training, scaled where a scaling is given, as
    /// [`inputs_as`](Self::inputs_as) does.
    ///
    /// # Errors
    /// As [`targets`](Self::targets), and [`Error::Columns`] when the scaling is not one of so many outputs.
    pub fn targets_as<T: Scalar>(
        &self,
        table: &Table,
        rows: &[usize],
        outputs: usize,
        scaling: Option<&Scaling>,
    ) -> Result<Array2<T>> {
        let columns = self.find_columns(table, self.target_columns.iter())?;
        let needed = if self.targets == Targets::Numbers { outputs } else { 1 };
        if columns.len() != needed {
            let (expected, got) = (format!("target columns ({needed}) beside the inputs"), columns.len().to_string());
            return Err(Error::columns(table.file(), Reason::Columns, expected, got));
        }
        match &self.targets {
            Targets::Numbers => {
                let targets = filled(table, rows, outputs, scaling, |row, targets| {
                    for (target, &column) in targets.iter_mut().zip(&columns) {
                        *target = table.number(row, column)?;
                    }
                    Some(())
                });
                targets?.map_err(|row| {
                    let wrong = columns.iter().find(|&&column| table.number(row, column).is_none());
                    table.cell_error(row, wrong.copied().unwrap_or_default(), Reason::TextAsTarget, NUMBER_TARGET)
                })
            }
            Targets::Classes(names) => {
                let classes = Categories::new(names).of_cells(table.cells(columns[0]));
                let targets = filled(table, rows, outputs, scaling, |row, targets| {
                    match (classes.get(row)?, targets) {
                        (class, [target]) => *target = class as f64,
                        (class, targets) => targets[class] = 1.0,
                    }
                    Some(())
                });
                targets?.map_err(|row| unknown_class(table, row, columns[0], names))
            }
        }
    }

    /// The rows that have all targets.
    ///
    /// # Errors
    /// [`Error::Columns`] with the missing columns, or when there is no such row.
    pub fn rows_with_targets(&self, table: &Table) -> Result<Vec<usize>> {
        let columns = self.find_columns(table, self.target_columns.iter())?;
        let is_there = |&row: &usize| columns.iter().all(|&column| !table.is_missing(row, column));
        let rows: Vec<usize> = (0..table.rows()).filter(is_there).collect();
        if rows.is_empty() {
            let expected = format!("{TARGETS} in column `{}`", short(&self.target_columns[0]));
            return Err(Error::columns(table.file(), Reason::NoTarget, expected, "only missing cells"));
        }
        Ok(rows)
    }

    fn find_columns<'a>(&self, table: &Table, names: impl Iterator<Item = &'a String>) -> Result<Vec<usize>> {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        for name in names {
            match table.column(name) {
                Ok(place) => found.push(place),
                Err(error) => missing.push((name, error)),
            }
        }
        match &mut missing[..] {
            [] => Ok(found),
            [_] => Err(missing.swap_remove(0).1),
            several => {
                let shown: Vec<_> = several.iter().take(8).map(|(name, _)| format!("`{}`", short(name))).collect();
                let more = if several.len() > 8 { format!(" and {} more", several.len() - 8) } else { String::new() };
                let expected = format!("the columns {}{more}", shown.join(", "));
                let got: Vec<_> = table.columns().iter().take(8).map(|name| format!("`{}`", short(name))).collect();
                let more = if table.columns().len() > 8 { ", …" } else { "" };
                let got = format!("{}{more}", got.join(", "));
                Err(Error::columns(table.file(), Reason::UnknownColumn, expected, got))
            }
        }
    }
}

/// Numbers in a block while they are encoded and scaled, before they are rounded.
const BLOCK: usize = 1 << 15;

/// A matrix with a row for each of these of the table: `fill` sets what is not 0 in it, or says that it cannot. Then its row
/// is returned.
///
/// # Errors
/// [`Error::Columns`] when the scaling has another number of columns.
fn filled<T: Scalar>(
    table: &Table,
    rows: &[usize],
    width: usize,
    scaling: Option<&Scaling>,
    mut fill: impl FnMut(usize, &mut [f64]) -> Option<()>,
) -> Result<std::result::Result<Array2<T>, usize>> {
    if let Some(scaling) = scaling.filter(|scaling| scaling.columns() != width) {
        let (expected, got) = (format!("a scaling of {width} columns"), scaling.columns().to_string());
        return Err(Error::columns(table.file(), Reason::Columns, expected, got));
    }
    let mut matrix = Array2::zeros((rows.len(), width));
    let most = (BLOCK / width.max(1)).max(1);
    let mut block = Array2::zeros((most.min(rows.len()), width));
    for (rows, mut numbers) in rows.chunks(most).zip(matrix.axis_chunks_iter_mut(Axis(0), most)) {
        let mut block = block.slice_mut(s![..rows.len(), ..]);
        block.fill(0.0);
        for (&row, mut numbers) in rows.iter().zip(block.rows_mut()) {
            let filled = numbers.as_slice_mut().and_then(|numbers| fill(row, numbers));
            if filled.is_none() {
                return Ok(Err(row));
            }
        }
        match scaling {
            Some(scaling) => numbers.zip_mut_with(&scaling.apply(block.view()), |x, &scaled| *x = T::from_f64(scaled)),
            None => numbers.zip_mut_with(&block, |x, &number| *x = T::from_f64(number)),
        }
    }
    Ok(Ok(matrix))
}

/// How the cells of a column become inputs.
struct Encoder<'a, F> {
    width: usize,
    is_marked: bool,
    encoded: Mapped<'a, Option<Encoded>, F>,
}

/// What a cell becomes: the input that is not 0, and its number.
#[derive(Clone, Copy)]
struct Encoded {
    input: Option<(usize, f64)>,
    is_missing: bool,
}

impl<'a> Encoder<'a, ()> {
    fn new(kind: &'a Kind, cells: &'a Cells) -> Encoder<'a, impl Fn(Cell<'a>) -> Option<Encoded>> {
        let categories = match kind {
            Kind::Number { .. } => Categories::new(&[]),
            Kind::YesNo { values, .. } => Categories::new(values),
            Kind::Category { categories, .. } => Categories::new(categories),
        };
        let encode = move |cell| {
            let meaning = cells.meaning_of(cell);
            let is_missing = meaning.is_missing;
            let input = match kind {
                Kind::Number { fill: Some(fill), .. } if is_missing => Some((0, *fill)),
                Kind::Number { .. } => Some((0, meaning.number?)),
                Kind::YesNo { .. } => Some((0, categories.find(cells, cell).map_or(0.5, |value| value as f64))),
                Kind::Category { .. } if is_missing => None,
                Kind::Category { categories: names, other, .. } => {
                    let place = categories.find(cells, cell).or_else(|| other.then_some(names.len()));
                    place.map(|place| (place, 1.0))
                }
            };
            Some(Encoded { input, is_missing })
        };
        Encoder { width: kind.width(), is_marked: kind.is_marked(), encoded: Mapped::new(cells, encode) }
    }
}

impl<'a, F: Fn(Cell<'a>) -> Option<Encoded>> Encoder<'a, F> {
    /// Sets the inputs of a row, which are 0 so far; `None` where the cell is no number and has to be one.
    fn encode(&self, row: usize, inputs: &mut [f64]) -> Option<()> {
        let Encoded { input, is_missing } = self.encoded.get(row)?;
        if is_missing && self.is_marked {
            inputs[self.width - 1] = 1.0;
        }
        if let Some((place, number)) = input {
            inputs[place] = number;
        }
        Some(())
    }
}

/// Columns of numbers that all have to be there.
fn plain(names: &[String]) -> Vec<Column> {
    let number = Kind::Number { fill: None, marked: false };
    names.iter().map(|name| Column { name: name.clone(), kind: number.clone() }).collect()
}

/// What a column that is left out is.
fn described(why: LeftOut) -> String {
    match why {
        LeftOut::Identifier => "an identifier".into(),
        other => other.reason().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use surefoot::{Activation, Loss, Network, Parameters};

    const TABLE: &str = "id,size,colour,open,same,price\n\
        a,1.5,red,yes,x,10\nb,2.5,green,no,x,20.5\nc,,red,no,x,30\nd,5.5,green,yes,x,40\ne,7.5,red,,x,50\nf,2,green,no,x,60\n\
        g,3,blue,no,x,70\nh,3,,no,x,80\ni,3,red,no,x,90\nj,3,red,no,x,100\n";

    fn table(csv: &str) -> Table {
        Table::read("t.csv", csv.as_bytes()).unwrap()
    }

    fn learn(table: &Table, roles: &Roles<'_>) -> Result<Learned> {
        let target = Target::find(table, None, &[], None)?;
        Encoding::learn(table, &target.rows, &target, roles)
    }

    fn learned(csv: &str) -> Encoding {
        learn(&table(csv), &Roles::default()).unwrap().encoding
    }

    #[test]
    fn a_table_becomes_numbers() {
        let table = table(TABLE);
        let Learned { encoding, scaling, left_out } = learn(&table, &Roles::default()).unwrap();
        let names = [
            "size",
            "size=(missing)",
            "colour=green",
            "colour=red",
            "colour=(other)",
            "colour=(missing)",
            "open=yes",
            "open=(missing)",
        ];
        assert_eq!(encoding.input_names(), names);
        assert_eq!(encoding.input_groups(), [vec![0, 1], vec![2, 3, 4, 5], vec![6, 7]]);
        assert_eq!(left_out, [("id".to_string(), LeftOut::Identifier), ("same".to_string(), LeftOut::Constant)]);
        let inputs = encoding.inputs(&table, &[0, 2, 4, 6, 7]).unwrap();
        assert_eq!(
            inputs,
            array![
                [1.5, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0],
                [3.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
                [7.5, 0.0, 0.0, 1.0, 0.0, 0.0, 0.5, 1.0],
                [3.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
                [3.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
            ]
        );
        assert_eq!((scaling.centre[0], scaling.centre[6], scaling.scale[6]), (3.0, 0.5, 0.5));
        assert_eq!((scaling.centre[1], scaling.scale[1], scaling.scale[3]), (0.0, 1.0, 1.0));
        assert_eq!(encoding.targets(&table, &[1], 1).unwrap(), array![[20.5]]);
    }

    #[test]
    fn unseen_and_missing_cells_have_a_place_in_a_model() {
        let training = table(TABLE);
        let Learned { encoding, .. } = learn(&training, &Roles::default()).unwrap();
        let network = Network::new(8, &[(1, Activation::Identity)]).unwrap();
        let parameters = Parameters::F64(vec![0.0; network.parameter_count()]);
        let mut model = Model::new(network, parameters, Loss::SquaredError, 0.0).unwrap();
        model.encoding = encoding.to_json();
        let other = table("open,colour,extra,size\nmaybe,violet,1,?\nno,red,2,9\n");
        let found = Encoding::of_model(&model, &other).unwrap();
        assert_eq!(found.columns, encoding.columns);
        assert_eq!(
            found.inputs(&other, &[0, 1]).unwrap(),
            array![[3.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.5, 0.0], [9.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]]
        );
        let error = found.inputs(&table("size,x\n1,2\n"), &[0]).unwrap_err();
        assert_eq!(error.to_string(), "t.csv: expected the columns `colour`, `open`, got `size`, `x`");
        assert_eq!(error.reason(), Reason::UnknownColumn);
        model.encoding = serde_json::json!([{"name": "x", "kind": {"number": {}}}]);
        assert!(Encoding::of_model(&model, &other).unwrap_err().to_string().ends_with("1 inputs for a network with 8"));
        model.encoding = serde_json::json!("x");
        assert!(Encoding::of_model(&model, &other).is_err());
    }

    #[test]
    fn what_the_user_says_of_a_column_holds() {
        let table = table(TABLE);
        let roles =
            Roles { categorical: vec!["size"], ignored: vec!["colour"], group: Some("open"), ..Roles::default() };
        let Learned { encoding, left_out, .. } = learn(&table, &roles).unwrap();
        let sizes = ["size=1.5", "size=2", "size=2.5", "size=3", "size=5.5", "size=7.5", "size=(missing)"];
        assert_eq!(encoding.input_names(), sizes, "rare ones, too");
        assert!(
            left_out.contains(&("colour".into(), LeftOut::Ignored))
                && left_out.contains(&("open".into(), LeftOut::Group))
        );
        let error = learn(&table, &Roles { numeric: vec!["colour"], ..Roles::default() }).unwrap_err().to_string();
        assert!(
            error.contains("line 2, column `colour`: expected a finite number, as the column was said to have"),
            "{error}"
        );
        let error = learn(&table, &Roles { ignored: vec!["color"], ..Roles::default() }).unwrap_err().to_string();
        assert!(error.contains("a column `color`"), "{error}");
    }

    #[test]
    fn only_the_given_rows_are_learned_from() {
        let table = table(TABLE);
        let target = Target::find(&table, None, &[], None).unwrap();
        let rows = [0, 1, 3, 4, 5, 8, 9];
        let Learned { encoding, .. } = Encoding::learn(&table, &rows, &target, &Roles::default()).unwrap();
        assert!(!encoding.input_names().contains(&"size=(missing)".to_string()), "its missing cell is in another row");
        let unseen = encoding.inputs(&table, &[6, 7]).unwrap();
        assert_eq!(encoding.input_names()[1], "colour=red");
        assert_eq!((unseen[[0, 1]], unseen[[1, 1]]), (0.5, 0.5), "blue was not seen, and neither was nothing");
    }

    #[test]
    fn a_table_without_inputs_is_refused() {
        let message = |csv: &str| {
            let error = learn(&table(csv), &Roles::default()).unwrap_err();
            assert_eq!(error.reason(), Reason::NoInput);
            error.to_string()
        };
        assert_eq!(message("y\n1\n2\n"), "t.csv: expected an input column beside the target, got 1 column");
        assert_eq!(
            message("x,y\n1,a\n1,b\n"),
            "t.csv: expected an input column beside the target, got `x`, which is constant"
        );
    }

    #[test]
    fn classes_become_columns_of_zero_and_one() {
        let three = table("x,kind\n1.5,b\n2,a\n3,c\n");
        let encoding = learned("x,kind\n1.5,b\n2,a\n3,c\n");
        let targets = encoding.targets(&three, &[0, 1, 2], 3).unwrap();
        assert_eq!(targets, array![[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]);
        let two = table("x,y\n1,yes\n2,no\n");
        let encoding = learned("x,y\n1,yes\n2,no\n");
        assert_eq!(encoding.targets(&two, &[0, 1], 1).unwrap(), array![[1.0], [0.0]]);
        assert_eq!(encoding.targets(&two, &[0, 1], 2).unwrap(), array![[0.0, 1.0], [1.0, 0.0]]);
        let error = encoding.targets(&table("x,y\n1,yes\n2,q\n"), &[0, 1], 1).unwrap_err().to_string();
        assert_eq!(error, "t.csv, line 3, column `y`: expected one of the classes no, yes, got `q`");
    }

    #[test]
    fn missing_targets_are_passed_over_in_data_to_measure_on() {
        let encoding = learned("x,y\n1,yes\n2,no\n");
        assert_eq!(encoding.rows_with_targets(&table("y,x\n,1\nno,2\n")).unwrap(), [1]);
        assert!(encoding.rows_with_targets(&table("y,x\n,1\n,2\n")).is_err());
    }
}
