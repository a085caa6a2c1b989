//! No files of a crate import each other in a circle: whoever reads one can read it after those that it uses.
//!
//! A file imports another where its code, that of tests apart, names something of it by a path from `crate`, `super`, `self`
//! or one of its own modules. What a module only passes on (`pub use`) is imported from where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn no_files_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path().join("src");
        if folder.is_dir() {
            found.extend(circles(&Sources::of_crate(&folder)));
        }
    }
    assert!(found.is_empty(), "files that import each other in a circle: {found:#?}");
}

#[test]
fn a_circle_is_seen_with_its_files() {
    let circles_of = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(path, code)| (path.to_string(), code.to_string()));
        circles(&Sources::new("t", files))
    };
    let lib = ("lib.rs", "mod a; mod b; mod c; pub use a::A;");
    let found = circles_of(&[
        lib,
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use super::{c::{self, C}};"),
        ("c.rs", "use crate::A;"),
    ]);
    assert_eq!(found, [["t/a.rs", "t/b.rs", "t/c.rs"]]);
    let in_test = "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }";
    assert!(circles_of(&[lib, ("a.rs", in_test), ("b.rs", "use crate::a::A; // crate::c"), ("c.rs", "")]).is_empty());
    let folder = ("m/mod.rs", "mod x; mod y; pub use x::X;");
    let files = [("lib.rs", "mod m;"), folder, ("m/x.rs", "struct X;"), ("m/y.rs", "use super::X;")];
    assert!(circles_of(&files).is_empty(), "a module that only passes on is no part of a circle");
    let files = [("lib.rs", "mod m;"), ("m/mod.rs", "mod x; fn f() { x::g() }"), ("m/x.rs", "use super::f; fn g() {}")];
    assert_eq!(circles_of(&files), [["t/m/mod.rs", "t/m/x.rs"]]);
}

/// The files of a crate by their module paths, as `["commands", "train"]`.
struct Sources {
    name: String,
    files: BTreeMap<Vec<String>, (String, Vec<Use>)>,
}

/// A path in the code.
struct Use {
    path: Vec<String>,
    is_passed_on: bool,
}

impl Sources {
    fn of_crate(folder: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path: PathBuf = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                    files.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let name = folder.parent().unwrap().canonicalize().unwrap();
        Sources::new(name.file_name().unwrap().to_str().unwrap(), files.into_iter())
    }

    fn new(name: &str, files: impl Iterator<Item = (String, String)>) -> Self {
        let module = |path: &str| -> Vec<String> {
            let parts = path.trim_end_matches(".rs").split('/').map(String::from);
            parts.filter(|part| !["lib", "main", "mod"].contains(&part.as_str())).collect()
        };
        let files = files.map(|(path, code)| (module(&path), (path, uses(&tokens(&code))))).collect();
        Sources { name: name.into(), files }
    }

    /// The module in whose file a path ends that is used in this module.
    fn target(&self, from: &[String], used: &Use) -> Option<Vec<String>> {
        let mut module = match used.path.first()?.as_str() {
            "crate" => Vec::new(),
            "super" => from.split_last()?.1.to_vec(),
            "self" => from.to_vec(),
            child => {
                let is_child = self.files.contains_key(&[from, &[child.to_string()]].concat());
                return is_child.then(|| self.follow(from.to_vec(), &used.path))?;
            }
        };
        let mut rest = &used.path[1..];
        while rest.first().is_some_and(|part| part == "super") {
            module.pop()?;
            rest = &rest[1..];
        }
        self.follow(module, rest)
    }

    fn follow(&self, mut module: Vec<String>, path: &[String]) -> Option<Vec<String>> {
        for (i, part) in path.iter().enumerate() {
            let child = [&module[..], std::slice::from_ref(part)].concat();
            if self.files.contains_key(&child) {
                module = child;
                continue;
            }
            let (_, uses) = self.files.get(&module)?;
            let passes_on = uses.iter().find(|used| used.is_passed_on && used.path.last() == Some(part));
            let Some(used) = passes_on else { break };
            let inner = self.target(&module, used)?;
            return if i + 1 < path.len() { self.follow(inner, &path[i + 1..]) } else { Some(inner) };
        }
        Some(module)
    }
}

