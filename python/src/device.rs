//! What computes a fit.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use surefoot::Device;

use crate::errors::of_library;

/// The device of this name; `None`: the CPU.
pub fn of_name(name: &str) -> PyResult<Option<Arc<dyn Device<f32>>>> {
    match name {
        "cpu" => Ok(None),
        "auto" | "gpu" => opened(name == "auto").map_err(of_library),
        _ => Err(PyValueError::new_err(format!("device: expected 'auto', 'cpu' or 'gpu', got {name:?}"))),
    }
}

#[cfg(feature = "gpu")]
fn opened(is_optional: bool) -> surefoot::Result<Option<Arc<dyn Device<f32>>>> {
    use surefoot_gpu::Gpu;
    Ok(Some(Arc::new(if is_optional { Gpu::auto() } else { Gpu::new()? })))
}

#[cfg(not(feature = "gpu"))]
fn opened(is_optional: bool) -> surefoot::Result<Option<Arc<dyn Device<f32>>>> {
    let what = "this surefoot was built without GPU support".into();
    if is_optional { Ok(None) } else { Err(surefoot::Error::Device { what, hint: "use device='cpu'" }) }
}
