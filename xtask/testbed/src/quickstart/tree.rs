//! Draws the files of a folder as a tree.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Draws everything in `folder` except `.git`, one entry a line.
pub(super) fn draw(folder: &Path) -> io::Result<String> {
    let mut drawing = String::new();
    draw_below(folder, "", &mut drawing)?;
    Ok(drawing)
}

fn draw_below(folder: &Path, indent: &str, drawing: &mut String) -> io::Result<()> {
    let entries = sorted_entries(folder)?;
    for (number, path) in entries.iter().enumerate() {
        let is_last = number + 1 == entries.len();
        let branch = if is_last { "└── " } else { "├── " };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        drawing.extend([indent, branch, &name, "\n"]);
        if path.is_dir() {
            let deeper = if is_last { "    " } else { "│   " };
            draw_below(path, &format!("{indent}{deeper}"), drawing)?;
        }
    }
    Ok(())
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()?;
    entries.retain(|path| path.file_name().is_some_and(|name| name != ".git"));
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_drawn_below_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "envs/test.yaml",
            "production/kustomization.yaml",
            ".git/HEAD",
            "README.md",
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let expected = "\
├── README.md
├── envs
│   └── test.yaml
└── production
    └── kustomization.yaml
";
        assert_eq!(draw(folder.path()).unwrap(), expected);
    }
}
