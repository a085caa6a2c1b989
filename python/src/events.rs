//! What is told to Python while a model is fitted.

use std::ops::ControlFlow;
use std::sync::Arc;

use pyo3::prelude::*;
use surefoot::{Cancel, Device, Epoch};
use surefoot_fit::{Events, Phase, Plan};

/// Calls a function of Python after each epoch, with its number, the epochs that there are at most, the number of the network, from
/// 1, and the costs; an error that it raises ends the fit.
pub struct Told {
    pub function: Option<Py<PyAny>>,
    pub cancel: Cancel,
    pub raised: Option<PyErr>,
    /// What computes in the place of the CPU.
    pub device: Option<Arc<dyn Device<f32>>>,
    epochs: usize,
}

impl Told {
    pub fn new(function: Option<Py<PyAny>>, device: Option<Arc<dyn Device<f32>>>) -> Self {
        Told { function, cancel: Cancel::new(), raised: None, device, epochs: 0 }
    }
}

impl Events for Told {
    fn cancel(&self) -> Option<Cancel> {
        Some(self.cancel.clone())
    }

    fn device(&self) -> Option<Arc<dyn Device<f32>>> {
        self.device.clone()
    }

    fn keeps_unfinished(&self) -> bool {
        true
    }

    fn planned(&mut self, plan: &Plan) -> ControlFlow<()> {
        self.epochs = plan.training.epochs * plan.members.len().max(1);
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, phase: &Phase, epoch: &Epoch) -> ControlFlow<()> {
        let Some(function) = &self.function else { return ControlFlow::Continue(()) };
        let network = match phase {
            Phase::Member { member, .. } => *member,
            _ => 1,
        };
        let (validation_cost, validation_score) = (epoch.validation_cost, epoch.validation_score);
        let told = (epoch.epoch, self.epochs, network, epoch.cost, validation_cost, validation_score);
        match Python::attach(|py| function.call1(py, told)) {
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => {
                self.raised = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}
