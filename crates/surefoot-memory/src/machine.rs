//! How much memory there is for this process.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The memory that this process may use, in bytes: that of the machine, or less where a container or a job is held to less (by control
/// groups of either version).
pub fn available() -> Option<u64> {
    let machine = of_machine(&read_to_string("/proc/meminfo").ok()?)?;
    let groups = read_to_string("/proc/self/cgroup").unwrap_or_default();
    let held_to = limits_of(&groups, Path::new("/sys/fs/cgroup")).into_iter().filter_map(|path| {
        read_to_string(path).ok()?.trim().parse::<u64>().ok() // `max` where there is none
    });
    Some(held_to.fold(machine, u64::min))
}

/// The line `MemTotal:   24600000 kB`.
fn of_machine(text: &str) -> Option<u64> {
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix("kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}

/// The files that hold the limits of these groups and of all above them. A container may see its own group at the root.
fn limits_of(groups: &str, root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(kinds), Some(group)) = (fields.next(), fields.next()) else { continue };
        let (root, file) = match kinds {
            "" => (root.to_path_buf(), "memory.max"),
            _ if kinds.split(',').any(|kind| kind == "memory") => (root.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        files.extend(Path::new(group.trim_start_matches('/')).ancestors().map(|group| root.join(group).join(file)));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_the_machine_is_read() {
        assert_eq!(of_machine("MemTotal:       24600000 kB\nMemFree: 1 kB\n"), Some(24_600_000 * 1024));
        assert_eq!(of_machine("MemFree: 1 kB\n"), None);
        assert!(available().unwrap() > 1 << 20);
    }

    #[test]
    fn the_limits_of_a_group_and_of_those_above_it_count() {
        let paths = |groups| {
            let paths = limits_of(groups, Path::new("/g")).into_iter();
            paths.map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(paths("0::/job/step\n"), ["/g/job/step/memory.max", "/g/job/memory.max", "/g/memory.max"]);
        let first = "9:cpu:/a\n4:hugetlb,memory:/b\n";
        assert_eq!(paths(first), ["/g/memory/b/memory.limit_in_bytes", "/g/memory/memory.limit_in_bytes"]);
    }
}
