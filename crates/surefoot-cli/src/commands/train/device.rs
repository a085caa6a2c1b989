//! `--device`: what computes a training.

use std::sync::Arc;

use surefoot::Device;

use crate::arguments::DeviceChoice;
use crate::output::usage;

/// The device that was chosen, in a job of several processes or in one alone; `None`: the CPU.
pub fn of(choice: DeviceChoice, is_job: bool) -> anyhow::Result<Option<Arc<dyn Device<f32>>>> {
    match choice {
        DeviceChoice::Gpu if is_job => {
            Err(usage("--device gpu cannot be combined with --distributed", "omit one of them"))
        }
        _ if is_job => Ok(None),
        choice => opened(choice),
    }
}

#[cfg(feature = "gpu")]
fn opened(choice: DeviceChoice) -> anyhow::Result<Option<Arc<dyn Device<f32>>>> {
    use surefoot_gpu::Gpu;
    Ok(match choice {
        DeviceChoice::Cpu => None,
        DeviceChoice::Auto => Some(Arc::new(Gpu::auto())),
        DeviceChoice::Gpu => Some(Arc::new(Gpu::new()?)),
    })
}

#[cfg(not(feature = "gpu"))]
fn opened(choice: DeviceChoice) -> anyhow::Result<Option<Arc<dyn Device<f32>>>> {
    match choice {
        DeviceChoice::Gpu => Err(usage("this surefoot was built without GPU support", "build it with --features gpu")),
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(None),
    }
}
