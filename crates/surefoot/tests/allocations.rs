//! What memory training takes: nothing between two steps, and little beside the data, θ and the optimizer's state.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use surefoot::optimizer::FirstOrder;
use surefoot::{Activation, Adam, Cost, Dataset, GradientDescent, Loss, Network, draw_defaults};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Bytes that are in use, and the most that ever were since the last look.
static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// The tests count alone.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: all is done by the system's allocator.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        let in_use = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(in_use, Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

#[test]
fn nothing_is_allocated_between_two_steps() {
    let _alone = ALONE.lock();
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            for (rows, batch, units) in [(64, 32, 8), (600, 200, 100), (600, 600, 20)] {
                for optimizer in [
                    FirstOrder::Adam(Adam::default()),
                    FirstOrder::GradientDescent(GradientDescent { momentum: 0.9, ..GradientDescent::default() }),
                ] {
                    let network = Network::new(50, &[(units, Activation::Relu), (10, Activation::Softmax)]).unwrap();
                    let inputs = Array2::from_shape_fn((rows, 50), |(i, j)| ((i * 7 + j * 3) % 11) as f32);
                    let targets = Array2::from_shape_fn((rows, 10), |(i, k)| f32::from(u8::from(i % 10 == k)));
                    let data = Dataset::new(inputs, targets).unwrap();
                    let order: Vec<usize> = (0..rows).rev().collect();
                    let mut cost = Cost::new(&network, Loss::CrossEntropy, 0.1, &data).unwrap();
                    let mut parameters: Vec<f32> = draw_defaults(&network, 1);
                    let mut state = optimizer.start(parameters.len());
                    let mut step = |rows: &[usize]| {
                        cost.prefetch(rows);
                        let (_, batch) = cost.forward_backward(&parameters, Some(rows));
                        batch.step(&optimizer, &mut state, &mut parameters, 0.01);
                    };
                    let mut epoch = || order.chunks(batch).for_each(&mut step);
                    // The first steps make the buffers, and each thread its own when it first helps, which is up to the
                    // scheduler: so some round of ten epochs has to take nothing.
                    let mut round = |_| {
                        let before = ALLOCATIONS.load(Ordering::Relaxed);
                        (0..10).for_each(|_| epoch());
                        ALLOCATIONS.load(Ordering::Relaxed) - before
                    };
                    let taken = (0..6).map(&mut round).min().unwrap_or(1);
                    assert_eq!(taken, 0, "{threads} threads, batches of {batch} of {rows} rows, {optimizer:?}");
                }
            }
        });
    }
}

/// The largest network of the benchmark in mini-batches, and its widest data in the full batch.
#[test]
fn steps_take_at_most_100_megabytes_beside_data_parameters_and_state() {
    let _alone = ALONE.lock();
    let relu = Activation::Relu;
    let wide = [(2048, relu), (2048, relu), (1024, Activation::Identity)];
    for (layers, inputs, rows, batch) in [
        (&wide[..], 1024, 1024, Some(512)),
        (&[(256, Activation::Sigmoid), (10, Activation::Sigmoid)][..], 784, 10_000, None),
    ] {
        let network = Network::new(inputs, layers).unwrap();
        let numbers =
            |columns: usize| Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 7 + j * 3) % 11) as f32 / 11.0);
        let data = Dataset::new(numbers(inputs), numbers(network.outputs())).unwrap();
        let optimizer = FirstOrder::Adam(Adam::default());
        let mut parameters: Vec<f32> = draw_defaults(&network, 1);
        let mut state = optimizer.start(parameters.len());
        let order: Vec<usize> = (0..rows).collect();
        let before = IN_USE.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let mut cost = Cost::new(&network, Loss::SquaredError, 0.0, &data).unwrap();
        for rows in order.chunks(batch.unwrap_or(rows)) {
            let rows = batch.is_some().then_some(rows);
            cost.backward(&parameters, rows).step(&optimizer, &mut state, &mut parameters, 0.001);
        }
        let taken = (PEAK.load(Ordering::Relaxed) - before) as f64 / 1e6;
        assert!(taken < 100.0, "{network}: {taken} MB");
        println!("{}: {taken:.1} MB beside data, parameters and state", network.widths());
    }
}
