//! What has started this process, by the environment that it left.

/// Whoever starts the processes of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Launcher {
    pub name: &'static str,
    /// The number of this process, from 0.
    pub rank: usize,
    pub size: usize,
    /// The libraries that work with it, the likeliest first.
    pub libraries: Vec<&'static str>,
}

#[cfg(target_os = "macos")]
const OPEN_MPI: [&str; 2] = ["libmpi.40.dylib", "libmpi.dylib"];
#[cfg(target_os = "macos")]
const MPICH: [&str; 2] = ["libmpi.12.dylib", "libmpi.dylib"];
#[cfg(not(target_os = "macos"))]
const OPEN_MPI: [&str; 2] = ["libmpi.so.40", "libmpi.so"];
#[cfg(not(target_os = "macos"))]
const MPICH: [&str; 4] = ["libmpich.so.12", "libmpi.so.12", "libmpi_cray.so.12", "libmpi.so"];

impl Launcher {
    /// By these variables: what Open MPI's `mpirun` sets; MPICH's, and `srun --mpi=pmi2`; `srun --mpi=pmix`, which serves either.
    pub fn find(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| variable(name)?.parse().ok();
        let of = |name, rank: &str, sizes: &[&str], libraries: &[&'static str]| {
            let (rank, size) = (number(rank)?, sizes.iter().find_map(|size| number(size))?);
            Some(Launcher { name, rank, size, libraries: libraries.to_vec() })
        };
        let either = [&OPEN_MPI[..1], &MPICH[..]].concat();
        of("Open MPI's mpirun", "OMPI_COMM_WORLD_RANK", &["OMPI_COMM_WORLD_SIZE"], &OPEN_MPI)
            .or_else(|| of("a launcher with PMI", "PMI_RANK", &["PMI_SIZE"], &MPICH))
            .or_else(|| of("srun with PMIx", "PMIX_RANK", &["SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"], &either))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)]) -> Option<Launcher> {
        Launcher::find(|name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).into()))
    }

    #[test]
    fn a_launcher_is_known_by_what_it_sets() {
        assert_eq!(find(&[]), None);
        // inside an allocation, but not started as a step of it
        assert_eq!(find(&[("SLURM_NTASKS", "4"), ("SLURM_JOB_ID", "7")]), None);
        let open = find(&[("OMPI_COMM_WORLD_RANK", "2"), ("OMPI_COMM_WORLD_SIZE", "3"), ("PMIX_RANK", "2")]).unwrap();
        assert_eq!((open.rank, open.size, open.libraries[0]), (2, 3, OPEN_MPI[0]));
        let hydra = find(&[("PMI_RANK", "0"), ("PMI_SIZE", "2")]).unwrap();
        assert_eq!((hydra.rank, hydra.size, hydra.libraries[0]), (0, 2, MPICH[0]));
        let slurm = find(&[("PMIX_RANK", "1"), ("SLURM_STEP_NUM_TASKS", "2"), ("SLURM_NTASKS", "8")]).unwrap();
        assert_eq!((slurm.rank, slurm.size, slurm.libraries[0]), (1, 2, OPEN_MPI[0]));
    }
}
