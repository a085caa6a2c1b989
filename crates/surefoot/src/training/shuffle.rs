//! The order of the rows in an epoch.

use crate::numeric::random::{Purpose, Random};

/// Rows that stay together where not all are shuffled at once: the rows of the largest leaf of a sum.
const RUN: usize = 3840;

/// Fills `rows` with the rows of an epoch, of which the data has `row(i)` at the i-th place, in the order in which they are learned from.
/// It follows from the seed, the epoch, their number and the window alone.
///
/// Up to `window` rows: every order is equally likely. More rows are cut into runs of 3,840 neighbours (or of a smaller window), the
/// runs are put in random order, and the rows of as many of them as fit in the window are put in random order among each other. So
/// only a window has to be in memory, and each run is read at one time.
pub(super) fn shuffle(rows: &mut [usize], row: impl Fn(usize) -> usize, seed: u64, epoch: usize, window: usize) {
    let mut random = Random::new(seed, Purpose::Shuffle, epoch as u32);
    let (count, run) = (rows.len(), run(rows.len(), window));
    let mut starts: Vec<usize> = (0..count).step_by(run).collect();
    random.shuffle(&mut starts);
    let places = starts.into_iter().flat_map(|start| start..count.min(start + run));
    rows.iter_mut().zip(places).for_each(|(of_epoch, place)| *of_epoch = row(place));
    rows.chunks_mut(together(count, window)).for_each(|rows| random.shuffle(rows));
}

/// How many of so many rows are in random order among each other: whole runs.
pub(super) fn together(rows: usize, window: usize) -> usize {
    let run = run(rows, window);
    (window / run).max(1) * run
}

fn run(rows: usize, window: usize) -> usize {
    if rows <= window { rows.max(1) } else { RUN.min(window) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffled(rows: usize, epoch: usize, window: usize) -> Vec<usize> {
        let mut order = vec![0; rows];
        shuffle(&mut order, |i| i, 7, epoch, window);
        order
    }

    #[test]
    fn every_row_comes_once_in_another_order_each_epoch() {
        for (rows, window) in [(10, 100), (100, 100), (101, 100), (10_000, 1), (20_001, 8000), (20_001, 3840)] {
            let [first, second] = [1, 2].map(|epoch| shuffled(rows, epoch, window));
            let mut sorted = first.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..rows).collect::<Vec<_>>(), "{rows} rows in windows of {window}");
            assert_ne!(first, second);
            assert_eq!(first, shuffled(rows, 1, window));
        }
    }

    #[test]
    fn the_order_of_windows_is_pinned_for_every_platform() {
        let mut order = [0; 10];
        shuffle(&mut order, |i| i, 7, 2, 4);
        assert_eq!(order, [9, 0, 8, 1, 4, 5, 3, 2, 6, 7]); // as `tests/reference/random_draws.py` gives it
    }

    #[test]
    fn what_fits_in_the_window_is_shuffled_as_a_whole() {
        assert_eq!(shuffled(5000, 3, 5000), shuffled(5000, 3, usize::MAX));
        assert_ne!(shuffled(5000, 3, 4999), shuffled(5000, 3, 5000));
    }

    #[test]
    fn a_window_has_the_rows_of_few_runs_and_mixes_them() {
        let (rows, window) = (100_000, 10_000); // two runs of 3,840 at a time
        let order = shuffled(rows, 1, window);
        for rows in order.chunks_exact(2 * RUN) {
            let mut runs: Vec<usize> = rows.iter().map(|row| row / RUN).collect();
            let alternates = runs.windows(2).filter(|pair| pair[0] != pair[1]).count();
            runs.sort_unstable();
            runs.dedup();
            // the last run of the data is a short one, after which a window begins within a run
            assert!(runs.len() <= 3, "{runs:?}");
            assert!(alternates > rows.len() / 4, "{alternates} of {}", rows.len());
        }
        // windows that follow each other come from anywhere
        let firsts: Vec<usize> = order.chunks(2 * RUN).map(|rows| rows[0] / RUN).collect();
        assert!(!firsts.is_sorted());
    }
}
