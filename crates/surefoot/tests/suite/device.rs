//! Trainings on a device that is none: it takes its steps with the library's own cost. What `surefoot-gpu` computes is tested there; here
//! is what the library does with any device.

use std::ops::ControlFlow;

use crate::common::examples;
use surefoot::optimizer::StepRule;
use surefoot::{
    Activation, Adam, BatchSize, Cancel, Cost, Dataset, Device, DeviceStep, DeviceSum, DeviceSums, DeviceTask,
    DeviceWork, Error, GradientDescent, Loss, Network, Observer, Optimizer, Problem, Result, StepsTaken, StopReason,
    Training, TrainingState, draw_defaults,
};

/// Takes so many steps at a time.
#[derive(Debug)]
struct AtATime(usize);

struct Work<'a> {
    task: DeviceTask<'a, f32>,
    at_a_time: usize,
    state: [Vec<f32>; 3],
}

impl Device<f32> for AtATime {
    fn is_optional(&self) -> bool {
        false
    }

    fn take<'a>(&'a self, task: DeviceTask<'a, f32>) -> Result<Option<Box<dyn DeviceWork<f32> + 'a>>> {
        Ok(Some(Box::new(Work { task, at_a_time: self.0, state: Default::default() })))
    }
}

impl DeviceWork<f32> for Work<'_> {
    fn set_state(&mut self, state: [&[f32]; 3]) -> Result<()> {
        self.state = state.map(<[f32]>::to_vec);
        Ok(())
    }

    fn state(&mut self, state: [&mut [f32]; 3]) -> Result<()> {
        self.state.iter().zip(state).for_each(|(from, to)| to.copy_from_slice(from));
        Ok(())
    }

    fn steps(&mut self, steps: &[DeviceStep<'_, f32>]) -> Result<StepsTaken> {
        let DeviceTask { network, loss, weight_decay, data, .. } = self.task;
        let mut cost = Cost::new(network, loss, weight_decay, data)?;
        let mut taken = StepsTaken { costs: Vec::new(), layer: None };
        for DeviceStep { rows, numbers, .. } in steps.iter().take(self.at_a_time) {
            let [theta, first, second] = &mut self.state;
            let (j, pass) = cost.forward_backward(theta, *rows);
            taken.costs.push(j);
            if !j.is_finite() {
                break;
            }
            let mut gradient = vec![0.0; theta.len()];
            pass.gradient(theta, &mut gradient);
            for l in 0..network.layers().len() {
                for (part, range) in [network.weight_range(l), network.bias_range(l)].into_iter().enumerate() {
                    for i in range {
                        let (g, alpha) = (gradient[i], numbers.rates[l][part]);
                        match numbers.rule {
                            StepRule::Descent => theta[i] -= alpha * g,
                            StepRule::Adam([beta1, beta2, rest1, rest2]) => {
                                first[i] = beta1 * first[i] + rest1 * g;
                                second[i] = beta2 * second[i] + rest2 * (g * g);
                                theta[i] -= alpha * first[i] / (second[i].sqrt() * numbers.scale + numbers.epsilon);
                            }
                            other => panic!("{other:?} is not tested"),
                        }
                    }
                }
                if taken.layer.is_none()
                    && gradient[network.weight_range(l).start..network.bias_range(l).end].iter().any(|g| !g.is_finite())
                {
                    taken.layer = Some(l);
                }
            }
            if taken.layer.is_some() {
                break;
            }
        }
        Ok(taken)
    }

    fn sum(&mut self, _: &[f32], _: DeviceSum<'_, f32>, _: &Cancel) -> Result<Option<DeviceSums<f32>>> {
        Err(Error::Device { what: "it does not sum".into(), hint: "" })
    }
}

