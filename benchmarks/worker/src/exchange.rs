//! Sums over processes in the fixed tree, beside MPI's own reduction, in turns: `mpirun -n 2 surefoot-bench exchange`.

use std::time::Instant;

use surefoot::{RankSums, Ranks};
use surefoot_mpi::Mpi;

use crate::Error;

const LENGTHS: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
const PAIRS: usize = 15;

/// Prints, for each length, the medians of both times and of their ratio.
pub fn run() -> Result<(), Error> {
    let mpi = Mpi::start(None)?;
    let is_first = mpi.rank() == 0;
    if is_first {
        println!("{}, {} processes, single precision", mpi.version(), mpi.size());
        println!("| numbers | tree, µs | MPI_Allreduce, µs | ratio |");
        println!("| --- | --- | --- | --- |");
    }
    let mut sums = RankSums::new(&mpi);
    for length in LENGTHS {
        let number = |i: usize| (i.wrapping_mul(2_654_435_761) >> 7 & 1023) as f32 / 1024.0 + mpi.rank() as f32;
        let numbers: Vec<f32> = (0..length).map(number).collect();
        let (mut of_tree, mut of_mpi, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        // short ones several times in a turn
        let repeats = (1_000_000 / length).max(1);
        for turn in 0..=PAIRS {
            let seconds = |sum: &mut dyn FnMut(&mut [f32]) -> Result<(), Error>| -> Result<f64, Error> {
                let mut own = numbers.clone();
                mpi.any(false)?; // all begin together
                let clock = Instant::now();
                for _ in 0..repeats {
                    sum(&mut own)?;
                }
                Ok(clock.elapsed().as_secs_f64() / repeats as f64)
            };
            let tree = seconds(&mut |own| Ok(sums.sum(own)?))?;
            let all_reduce = seconds(&mut |own| {
                mpi.all_reduce(own);
                Ok(())
            })?;
            if turn > 0 {
                of_tree.push(tree);
                of_mpi.push(all_reduce);
                ratios.push(tree / all_reduce);
            }
        }
        let median = |numbers: &mut Vec<f64>| {
            numbers.sort_by(f64::total_cmp);
            numbers[numbers.len() / 2]
        };
        if is_first {
            let (tree, all_reduce) = (1e6 * median(&mut of_tree), 1e6 * median(&mut of_mpi));
            println!("| {length} | {tree:.0} | {all_reduce:.0} | {:.2} |", median(&mut ratios));
        }
    }
    Ok(())
}
