//! Processes that compute a training together.

use std::fmt::Debug;

use crate::error::Result;

/// Processes, on one machine or on many, that compute a training together: each takes a part of the rows of every large batch, and
/// all come to the same parameters, with the bits that one process alone comes to.
///
/// They are numbered from 0, as in MPI. How their bytes travel is the business of whoever implements this, as `surefoot-mpi` does.
/// All of them call the same methods in the same order; each call returns when the bytes of all have come. A
/// [`Problem`](crate::Problem) takes them.
///
/// # Errors
/// Every method gives [`Error::Ranks`](crate::Error::Ranks) when the bytes cannot be sent or do not come.
pub trait Ranks: Debug + Send + Sync {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// How many processes there are, at least 1.
    fn size(&self) -> usize;

    /// Writes over `all` what each process gives, in their order: rank r gives `lengths[r]` bytes.
    fn all_gather(&self, own: &[u8], lengths: &[usize], all: &mut Vec<u8>) -> Result<()>;

    /// Gives a part of `parts` to each process, `to[r]` bytes to rank r, and writes over `received` what they give to this one,
    /// `from[r]` bytes from rank r; both in the order of the ranks.
    fn all_to_all(&self, parts: &[u8], to: &[usize], from: &[usize], received: &mut Vec<u8>) -> Result<()>;

    /// What each process gives, in their order, where nobody knows how long it is.
    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut all = Vec::new();
        self.all_gather(&(own.len() as u64).to_le_bytes(), &vec![8; self.size()], &mut all)?;
        let lengths: Vec<usize> = all.as_chunks().0.iter().map(|length| u64::from_le_bytes(*length) as usize).collect();
        self.all_gather(own, &lengths, &mut all)?;
        let mut rest = &all[..];
        Ok(lengths.iter().map(|&length| rest.split_off(..length).unwrap_or_default().to_vec()).collect())
    }

    /// Whether it is so for any of the processes.
    fn any(&self, own: bool) -> Result<bool> {
        let mut all = Vec::new();
        self.all_gather(&[own.into()], &vec![1; self.size()], &mut all)?;
        Ok(all.contains(&1))
    }
}
