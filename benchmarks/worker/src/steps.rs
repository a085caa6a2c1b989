//! Training steps of a few networks in both precisions, beside the peak of the processor, and beside another build: a short look
//! before and after a change of `crates/surefoot/src/numeric`.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use ndarray::Array2;
use surefoot::optimizer::FirstOrder;
use surefoot::{Activation, Adam, Cost, Dataset, Loss, Network, Predictor, Scalar, Threads, draw_defaults};

use crate::{Error, calibration};

/// A network and its work: Adam on batches of so many of the rows.
struct Row {
    name: &'static str,
    widths: &'static [usize],
    hidden: Activation,
    output: (Activation, Loss),
    rows: usize,
    batch: usize,
}

const SQUARED: (Activation, Loss) = (Activation::Identity, Loss::SquaredError);
const SIGMOIDS: (Activation, Loss) = (Activation::Sigmoid, Loss::SquaredError);
const CLASSES: (Activation, Loss) = (Activation::Softmax, Loss::CrossEntropy);

/// As in `peers/grid.py`, with the default network of tables as t; the numbers of the examples are made up.
const ROWS: [Row; 8] = [
    Row { name: "b", widths: &[64, 32, 10], hidden: Activation::Relu, output: CLASSES, rows: 1792, batch: 32 },
    Row { name: "c", widths: &[784, 100, 10], hidden: Activation::Relu, output: CLASSES, rows: 20_000, batch: 200 },
    Row {
        name: "d",
        widths: &[784, 256, 128, 10],
        hidden: Activation::Relu,
        output: CLASSES,
        rows: 12_800,
        batch: 128,
    },
    Row { name: "e", widths: &[784, 256, 10], hidden: Activation::Sigmoid, output: SIGMOIDS, rows: 6000, batch: 6000 },
    Row { name: "f", widths: &[64, 25, 64], hidden: Activation::Sigmoid, output: SQUARED, rows: 10_000, batch: 10_000 },
    Row {
        name: "g",
        widths: &[1024, 2048, 2048, 1024],
        hidden: Activation::Relu,
        output: SQUARED,
        rows: 1024,
        batch: 512,
    },
    Row { name: "h", widths: &[4, 32, 16, 4], hidden: Activation::Tanh, output: SQUARED, rows: 10_000, batch: 10_000 },
    Row { name: "t", widths: &[20, 64, 64, 64, 1], hidden: Activation::Selu, output: SQUARED, rows: 1600, batch: 32 },
];
const PRECISIONS: [&str; 2] = ["f32", "f64"];
/// Rounds over all rows, in each of which every build has its turn.
const ROUNDS: usize = 5;
const TURN: Duration = Duration::from_millis(400);

impl Row {
    /// Floating-point operations in the matrix products of a step.
    fn operations(&self) -> f64 {
        let products = self.widths.windows(2).map(|pair| pair[0] * pair[1]);
        let all: usize = products.clone().sum();
        2.0 * (self.batch * (3 * all - products.take(1).sum::<usize>())) as f64
    }

    /// The shortest step of some epochs, in seconds.
    fn seconds<T: Scalar>(&self) -> Result<f64, Error> {
        let number = |i: usize| T::from_f64((i.wrapping_mul(2_654_435_761) >> 7 & 1023) as f64 / 1024.0);
        let (inputs, outputs) = (self.widths[0], self.widths[self.widths.len() - 1]);
        let x = Array2::from_shape_fn((self.rows, inputs), |(i, j)| number(i * inputs + j));
        let y =
            Array2::from_shape_fn((self.rows, outputs), |(i, k)| T::from_f64(f64::from(u8::from(i % outputs == k))));
        let data = Dataset::new(x, y)?;
        let mut layers: Vec<_> = self.widths[1..].iter().map(|&units| (units, self.hidden)).collect();
        layers[self.widths.len() - 2].1 = self.output.0;
        let network = Network::new(inputs, &layers)?;
        let mut parameters = draw_defaults::<T>(&network, 1);
        let mut cost = Cost::new(&network, self.output.1, 0.0, &data)?;
        let optimizer = FirstOrder::Adam(Adam::default());
        let mut state = optimizer.start(parameters.len());
        // 7919 is a prime number that divides no number of rows here
        let order: Vec<usize> = (0..self.rows).map(|i| i * 7919 % self.rows).collect();
        let batches: Vec<&[usize]> = order.chunks(self.batch).collect();
        let (begin, mut epochs, mut shortest) = (Instant::now(), 0, f64::INFINITY);
        while begin.elapsed() < TURN || epochs < 3 {
            let clock = Instant::now();
            for (i, rows) in batches.iter().enumerate() {
                cost.prefetch(batches.get(i + 1).copied().unwrap_or_default());
                let (_, pass) = cost.forward_backward(&parameters, (self.batch < self.rows).then_some(rows));
                pass.step(&optimizer, &mut state, &mut parameters, 0.001);
            }
            shortest = shortest.min(clock.elapsed().as_secs_f64() / batches.len() as f64);
            epochs += 1;
        }
        Ok(shortest)
    }
}

