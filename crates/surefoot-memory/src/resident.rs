//! What of the process is in memory, as the system counts it.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Pages that are in memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resident {
    pub all: u64,
    /// Those of mapped files.
    pub of_files: u64,
}

/// `/proc/self/statm`, open, so that looking allocates nothing.
pub(crate) struct Statistics(File);

impl Statistics {
    pub fn open() -> std::io::Result<Self> {
        File::open("/proc/self/statm").map(Statistics)
    }

    pub fn now(&self) -> Option<Resident> {
        let mut text = [0; 128];
        let length = self.0.read_at(&mut text, 0).ok()?;
        of(std::str::from_utf8(&text[..length]).ok()?, rustix::param::page_size() as u64)
    }
}

/// The second and the third number: resident pages, and those of them that files share.
fn of(text: &str, page: u64) -> Option<Resident> {
    let mut numbers = text.split_ascii_whitespace().skip(1).map(|number| number.parse::<u64>().ok());
    let (all, of_files) = (numbers.next()??, numbers.next()??);
    Some(Resident { all: all * page, of_files: of_files * page })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted() {
        assert_eq!(of("900 50 20 3 0 70 0\n", 4096), Some(Resident { all: 50 * 4096, of_files: 20 * 4096 }));
        assert_eq!(of("900\n", 4096), None);
        let now = Statistics::open().unwrap().now().unwrap();
        assert!(now.all > now.of_files && now.of_files > 0);
    }
}
