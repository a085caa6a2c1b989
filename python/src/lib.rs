//! The compiled half of the Python package `surefoot`: it translates arrays, data frames and errors, and decides nothing.
//!
//! [`problem`] is what `surefoot.sklearn` stands on: a network with its cost, over arrays of NumPy where they lie. [`tables`] is what
//! `surefoot.Classifier` and `surefoot.Regressor` stand on: data frames, and models of the command line; [`remote`] is for examples that
//! lie in pieces on other machines. Whatever takes long
//! [runs](running) without the GIL and can be interrupted.

// The functions' Python documentation is in `surefoot/_core.pyi`; attributes of PyO3 make functions of many parameters.
#![allow(missing_docs, clippy::too_many_arguments)]

mod check;
mod device;
mod errors;
mod events;
mod frames;
mod problem;
mod remote;
mod running;
mod tables;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::check::{GradientReport, check_gradient};
    #[pymodule_export]
    use crate::problem::{Optimizer, Problem};
    #[pymodule_export]
    use crate::remote::{Minimizer, Piece, add_sums, digest_of_leaves, digest_of_parameters, piece_rows};
    #[pymodule_export]
    use crate::running::default_threads;
    #[pymodule_export]
    use crate::tables::{Fitted, Model, fit, write};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