/// One turn, in this process, on this thread: prints the seconds of a step, and the peak at that time in operations a second.
pub fn turn(name: &str, precision: &str) -> Result<(), Error> {
    let row = ROWS.iter().find(|row| row.name == name).ok_or("no such row")?;
    let peak = calibration::gigaflops_of_this_thread();
    let of_row = || if precision == "f32" { row.seconds::<f32>() } else { row.seconds::<f64>() };
    let seconds = Threads::new(1).run(of_row)??;
    println!("{seconds} {}", peak.max(calibration::gigaflops_of_this_thread()) * 1e9);
    Ok(())
}

/// Seconds that a row takes through the ensemble of the defaults on digits: by itself, and as one of 10,000.
fn seconds_of_predictions() -> Result<[f64; 2], Error> {
    const ROWS: usize = 10_000;
    let hidden = [(64, Activation::Selu); 3];
    let network = Network::new(64, &[&hidden[..], &[(10, Activation::Softmax)]].concat())?;
    let members: Vec<f32> = (0..5).flat_map(|seed| draw_defaults::<f32>(&network, seed)).collect();
    let rows = Array2::from_shape_fn((ROWS, 64), |(i, j)| ((i * 64 + j) % 17) as f32 / 16.0);
    let mut predictor = Predictor::new(&network, members.clone())?;
    let mut shortest = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        let clock = Instant::now();
        for row in rows.outer_iter() {
            black_box(predictor.predict(row.as_slice().unwrap_or_default())?);
        }
        let one_by_one = clock.elapsed();
        black_box(network.predict_ensemble(&members, rows.view())?);
        let at_once = clock.elapsed() - one_by_one;
        for (shortest, took) in shortest.iter_mut().zip([one_by_one, at_once]) {
            *shortest = shortest.min(took.as_secs_f64() / ROWS as f64);
        }
    }
    Ok(shortest)
}

/// All rows of this build, and of another one in turn with it.
pub fn compare(other: Option<&str>) -> Result<(), Error> {
    let own = std::env::current_exe()?;
    let builds: Vec<_> = [Some(own.as_os_str()), other.map(AsRef::as_ref)].into_iter().flatten().collect();
    let turns: Vec<(&Row, &str)> = ROWS.iter().flat_map(|row| PRECISIONS.map(|precision| (row, precision))).collect();
    let mut seen = vec![vec![Vec::new(); builds.len()]; turns.len()];
    let mut peak = 0f64;
    for round in 0..ROUNDS {
        for (seen, (row, precision)) in seen.iter_mut().zip(&turns) {
            for i in 0..builds.len() {
                // who comes first alternates
                let build = if round % 2 == 0 { i } else { builds.len() - 1 - i };
                let output = Command::new(builds[build]).args(["steps", row.name, precision]).output()?;
                let text = String::from_utf8(output.stdout)?;
                let (seconds, of_peak) = text.trim().split_once(' ').ok_or("a build that has no `steps`")?;
                seen[build].push(seconds.parse::<f64>()?);
                peak = peak.max(of_peak.parse()?);
            }
        }
    }
    println!(
        "One thread, {:.1} GFLOP/s of fused multiply-adds in single precision, half of that in double.",
        peak / 1e9
    );
    let mut names = "| row | network | batch | precision | µs a step | of the peak |".to_string();
    let mut line = "|---|---|--:|---|--:|--:|".to_string();
    if other.is_some() {
        names += " the other build | its time over this one's |";
        line += "--:|---|";
    }
    println!("{names}\n{line}");
    for (seen, (row, precision)) in seen.iter().zip(&turns) {
        let shortest = |build: usize| seen[build].iter().copied().fold(f64::INFINITY, f64::min);
        let widths: Vec<String> = row.widths.iter().map(usize::to_string).collect();
        let limit = if *precision == "f32" { peak } else { peak / 2.0 };
        let share = 100.0 * row.operations() / shortest(0) / limit;
        let (name, network) = (row.name, widths.join("-"));
        print!("| {name} | {network} | {} | {precision} | {:.1} | {share:.0} % |", row.batch, 1e6 * shortest(0));
        if other.is_some() {
            let mut ratios: Vec<f64> = seen[1].iter().zip(&seen[0]).map(|(other, own)| other / own).collect();
            ratios.sort_by(f64::total_cmp);
            let [low, middle, high] = [ratios.len() / 4, ratios.len() / 2, ratios.len() * 3 / 4].map(|i| ratios[i]);
            print!(" {:.1} | {middle:.2} [{low:.2}..{high:.2}] |", 1e6 * shortest(1));
        }
        println!();
    }
    let [one, of_many] = Threads::new(1).run(seconds_of_predictions)??.map(|seconds| 1e6 * seconds);
    println!("\nA row through five networks 64-64-64-64-10: {one:.2} µs by itself, {of_many:.2} µs as one of 10,000.");
    Ok(())
}
