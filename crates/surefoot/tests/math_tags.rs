//! Every equation has its tag in `docs/math.md`, in the documentation, and at the line that computes it.

use std::collections::BTreeSet;
use std::path::Path;

/// The tags in a text: (A1), (L3), or the notes' (2) to (8).
fn tags(text: &str) -> BTreeSet<String> {
    let is_tag = |inner: &str| match inner.as_bytes() {
        [b'2'..=b'8'] => true,
        [letter, digits @ ..] => {
            letter.is_ascii_uppercase() && (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
        }
        [] => false,
    };
    text.split('(')
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(inner, _)| inner)
        .filter(|t| is_tag(t))
        .map(String::from)
        .collect()
}

/// The tags in documentation, and those in comments at the code, of a Rust file.
fn tags_of_code(source: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut documented, mut computed) = (BTreeSet::new(), BTreeSet::new());
    for line in source.lines() {
        let Some((_, comment)) = line.split_once("//") else { continue };
        let into = if comment.starts_with(['/', '!']) { &mut documented } else { &mut computed };
        into.extend(tags(comment));
    }
    (documented, computed)
}

fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn tags_stand_in_the_mathematics_in_the_documentation_and_at_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let math = std::fs::read_to_string(root.join("../../docs/math.md")).unwrap();
    // an equation is tagged in bold; a mention in the text is not
    let equations: BTreeSet<String> =
        math.split("**").enumerate().filter(|(i, _)| i % 2 == 1).flat_map(|(_, bold)| tags(bold)).collect();
    assert!(equations.len() > 40, "{equations:?}");
    assert!(
        tags(&math).is_subset(&equations),
        "mentioned but not an equation: {:?}",
        tags(&math).difference(&equations)
    );

    let mut files = vec![root.join("tests/suite/common/naive.rs")];
    rust_files(&root.join("src"), &mut files);
    let (mut documented, mut computed) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        let (in_documentation, at_code) = tags_of_code(&std::fs::read_to_string(file).unwrap());
        documented.extend(in_documentation);
        computed.extend(at_code);
    }
    assert_eq!(equations, documented, "docs/math.md against the documentation");
    assert_eq!(equations, computed, "docs/math.md against the code");
}

#[test]
fn a_tag_is_found_where_it_stands() {
    let (documented, computed) = tags_of_code("/// Text. (A1) (16)\nlet x = f(6); // (6) and (C2)\n");
    assert_eq!(documented, tags("(A1)"));
    assert_eq!(computed, tags("(6) (C2)"));
}
