//! What it takes to read a table and to make the inputs of a network from it: seconds, and the most memory in bytes for each
//! byte of the file.
//!
//! ```console
//! $ cargo run --release -p surefoot-table --example memory -- houses.csv
//! ```

use std::error::Error;
use std::time::Instant;

use surefoot_table::{Encoding, Learned, Part, Roles, Source, Target};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("the file of a table")?;
    let size = std::fs::metadata(&file)?.len() as f64;
    let before = peak()?;
    let start = Instant::now();
    let say = |what: &str| -> Result<(), Box<dyn Error>> {
        let (seconds, memory) = (start.elapsed().as_secs_f64(), (peak()? - before) / size);
        println!("{what}: after {seconds:.2} s ({:.0} MB/s), {memory:.2} bytes a byte", size / 1e6 / seconds);
        Ok(())
    };
    let table = Source::new(&file, Part::Training).table()?;
    println!("{} × {} cells, {:.2} bytes a byte", table.rows(), table.columns().len(), table.memory() as f64 / size);
    say("table")?;
    let target = Target::find(&table, None, &[], None)?;
    let Learned { encoding, scaling, .. } = Encoding::learn(&table, &target.rows, &target, &Roles::default())?;
    say("kinds, fills and scalings")?;
    let inputs = encoding.inputs_as::<f32>(&table, &target.rows, Some(&scaling))?;
    say("inputs")?;
    let digest = inputs.iter().fold(0, |digest: u64, x| digest.rotate_left(1) ^ u64::from(x.to_bits()));
    println!("{:?} inputs, digest {digest}", inputs.dim());
    Ok(())
}

/// The most memory that this process has had, in bytes, as Linux says.
fn peak() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}
