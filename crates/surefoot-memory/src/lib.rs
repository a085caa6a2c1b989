//! Data beyond memory: an allocator that keeps to a limit. Large blocks beyond it lie in files on disk, which are mapped into the
//! memory of the process and are gone with it.
//!
//! Nothing else in a program has to know: it reads and writes its vectors as ever, the system moves pages between disk and memory, and
//! no result can depend on how much memory there was. It is fast where long vectors are passed through from one end to the other; who knows
//! better what is read next can say so ([`read_ahead`]). It is slow where more than fits is read at random.
//!
//! ```
//! #[global_allocator]
//! static MEMORY: surefoot_memory::Allocator = surefoot_memory::Allocator;
//!
//! # #[cfg(target_os = "linux")]
//! # fn main() -> std::io::Result<()> {
//! surefoot_memory::limit(64 << 20, &surefoot_memory::folder())?;
//! let numbers = vec![1.0f64; 10 << 20]; // 80 MB
//! assert!(surefoot_memory::in_files() >= 80 << 20);
//! assert_eq!(numbers.iter().sum::<f64>(), numbers.len() as f64);
//! # Ok(())
//! # }
//! # #[cfg(not(target_os = "linux"))]
//! # fn main() {}
//! ```

#[cfg(target_os = "linux")]
mod blocks;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod machine;
#[cfg(target_os = "linux")]
mod resident;

#[cfg(target_os = "linux")]
pub use self::linux::{Allocator, folder, in_files, limit, read_ahead, refused};
#[cfg(target_os = "linux")]
pub use self::machine::available;
#[cfg(not(target_os = "linux"))]
pub use self::others::{Allocator, available, folder, in_files, limit, read_ahead, refused};
#[cfg(not(target_os = "linux"))]
mod others;
