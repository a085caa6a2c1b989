//! A process that was forked after a training trains again: its parent's threads are not there.
#![cfg(unix)]
#![expect(unsafe_code, reason = "the standard library does not fork")]

use std::thread::sleep;
use std::time::{Duration, Instant};

use ndarray::Array2;
use surefoot::{Activation, Dataset, Loss, Network, Problem, Threads, Training, draw_defaults};

#[test]
fn a_forked_process_trains_on_threads_of_its_own_to_the_same_bits() {
    let inputs = Array2::from_shape_fn((600, 3), |(row, column)| ((row * 7 + column * 5) % 11) as f64 / 11.0);
    let targets = inputs.map(|x| x * x);
    let data = Dataset::new(inputs, targets).unwrap();
    let network = Network::new(3, &[(8, Activation::Tanh), (3, Activation::Identity)]).unwrap();
    let training = Training { epochs: 3, ..Training::default() };
    let threads = Threads::new(2);
    let train = || {
        let problem = Problem::new(&network, Loss::SquaredError, &data);
        threads.run(|| training.fit(&problem, draw_defaults(&network, 1))).unwrap().unwrap()
    };
    let before = train();
    // SAFETY: the child only trains, and leaves without running what its parent would run at its end.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let is_same = train() == before;
        // SAFETY: nothing is left to be done in the child.
        unsafe { libc::_exit(if is_same { 0 } else { 3 }) };
    }
    assert!(child > 0, "the system made no process");
    let (start, mut status) = (Instant::now(), 0);
    // SAFETY: `status` is where the system may write.
    while unsafe { libc::waitpid(child, &mut status, libc::WNOHANG) } == 0 {
        if start.elapsed() > Duration::from_secs(60) {
            // SAFETY: the child of this test.
            unsafe { libc::kill(child, libc::SIGKILL) };
            panic!("the forked process waits for threads that it does not have");
        }
        sleep(Duration::from_millis(10));
    }
    assert_eq!(status, 0, "the forked process trained to other bits, or failed");
    assert_eq!(train(), before);
}
