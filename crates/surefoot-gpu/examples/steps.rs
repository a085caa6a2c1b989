//! How long a step takes on the GPU and on the CPU, and that both come to the same θ: `cargo run --release --example steps [NAME…]`.

use std::ops::ControlFlow;
use std::time::Instant;

use ndarray::Array2;
use surefoot::{
    Activation, Adam, BatchSize, Dataset, Device, Epoch, Loss, Network, Problem, Purpose, Random, Training,
    draw_defaults,
};
use surefoot_gpu::Gpu;

/// Name, units of each layer, rows of a batch.
const SHAPES: [(&str, &[usize], usize); 6] = [
    ("b", &[64, 32, 10], 32),
    ("c", &[784, 100, 10], 200),
    ("d", &[784, 256, 128, 10], 128),
    ("x", &[784, 128, 10], 256),
    ("g", &[1024, 2048, 2048, 1024], 512),
    ("G", &[4096, 4096, 4096, 4096], 4096),
];

/// Steps whose sum of multiply-adds takes long enough to be timed.
fn steps(parameters: usize, batch: usize, is_gpu: bool) -> usize {
    let work = if is_gpu { 2_000_000_000_000 } else { 50_000_000_000 };
    (work / (3 * parameters * batch)).clamp(2, 20_000)
}

fn main() -> surefoot::Result<()> {
    let gpu = Gpu::new()?;
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    println!("{}; µs a step with Adam, costs included", gpu.name().unwrap_or_default());
    for (name, widths, batch) in SHAPES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let last = widths.len() - 1;
        let is_classes = widths[last] == 10;
        let (output, loss) = match is_classes {
            true => (Activation::Softmax, Loss::CrossEntropy),
            false => (Activation::Identity, Loss::SquaredError),
        };
        let of = |l: usize| (widths[l], if l == last { output } else { Activation::Relu });
        let network = Network::new(widths[0], &(1..=last).map(of).collect::<Vec<_>>())?;
        let mut random = Random::new(1, Purpose::Examples, 0);
        let rows = 4 * batch;
        let inputs = Array2::from_shape_fn((rows, widths[0]), |_| random.normal() as f32);
        let targets = Array2::from_shape_fn((rows, widths[last]), |(i, k)| f32::from(u8::from(i % 10 == k)));
        let data = Dataset::new(inputs, targets)?;
        let start = draw_defaults::<f32>(&network, 1);
        let run = |device: Option<&dyn Device<f32>>, epochs: usize| -> surefoot::Result<(Vec<f32>, f64)> {
            let (optimizer, batch_size) = (Adam::default().into(), Some(BatchSize::Rows(batch)));
            let training = Training { optimizer, batch_size, epochs, gradient_check: false, ..Training::default() };
            let problem = Problem::new(&network, loss, &data).with_device(device);
            let (mut first, mut clock) = (0, Instant::now());
            let trained = training.fit_with(&problem, start.clone(), &mut |epoch: &Epoch| {
                if epoch.epoch == 1 {
                    (first, clock) = (1, Instant::now()); // with what is done once
                }
                ControlFlow::Continue(())
            })?;
            Ok((trained.parameters, clock.elapsed().as_secs_f64() / (4 * (epochs - first)) as f64))
        };
        let epochs = |is_gpu| 2 + steps(network.parameter_count(), batch, is_gpu) / 4;
        let (on_gpu, on_cpu) = (run(Some(&gpu), epochs(true))?, run(None, epochs(false))?);
        let same = run(Some(&gpu), epochs(false))?.0 == on_cpu.0;
        let [gpu_time, cpu_time] = [on_gpu.1, on_cpu.1].map(|seconds| 1e6 * seconds);
        let same = if same { "the same bits" } else { "OTHER BITS" };
        println!("{name} {} batch {batch}: GPU {gpu_time:.1}, CPU {cpu_time:.1}, {same}", network.widths());
    }
    Ok(())
}
