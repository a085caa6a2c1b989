//! A program that keeps to a limit: what it computes is the same, its memory is not.
#![cfg(target_os = "linux")]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use surefoot_memory::{Allocator, available, folder, in_files, limit, refused};

#[global_allocator]
static MEMORY: Allocator = Allocator;

const MEGABYTE: usize = 1 << 20;
/// The limit is one of the process: tests take turns.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    limit(64 << 20, &folder()).unwrap();
    turn
}

/// A line of `/proc/self/status`, in bytes.
fn status(name: &str) -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches([':', '\t', ' ']).strip_suffix(" kB").unwrap().trim().parse::<usize>().unwrap() * 1024
}

#[test]
fn vectors_beyond_the_limit_grow_shrink_and_keep_their_numbers() {
    let _turn = turn();
    let mut vectors: Vec<Vec<u64>> = vec![Vec::new(); 8];
    let number = |vector: usize, i: usize| (vector * 1_000_003 + i) as u64;
    for i in 0..2 * MEGABYTE {
        for (v, vector) in vectors.iter_mut().enumerate() {
            vector.push(number(v, i)); // 16 MB each at the end, in turn
        }
    }
    assert!(in_files() >= 64 << 20, "{}", in_files());
    for (v, vector) in vectors.iter_mut().enumerate() {
        assert!(vector.iter().enumerate().all(|(i, &x)| x == number(v, i)), "vector {v}");
        vector.truncate(MEGABYTE / 2);
        vector.shrink_to_fit(); // 4 MB
        vector.extend([7; 10]);
        vector.truncate(100);
        vector.shrink_to_fit(); // out of its file
        assert!(vector.iter().enumerate().all(|(i, &x)| x == number(v, i)), "vector {v}");
    }
    assert_eq!(in_files(), 0);
    assert!(refused().is_none());
}

#[test]
fn new_zeros_are_zeros_also_where_there_was_something_else() {
    let _turn = turn();
    for _ in 0..3 {
        let mut blocks: Vec<Vec<u8>> = (0..6).map(|_| vec![0; 20 * MEGABYTE]).collect();
        for block in &mut blocks {
            assert!(block.iter().all(|&x| x == 0));
            block.fill(0xaa);
        }
        assert!(in_files() >= 80 << 20);
    }
    assert_eq!(in_files(), 0);
}

/// How far it is above the limit for a moment is the machine's: it may map much of a file at once, and let the watching thread wait. Small
/// blocks that were given up may stay with the system's allocator, so the pages of files are counted alone.
#[test]
fn pages_of_files_leave_memory_again() {
    let _turn = turn();
    let mut numbers = vec![1.0f64; 64 * MEGABYTE]; // 512 MB
    for pass in 0..3 {
        numbers.chunks_mut(4096).for_each(|some| some.iter_mut().for_each(|x| *x += 1.0));
        assert_eq!(numbers.iter().sum::<f64>(), (pass + 2) as f64 * numbers.len() as f64);
        let end = Instant::now() + Duration::from_secs(60);
        while status("RssFile") > 64 << 20 {
            assert!(Instant::now() < end, "{} bytes of files are in memory", status("RssFile"));
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    assert!(in_files() >= 512 << 20);
}

/// Blocks below a megabyte are not limited, but what was given up leaves memory again, so that there is room for pages of files.
#[cfg(target_env = "gnu")]
#[test]
fn small_blocks_that_were_given_up_leave_memory_again() {
    let _turn = turn();
    let beyond = vec![1u8; 100 * MEGABYTE];
    let mut blocks: Vec<Vec<u8>> = (0..1200).map(|_| vec![1; MEGABYTE / 8 - 100]).collect(); // 150 MB of the heap
    let kept = blocks.split_off(1190); // so that the heap cannot shrink by itself
    let before = status("RssAnon");
    drop(blocks);
    let end = Instant::now() + Duration::from_secs(60);
    while status("RssAnon") > before - 100 * MEGABYTE {
        assert!(Instant::now() < end, "{} bytes are in memory", status("RssAnon"));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(kept.iter().chain([&beyond]).all(|block| block.iter().all(|&x| x == 1)));
}

#[test]
fn several_threads_allocate_at_the_same_time() {
    let _turn = turn();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            scope.spawn(move || {
                for round in 0..20 {
                    let block = vec![thread; (1 + round % 7) * 3 * MEGABYTE];
                    let copy = block.clone();
                    assert!(copy.iter().all(|&x| x == thread));
                }
            });
        }
    });
    assert_eq!(in_files(), 0);
}

#[test]
fn files_have_no_names() {
    let _turn = turn();
    let files = tempfile::tempdir_in(folder()).unwrap();
    limit(64 << 20, files.path()).unwrap();
    let block = vec![1u8; 100 * MEGABYTE];
    assert!(in_files() >= 100 << 20);
    assert_eq!(files.path().read_dir().unwrap().count(), 0);
    drop(block);
    limit(64 << 20, &folder()).unwrap();
}

#[test]
fn limits_that_cannot_be_kept_are_refused() {
    let _turn = turn();
    let message = |bytes, folder: &str| limit(bytes, folder.as_ref()).unwrap_err().to_string();
    assert_eq!(message(1000, "/tmp"), "expected at least 32 MiB of memory, got 1000 bytes");
    assert_eq!(message(1 << 30, "/dev/shm"), "/dev/shm is in memory itself (tmpfs)");
    assert!(message(1 << 30, "/no/such/folder").contains("No such file"));
    assert!(available().unwrap() > 64 << 20);
}