/// The strongly connected files, each component in order.
fn circles(sources: &Sources) -> Vec<Vec<String>> {
    let imports = |module: &Vec<String>| -> BTreeSet<Vec<String>> {
        let uses = sources.files[module].1.iter().filter(|used| !used.is_passed_on);
        uses.filter_map(|used| sources.target(module, used)).filter(|target| target != module).collect()
    };
    let edges: BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> =
        sources.files.keys().map(|module| (module, imports(module))).collect();
    let reached = |from: &Vec<String>| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            open.extend(edges[&module].iter().filter(|next| seen.insert((*next).clone())).cloned());
        }
        seen
    };
    let reached: BTreeMap<_, _> = edges.keys().map(|module| (*module, reached(module))).collect();
    let circle = |module: &Vec<String>| -> BTreeSet<String> {
        let both = reached.iter().filter(|(other, back)| reached[module].contains(**other) && back.contains(module));
        both.map(|(other, _)| format!("{}/{}", sources.name, sources.files[*other].0)).collect()
    };
    let all: BTreeSet<BTreeSet<String>> = reached.keys().map(|module| circle(module)).collect();
    all.into_iter().filter(|circle| circle.len() > 1).map(|circle| circle.into_iter().collect()).collect()
}

/// Words and signs of the code, without comments, literals and what is under `#[cfg(test)]`.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let chars: Vec<char> = code.chars().collect();
    let mut i = 0;
    while let Some(&c) = chars.get(i) {
        let rest = &chars[i..];
        if rest.starts_with(&['/', '/']) {
            i += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
        } else if c == 'r' && matches!(rest.get(1), Some('"' | '#')) && !matches!(rest.get(2), Some('a'..='z')) {
            let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
            let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let body = &rest[hashes + 2..];
            i += hashes + 2 + end.len() + body.windows(end.len()).position(|w| w == end).unwrap_or(body.len());
        } else if c == '"' {
            let mut end = 1;
            while rest.get(end).is_some_and(|c| *c != '"') {
                end += if rest[end] == '\\' { 2 } else { 1 };
            }
            i += end + 1;
        } else if c == '\'' && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
            i += 3 + rest[3.min(rest.len())..]
                .iter()
                .position(|c| *c == '\'')
                .filter(|_| rest[1] == '\\')
                .map_or(0, |n| n + 1);
        } else if c.is_alphanumeric() || c == '_' {
            let length = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            tokens.push(rest[..length].iter().collect());
            i += length;
        } else if rest.starts_with(&[':', ':']) {
            tokens.push("::".into());
            i += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            i += 1;
        }
    }
    let test = ["#", "[", "cfg", "(", "test", ")", "]"];
    while let Some(start) = tokens.windows(test.len()).position(|window| window == test) {
        let (mut end, mut depth) = (start + test.len(), 0);
        while let Some(token) = tokens.get(end) {
            depth += i32::from("{([".contains(token.as_str())) - i32::from("})]".contains(token.as_str()));
            end += 1;
            if depth == 0 && (token == "}" || token == ";") {
                break;
            }
        }
        tokens.drain(start..end);
    }
    tokens
}

/// All paths, those of a `use` with braces one by one.
fn uses(tokens: &[String]) -> Vec<Use> {
    let mut found = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        let is_start = i == 0 || !["::", "$"].contains(&tokens[i - 1].as_str());
        if tokens.get(i + 1).is_some_and(|next| next == "::") && is_start {
            let before = &tokens[..i];
            let is_passed_on =
                before.ends_with(&["pub".into(), "use".into()]) || before.ends_with(&[")".into(), "use".into()]);
            let mut paths = Vec::new();
            i = tree(tokens, i, &[], &mut paths);
            found.extend(paths.into_iter().map(|path| Use { path, is_passed_on }));
        } else {
            i += 1;
        }
    }
    found
}

/// Reads a path or a tree of paths from here; the place after it.
fn tree(tokens: &[String], mut i: usize, prefix: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    while let Some(token) = tokens.get(i) {
        if token == "{" {
            i += 1;
            while tokens.get(i).is_some_and(|token| token != "}") {
                i = if tokens[i] == "," { i + 1 } else { tree(tokens, i, &path, paths).max(i + 1) };
            }
            return i + 1;
        }
        if token != "self" || path.is_empty() {
            path.push(token.clone());
        }
        i += 1;
        if tokens.get(i).is_none_or(|next| next != "::") {
            break;
        }
        i += 1;
    }
    if tokens.get(i).is_some_and(|next| next == "as")
        && tokens.get(i + 2).is_some_and(|next| [",", "}", ";"].contains(&next.as_str()))
    {
        i += 2;
    }
    paths.push(path);
    i
}
