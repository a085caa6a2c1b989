//! Requests that wait go through the network together.

use std::sync::Arc;
use std::thread;

use ndarray::{Array2, Axis, concatenate, s};
use surefoot::Model;
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};

/// Rows that go through the network together at most, but for one request that has more.
const ROWS: usize = 4096;
/// Requests that may wait; others are not read until there is room.
const WAITING: usize = 1024;

/// Rows on their way, and who waits for what is predicted for them.
struct Request {
    inputs: Array2<f64>,
    outputs: oneshot::Sender<surefoot::Result<Array2<f64>>>,
}

/// A thread that predicts: what has come while it was busy is its next batch, so that a request alone does not wait, and many at
/// once share the reading of the weights. A row's outputs depend on no other row.
#[derive(Clone, Debug)]
pub(crate) struct Batches(mpsc::Sender<Request>);

impl Batches {
    /// Starts the thread, which ends with the last of these.
    ///
    /// # Errors
    /// [`Error::Serve`] when there can be no thread.
    pub fn new(model: Arc<Model>) -> Result<Self> {
        let (send, mut waiting) = mpsc::channel::<Request>(WAITING);
        let work = move || {
            while let Some(first) = waiting.blocking_recv() {
                let mut batch = vec![first];
                let mut rows = batch[0].inputs.nrows();
                while rows < ROWS
                    && let Ok(request) = waiting.try_recv()
                {
                    rows += request.inputs.nrows();
                    batch.push(request);
                }
                predict(&model, batch);
            }
        };
        thread::Builder::new().name("predict".into()).spawn(work).map_err(|source| Error::Serve { source })?;
        Ok(Batches(send))
    }

    /// What the model predicts for these inputs, in the unit of the table.
    ///
    /// # Errors
    /// As [`Model::predict`]; [`Error::Ended`] when the thread has ended.
    pub async fn predict(&self, inputs: Array2<f64>) -> Result<Array2<f64>> {
        let (outputs, predicted) = oneshot::channel();
        self.0.send(Request { inputs, outputs }).await.map_err(|_| Error::Ended)?;
        Ok(predicted.await.map_err(|_| Error::Ended)??)
    }
}

fn predict(model: &Model, batch: Vec<Request>) {
    let views: Vec<_> = batch.iter().map(|request| request.inputs.view()).collect();
    let together = match views.as_slice() {
        [_, _, ..] => concatenate(Axis(0), &views).ok().and_then(|inputs| model.predict(inputs.view()).ok()),
        _ => None,
    };
    let mut first = 0;
    for request in batch {
        let rows = first..first + request.inputs.nrows();
        first = rows.end;
        let outputs = match &together {
            Some(outputs) => Ok(outputs.slice(s![rows, ..]).to_owned()),
            // alone, or one of them is wrong, and the others do not suffer from it
            None => model.predict(request.inputs.view()),
        };
        // whoever does not wait any more needs no answer
        let _ = request.outputs.send(outputs);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use surefoot::{Activation, Loss, Network, Parameters, draw_defaults};

    use super::*;

    #[test]
    fn a_request_that_cannot_be_predicted_harms_no_other() {
        let network = Network::new(2, &[(3, Activation::Tanh), (1, Activation::Identity)]).unwrap();
        let theta: Vec<f32> = draw_defaults(&network, 1);
        let model = Model::new(network, Parameters::F32(theta), Loss::SquaredError, 0.0).unwrap();
        let inputs = [array![[0.5, -1.0]], array![[1e300, 0.0]], array![[0.25, 2.0], [3.0, 4.0]]];
        let (batch, mut answers): (Vec<_>, Vec<_>) = inputs
            .iter()
            .map(|inputs| {
                let (outputs, answer) = oneshot::channel();
                (Request { inputs: inputs.clone(), outputs }, answer)
            })
            .unzip();
        predict(&model, batch);
        let answers: Vec<_> = answers.iter_mut().map(|answer| answer.try_recv().unwrap()).collect();
        for place in [0, 2] {
            assert_eq!(*answers[place].as_ref().unwrap(), model.predict(inputs[place].view()).unwrap());
        }
        assert!(answers[1].as_ref().unwrap_err().to_string().contains("in single precision"));
    }
}
