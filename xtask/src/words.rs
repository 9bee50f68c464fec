//! Checks that no retired name is back in the code.
//!
//! `xtask/words.txt` lists the names. Definitions are enough to look for: without one there is no use.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{say, workspace};

const LIST: &str = include_str!("../words.txt");

/// A name that the code must not define.
#[derive(Debug, PartialEq, Eq)]
struct Retired<'a> {
    kind: &'a str,
    name: &'a str,
    /// The folder to look in, relative to the workspace.
    folder: &'a Path,
    replacement: &'a str,
}

/// Looks through every Rust file, reports each retired name, and returns whether there is none.
pub(crate) fn check() -> io::Result<bool> {
    let retired = parse(LIST)?;
    let root = workspace();
    let mut count = 0;
    for file in rust_files(&root)? {
        let text = fs::read_to_string(&file)?;
        let file = file.strip_prefix(&root).unwrap_or(&file);
        for (line, retired) in find(&text, &retired) {
            if file.starts_with(retired.folder) {
                let Retired {
                    kind,
                    name,
                    replacement,
                    ..
                } = retired;
                say(&format!(
                    "{}:{line}: {kind} `{name}`: use the field's word: {replacement}",
                    file.display()
                ));
                count += 1;
            }
        }
    }
    if count > 0 {
        say(&format!(
            "error: {count} retired names, which xtask/words.txt lists"
        ));
    }
    Ok(count == 0)
}

fn parse(list: &str) -> io::Result<Vec<Retired<'_>>> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let malformed = || io::Error::other(format!("malformed line in words.txt: {line}"));
            let (kind, rest) = column(line).ok_or_else(malformed)?;
            let (name, rest) = column(rest).ok_or_else(malformed)?;
            let (folder, replacement) = column(rest).ok_or_else(malformed)?;
            if !KINDS.contains(&kind) {
                return Err(malformed());
            }
            Ok(Retired {
                kind,
                name,
                folder: Path::new(folder.trim_start_matches('.')),
                replacement,
            })
        })
        .collect()
}

fn column(line: &str) -> Option<(&str, &str)> {
    let (column, rest) = line.split_once(' ')?;
    Some((column, rest.trim_start()))
}

const KINDS: [&str; 5] = ["type", "fn", "constructor", "mod", "word"];

/// Finds retired names in the text of a file, with the lines that they are on.
fn find<'a, 'b>(text: &str, retired: &'a [Retired<'b>]) -> Vec<(usize, &'a Retired<'b>)> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut before = "";
    let mut rest = text;
    while let Some(start) = rest.find(is_part_of_identifier) {
        let (gap, from_start) = rest.split_at(start);
        let end = from_start
            .find(|character| !is_part_of_identifier(character))
            .unwrap_or(from_start.len());
        let (identifier, after) = from_start.split_at(end);
        line += gap.matches('\n').count();
        let keyword = if gap.trim().is_empty() { before } else { "" };
        let matches = retired
            .iter()
            .filter(|retired| retired.name == identifier && is_kind(retired.kind, keyword, after));
        found.extend(matches.map(|retired| (line, retired)));
        before = identifier;
        rest = after;
    }
    found
}

fn is_part_of_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Whether an identifier is a definition of this kind, by the keyword before it and the text after it.
fn is_kind(kind: &str, keyword: &str, after: &str) -> bool {
    match kind {
        "type" => ["struct", "enum", "trait", "type"].contains(&keyword),
        "constructor" => keyword == "fn" && !takes_self(after),
        "word" => true,
        _ => keyword == kind,
    }
}

/// Whether the first parameter is `self`, `&self`, `&mut self` or `mut self`.
fn takes_self(after_name: &str) -> bool {
    let parameters = after_name.trim_start_matches('(').trim_start();
    let parameters = parameters.strip_prefix('&').unwrap_or(parameters);
    let parameters = parameters.strip_prefix("mut ").unwrap_or(parameters);
    parameters
        .strip_prefix("self")
        .is_some_and(|rest| !rest.starts_with(is_part_of_identifier))
}

/// Lists every `*.rs` file below a folder, sorted, without `target` and hidden folders.
fn rust_files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        let list = "type Gizmo . Gadget\nconstructor of . new, parse\nword wobbly . unstable";
        let retired = parse(list).unwrap();
        find(text, &retired)
            .into_iter()
            .map(|(line, retired)| (line, retired.name.to_owned()))
            .collect()
    }

    #[test]
    fn the_list_is_well_formed() {
        assert!(!parse(LIST).unwrap().is_empty());
        assert!(parse("typo Gizmo . Gadget").is_err());
    }

    #[test]
    fn definitions_are_found_with_their_lines() {
        let text =
            "pub struct Gizmo;\n\n/// Wraps.\nfn of(text: &str) {\n    is_wobbly(wobbly);\n}\n";
        let expected = [(1, "Gizmo"), (4, "of"), (5, "wobbly")];
        assert_eq!(
            found(text),
            expected.map(|(line, name)| (line, name.to_owned()))
        );
    }

    #[test]
    fn uses_longer_names_and_methods_are_not_definitions() {
        let text =
            "struct Gizmos(Gizmo);\nfn of(&self) {}\nfn of(\n    &mut self,\n) {}\nfn offer() {}";
        assert_eq!(found(text), []);
    }
}
