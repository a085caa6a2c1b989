//! The README of the repository shows the code of this crate's README, which is compiled and run as a doc test.

use std::path::Path;

#[test]
fn the_rust_of_the_repositorys_readme_is_that_of_the_crate() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [crates, repositorys] = ["README.md", "../../README.md"].map(|name| {
        let text = std::fs::read_to_string(root.join(name)).unwrap();
        let blocks = text.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_string());
        blocks.collect::<Vec<_>>()
    });
    assert!(!crates.is_empty());
    assert_eq!(repositorys, crates);
}
