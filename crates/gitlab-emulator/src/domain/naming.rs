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

const PROJECT_PATH_FORMAT: &str = "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or end in '.atom'";
const GROUP_PATH_FORMAT: &str = "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-' or end in '.', '.git' or '.atom'.";
const CHANGED_PATH_FORMAT: &str = "can only include non-accented letters, digits, '_', '-' and '.'. It must not start with '-', '_', or '.', nor end with '-', '_', '.', '.git', or '.atom'.";

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

/// Returns the errors of a path. A path that was not `changed` may have been created under older
/// rules. GitLab reports an illegal path twice: by the rule for all paths, and by the one for changed
/// paths.
pub fn path_errors(path: &str, named: Named, changed: bool) -> Vec<String> {
    if path.is_empty() {
        return vec!["can't be blank".to_owned()];
    }
    let mut errors = Vec::new();
    let length = path.chars().count();
    if length > MAX_LENGTH {
        errors.push(format!("is too long (maximum is {MAX_LENGTH} characters)"));
    }
    let (ends, text): (&[&str], &str) = match named {
        Named::Project => (&[".git", ".atom"], PROJECT_PATH_FORMAT),
        Named::Group { .. } => (&[".git", ".atom", "."], GROUP_PATH_FORMAT),
    };
    let lower = path.to_ascii_lowercase();
    let is_legal = path.chars().all(is_path_character)
        && !path.starts_with('-')
        && !ends.iter().any(|end| lower.ends_with(end));
    let reserved: &[&str] = match named {
        Named::Group { is_top_level: true } => TOP_LEVEL,
        Named::Project
        | Named::Group {
            is_top_level: false,
        } => PROJECT,
    };
    if !is_legal {
        errors.push(text.to_owned());
    } else if reserved.contains(&lower.as_str()) {
        errors.push(format!("{path} is a reserved name"));
    }
    if changed && !has_single_separators(path) {
        errors.push(CHANGED_PATH_FORMAT.to_owned());
    }
    // The model of groups checks in the other order.
    if let Named::Group { .. } = named {
        errors.reverse();
        if length < MIN_GROUP_PATH_LENGTH {
            errors.push(format!(
                "is too short (minimum is {MIN_GROUP_PATH_LENGTH} characters)"
            ));
        }
    }
    errors
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

/// Returns whether a character is a letter, a digit, or in the range that GitLab regards as emoji,
/// which has most other characters too.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || ('\u{a9}'..='\u{1f9ff}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old_path_errors(path: &str, named: Named) -> Vec<String> {
        path_errors(path, named, false)
    }

    #[test]
    fn paths_are_checked_by_kind() {
        let group = Named::Group {
            is_top_level: false,
        };
        assert!(old_path_errors("a.b_c-1", Named::Project).is_empty());
        assert!(old_path_errors("api", Named::Project).is_empty());
        assert_eq!(old_path_errors("ab.", Named::Project), Vec::<String>::new());
        assert_eq!(old_path_errors("ab.", group).len(), 1);
        assert_eq!(old_path_errors("a b", group).len(), 1);
        assert_eq!(old_path_errors("-a", Named::Project).len(), 1);
        assert_eq!(old_path_errors("a.GIT", Named::Project).len(), 1);
        assert_eq!(
            old_path_errors("Admin", Named::Group { is_top_level: true }),
            ["Admin is a reserved name"]
        );
        assert_eq!(
            old_path_errors("tree", Named::Project),
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
    fn illegal_changed_paths_have_two_errors() {
        let group = Named::Group {
            is_top_level: false,
        };
        assert_eq!(
            path_errors("-a", Named::Project, true),
            [PROJECT_PATH_FORMAT, CHANGED_PATH_FORMAT]
        );
        assert_eq!(
            path_errors("-a", group, true),
            [CHANGED_PATH_FORMAT, GROUP_PATH_FORMAT]
        );
        assert_eq!(
            path_errors("a.git", Named::Project, true),
            [PROJECT_PATH_FORMAT]
        );
        assert_eq!(path_errors("_svc", group, true), [CHANGED_PATH_FORMAT]);
        assert!(path_errors("_svc", group, false).is_empty());
    }

    #[test]
    fn names_are_checked_by_kind() {
        let errors = |name: &str, named: Named| {
            let mut invalid = Invalid::default();
            check_name(name, named, &mut invalid);
            invalid.fields().len()
        };
        let group = Named::Group {
            is_top_level: false,
        };
        for name in ["Shop", "_x", "Été – \u{1f680}", "2024"] {
            assert_eq!(errors(name, Named::Project), 0, "{name}");
            assert_eq!(errors(name, group), 0, "{name}");
        }
        for name in ["Bob & Co", "-dash", " x", "a/b", "\u{1fa90}"] {
            assert_eq!(errors(name, Named::Project), 1, "{name}");
            assert_eq!(errors(name, group), 1, "{name}");
        }
        assert_eq!(errors("Shop (EU)", Named::Project), 1);
        assert_eq!(errors("Shop (EU)", group), 0);
        assert_eq!(errors("C++", Named::Project), 0);
        assert_eq!(errors("C++", group), 1);
        assert_eq!(errors("(EU)", group), 1);
    }

    #[test]
    fn invalid_names_become_valid_paths() {
        assert_eq!(path_from_name("My App!"), "my-app");
        assert_eq!(path_from_name("Team.A"), "Team.A");
        assert_eq!(path_from_name("-x"), "x");
    }
}
