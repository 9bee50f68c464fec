//! Valid names and paths of groups and projects (GitLab `lib/gitlab/path_regex.rb`,
//! `lib/gitlab/regex.rb`).

use super::invalid::Invalid;

const TOP_LEVEL: &[&str] = &[
    "-",
    ".well-known",
    "404.html",
    "422.html",
    "500.html",
    "502.html",
    "503.html",
    "admin",
    "api",
    "apple-touch-icon.png",
    "assets",
    "dashboard",
    "deploy.html",
    "explore",
    "favicon.ico",
    "favicon.png",
    "groups",
    "health_check",
    "help",
    "import",
    "jwt",
    "login",
    "o",
    "oauth",
    "profile",
    "projects",
    "public",
    "robots.txt",
    "s",
    "search",
    "sitemap",
    "sitemap.xml",
    "sitemap.xml.gz",
    "slash-command-logo.png",
    "snippets",
    "unsubscribes",
    "uploads",
    "users",
    "v2",
];

const PROJECT: &[&str] = &[
    "-",
    "badges",
    "blame",
    "blob",
    "builds",
    "commits",
    "create",
    "create_dir",
    "edit",
    "environments/folders",
    "files",
    "find_file",
    "gitlab-lfs/objects",
    "info/lfs/objects",
    "new",
    "preview",
    "raw",
    "refs",
    "tree",
    "update",
    "wikis",
];

const MAX_LENGTH: usize = 255;
const MIN_GROUP_PATH_LENGTH: usize = 2;

/// The kind of object whose name or path is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A project.
    Project,
    /// A group; top-level groups must not use the names of GitLab's own pages.
    Group {
        /// Whether it has no parent.
        is_top_level: bool,
    },
}

/// Adds the errors of a path. A path that was not `changed` may have been created under older rules.
pub fn check_path(path: &str, named: Named, changed: bool, invalid: &mut Invalid) {
    if path.is_empty() {
        invalid.add("path", "can't be blank");
        return;
    }
    if path.chars().count() > MAX_LENGTH {
        invalid.add(
            "path",
            format!("is too long (maximum is {MAX_LENGTH} characters)"),
        );
    }
    if !matches!(named, Named::Project) && path.chars().count() < MIN_GROUP_PATH_LENGTH {
        invalid.add(
            "path",
            format!("is too short (minimum is {MIN_GROUP_PATH_LENGTH} characters)"),
        );
    }
    let (ends, text): (&[&str], &str) = match named {
        Named::Project => (
            &[".git", ".atom"],
            "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'",
        ),
        Named::Group { .. } => (
            &[".git", ".atom", "."],
            "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end in '.', '.git' or '.atom'.",
        ),
    };
    let lower = path.to_ascii_lowercase();
    let is_legal = path.chars().all(is_path_character)
        && !path.starts_with('-')
        && !ends.iter().any(|end| lower.ends_with(end));
    if !is_legal {
        invalid.add("path", text);
    } else if changed && !has_single_separators(path) {
        invalid.add(
            "path",
            "can only include non-accented letters, digits, '_', '-' and '.'. It must not start with '-', '_', or '.', nor end with '-', '_', '.', '.git', or '.atom'.",
        );
    }
    let reserved: &[&str] = match named {
        Named::Group { is_top_level: true } => TOP_LEVEL,
        Named::Project
        | Named::Group {
            is_top_level: false,
        } => PROJECT,
    };
    if reserved.contains(&lower.as_str()) {
        invalid.add("path", format!("{path} is a reserved name"));
    }
}

/// Returns whether a path is a valid segment of a container image's name (GitLab
/// `app/models/project.rb`, `oci_repository_path_regex`): separators only one at a time, and only
/// between letters and digits.
fn has_single_separators(path: &str) -> bool {
    path.split(['.', '_', '-'])
        .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Adds the errors of a name.
pub fn check_name(name: &str, named: Named, invalid: &mut Invalid) {
    if name.trim().is_empty() {
        invalid.add("name", "can't be blank");
        return;
    }
    if name.chars().count() > MAX_LENGTH {
        invalid.add(
            "name",
            format!("is too long (maximum is {MAX_LENGTH} characters)"),
        );
    }
    let (extra, text): (&[char], &str) = match named {
        Named::Project => (
            &['_', '.', '+', '-', ' '],
            "can contain only letters, digits, emoji, '_', '.', '+', dashes, or spaces. It must start with a letter, digit, emoji, or '_'.",
        ),
        Named::Group { .. } => (
            &['_', '.', '-', ' ', '(', ')'],
            "can contain only letters, digits, emoji, '_', '.', dash, space, parenthesis. It must start with letter, digit, emoji or '_'.",
        ),
    };
    let is_start_valid = name
        .chars()
        .next()
        .is_some_and(|first| is_word(first) || first == '_');
    let is_legal = name
        .chars()
        .all(|character| is_word(character) || extra.contains(&character));
    if !is_start_valid || !is_legal {
        invalid.add("name", text);
    }
}

/// Derives a path from a name, for a project created without a path.
pub fn path_from_name(name: &str) -> String {
    if !name.is_empty() && name.chars().all(is_path_character) && !name.starts_with('-') {
        return name.to_owned();
    }
    parameterize(name)
}

/// Like Rails' `parameterize`: lower case, with one dash for every run of other characters.
fn parameterize(text: &str) -> String {
    let mut path = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || character == '_' {
            path.push(character.to_ascii_lowercase());
        } else if !path.is_empty() && !path.ends_with('-') {
            path.push('-');
        }
    }
    path.trim_end_matches('-').to_owned()
}

const fn is_path_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

fn is_word(character: char) -> bool {
    // Emoji are outside the basic plane, or dingbats and symbols inside it.
    character.is_alphanumeric()
        || matches!(u32::from(character), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0xFE0F | 0x200D)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_errors(path: &str, named: Named) -> Vec<String> {
        let mut invalid = Invalid::default();
        check_path(path, named, false, &mut invalid);
        invalid
            .fields()
            .iter()
            .flat_map(|(_, messages)| messages.clone())
            .collect()
    }

    #[test]
    fn paths_are_checked_by_kind() {
        let group = Named::Group {
            is_top_level: false,
        };
        assert!(path_errors("a.b_c-1", Named::Project).is_empty());
        assert!(path_errors("api", Named::Project).is_empty());
        assert_eq!(path_errors("ab.", Named::Project), Vec::<String>::new());
        assert_eq!(path_errors("ab.", group).len(), 1);
        assert_eq!(path_errors("a b", group).len(), 1);
        assert_eq!(path_errors("-a", Named::Project).len(), 1);
        assert_eq!(path_errors("a.GIT", Named::Project).len(), 1);
        assert_eq!(
            path_errors("Admin", Named::Group { is_top_level: true }),
            ["Admin is a reserved name"]
        );
        assert_eq!(
            path_errors("tree", Named::Project),
            ["tree is a reserved name"]
        );
    }

    #[test]
    fn changed_paths_have_single_separators_between_words() {
        for path in ["a", "a-b", "a.b_c-1", "A1"] {
            assert!(has_single_separators(path), "{path}");
        }
        for path in ["a__b", "_a", "a-", "a.-b", "é"] {
            assert!(!has_single_separators(path), "{path}");
        }
    }

    #[test]
    fn invalid_names_become_valid_paths() {
        assert_eq!(path_from_name("My App!"), "my-app");
        assert_eq!(path_from_name("Team.A"), "Team.A");
        assert_eq!(path_from_name("-x"), "x");
    }
}