/// Has to see some steps, and ends the training at the last of them.
struct Sees(&'static [u64], Vec<(u64, Vec<f32>)>);

impl Observer<f32> for Sees {
    fn is_due(&self, steps: u64) -> bool {
        self.0.contains(&steps)
    }

    fn step(&mut self, state: &TrainingState<f32>) -> ControlFlow<()> {
        if self.is_due(state.steps()) {
            self.1.push((state.steps(), state.parameters().to_vec()));
        }
        if self.0.last() == Some(&state.steps()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn parts(rows: usize) -> (Network, Dataset<f32>) {
    let network = Network::new(6, &[(5, Activation::Relu), (2, Activation::Identity)]).unwrap();
    let data = examples(6, 2, Loss::SquaredError, Activation::Identity, true, rows, 3).cast().unwrap();
    (network, data)
}

/// 23 rows in batches of 4 are six steps an epoch.
#[test]
fn a_device_changes_no_bit_however_many_steps_it_takes_at_a_time() {
    let (network, data) = parts(23);
    let optimizers: [Optimizer; 2] =
        [Adam::default().into(), GradientDescent { learning_rate: 0.1, ..Default::default() }.into()];
    for (optimizer, batch_size) in
        optimizers.into_iter().flat_map(|optimizer| [BatchSize::Rows(4), BatchSize::Full].map(|size| (optimizer, size)))
    {
        let training =
            Training { optimizer, batch_size: Some(batch_size), epochs: 3, weight_decay: 0.01, ..Training::default() };
        let problem = Problem::new(&network, Loss::SquaredError, &data);
        let start = || training.start(&problem, draw_defaults(&network, 1)).unwrap();
        let mut expected = start();
        training.resume(&problem, &mut expected).unwrap();
        for at_a_time in [1, 2, 5, 1000] {
            let device = AtATime(at_a_time);
            let problem = problem.with_device(Some(&device));
            let mut state = start();
            assert_eq!(training.resume(&problem, &mut state).unwrap(), StopReason::Epochs);
            assert_eq!(state, expected, "{at_a_time} at a time");
        }
    }
}

#[test]
fn an_observer_sees_the_steps_that_it_has_to_see_and_ends_the_training_there() {
    let (network, data) = parts(23);
    let training = Training { batch_size: Some(BatchSize::Rows(4)), epochs: 3, ..Training::default() };
    let problem = Problem::new(&network, Loss::SquaredError, &data);
    let run = |device: Option<&dyn Device<f32>>| {
        let problem = problem.with_device(device);
        let mut state = training.start(&problem, draw_defaults(&network, 1)).unwrap();
        let mut sees = Sees(&[2, 6, 7, 15], Vec::new());
        let reason = training.resume_with(&problem, &mut state, &mut sees).unwrap();
        assert_eq!(reason, StopReason::Observer);
        let broken = state.clone();
        training.resume(&problem, &mut state).unwrap();
        (sees.1, broken, state)
    };
    assert_eq!(run(None), run(Some(&AtATime(4))));
}

#[test]
fn a_cost_or_gradient_that_is_not_finite_ends_a_training_on_a_device_as_on_the_cpu() {
    let (network, data) = parts(23);
    let large = Dataset::new(data.inputs().mapv(|x| 1e12 * x), data.targets().mapv(|y| 1e30 * y)).unwrap();
    for (data, learning_rate) in [(&data, 1e4), (&large, 0.1)] {
        let optimizer = GradientDescent { learning_rate, ..GradientDescent::default() }.into();
        let batch_size = Some(BatchSize::Rows(4));
        let training = Training { optimizer, batch_size, epochs: 9, gradient_check: false, ..Training::default() };
        let run = |device: Option<&dyn Device<f32>>| {
            let problem = Problem::new(&network, Loss::SquaredError, data).with_device(device);
            let mut state = training.start(&problem, draw_defaults(&network, 1)).unwrap();
            training.resume(&problem, &mut state).unwrap();
            format!("{state:?}") // NaN is not equal to itself
        };
        let cpu = run(None);
        assert!(cpu.contains("NotFinite"), "{cpu}");
        assert_eq!(cpu, run(Some(&AtATime(3))));
    }
}

/// The cost over all examples, which patience asks for.
#[test]
fn what_a_device_cannot_do_ends_the_training_with_its_error() {
    let (network, data) = parts(23);
    let (training, device) = (Training { patience: 1, ..Training::default() }, AtATime(3));
    let problem = Problem::new(&network, Loss::SquaredError, &data).with_device(Some(&device));
    let error = training.fit(&problem, draw_defaults(&network, 1)).unwrap_err();
    assert_eq!(error.to_string(), "it does not sum");
}
