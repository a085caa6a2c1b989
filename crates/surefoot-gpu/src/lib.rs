//! Trainings on an NVIDIA GPU, with the bits of the CPU.
//!
//! A [`Gpu`] is a [`surefoot::Device`], which a `surefoot::Problem` takes. The driver is opened at run time; nothing of CUDA is needed to
//! build. The kernels follow `docs/math.md`, "Every sum and its order": each operation says in their source how it rounds.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

mod common;
mod driver;
mod examples;
mod layout;
mod memory;
mod plan;
mod work;

use std::sync::{Arc, OnceLock};

use surefoot::{Device, DeviceTask, DeviceWork, Result};

use self::driver::Driver;
use self::work::Work;

/// Rows of a step (or all rows, where there are no steps) times parameters from which [`Gpu::auto`] takes a task on. Below, a CPU is
/// about as fast.
const WORTH_IT: usize = 2_000_000;

/// The first NVIDIA GPU of this machine.
#[derive(Debug)]
pub struct Gpu {
    driver: OnceLock<Option<Arc<Driver>>>,
    is_optional: bool,
}

impl Gpu {
    /// The GPU, for every task.
    ///
    /// # Errors
    /// [`surefoot::Error::Device`] when there is no driver or no GPU, or it is older than Turing.
    pub fn new() -> Result<Self> {
        Ok(Gpu { driver: OnceLock::from(Some(Arc::new(Driver::open()?))), is_optional: false })
    }

    /// The GPU, if there is one, for the tasks that are large enough, by a rule of their shape alone: a step's rows times the network's
    /// parameters are at least 2,000,000, and they fit. The driver is opened with the first of them.
    pub fn auto() -> Self {
        Gpu { driver: OnceLock::new(), is_optional: true }
    }

    /// Its name; `None` without a GPU, and for [`auto`](Self::auto) as long as it has not taken on a task.
    pub fn name(&self) -> Option<&str> {
        Some(self.driver.get()?.as_ref()?.name())
    }
}

impl Device<f32> for Gpu {
    fn is_optional(&self) -> bool {
        self.is_optional
    }

    fn take<'a>(&'a self, task: DeviceTask<'a, f32>) -> Result<Option<Box<dyn DeviceWork<f32> + 'a>>> {
        let rows = task.batch.unwrap_or(task.data.rows());
        if self.is_optional && rows.saturating_mul(task.network.parameter_count()) < WORTH_IT {
            return Ok(None);
        }
        let Some(driver) = self.driver.get_or_init(|| Driver::open().ok().map(Arc::new)) else { return Ok(None) };
        match Work::new(driver, task) {
            Ok(work) => Ok(Some(Box::new(work))),
            Err(_) if self.is_optional => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The Rust of the README is compiled with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
