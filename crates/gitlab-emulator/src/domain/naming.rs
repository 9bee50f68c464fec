//! Which names and paths groups and projects may have (GitLab `lib/gitlab/path_regex.rb`, `lib/gitlab/regex.rb`).

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

const LONGEST: usize = 255;
const SHORTEST_GROUP: usize = 2;

/// Whose name or path is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A project.
    Project,
    /// A group; only top-level ones meet the names of GitLab's own pages.
    Group {
        /// Whether it has no parent.
        is_top_level: bool,
    },
}

/// Adds what is wrong with a path.
pub fn check_path(path: &str, named: Named, invalid: &mut Invalid) {
    if path.is_empty() {
        invalid.add("path", "can't be blank");
        return;
    }
    if path.chars().count() > LONGEST {
        invalid.add(
            "path",
            format!("is too long (maximum is {LONGEST} characters)"),
        );
    }
    if !matches!(named, Named::Project) && path.chars().count() < SHORTEST_GROUP {
        invalid.add(
            "path",
            format!("is too short (minimum is {SHORTEST_GROUP} characters)"),
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

/// Adds what is wrong with a name.
pub fn check_name(name: &str, named: Named, invalid: &mut Invalid) {
    if name.trim().is_empty() {
        invalid.add("name", "can't be blank");
        return;
    }
    if name.chars().count() > LONGEST {
        invalid.add(
            "name",
            format!("is too long (maximum is {LONGEST} characters)"),
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
    let starts_well = name
        .chars()
        .next()
        .is_some_and(|first| is_word(first) || first == '_');
    let is_legal = name
        .chars()
        .all(|character| is_word(character) || extra.contains(&character));
    if !starts_well || !is_legal {
        invalid.add("name", text);
    }
}

/// Makes a path from a name, as a project does that is created without one.
pub fn path_from_name(name: &str) -> String {
    if !name.is_empty() && name.chars().all(is_path_character) && !name.starts_with('-') {
        return name.to_owned();
    }
    parameterize(name)
}

/// As Rails' `parameterize`: lower case, every run of other characters one dash.
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
    // Emoji are beyond the basic plane, or are dingbats and symbols below it.
    character.is_alphanumeric()
        || matches!(u32::from(character), 0x1F000..=0x1FAFF | 0x2600..=0x27BF | 0xFE0F | 0x200D)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_errors(path: &str, named: Named) -> Vec<String> {
        let mut invalid = Invalid::default();
        check_path(path, named, &mut invalid);
        invalid
            .fields()
            .iter()
            .flat_map(|(_, messages)| messages.clone())
            .collect()
    }

    #[test]
    fn paths_follow_the_rules_of_their_kind() {
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
    fn illegal_names_become_legal_paths() {
        assert_eq!(path_from_name("My App!"), "my-app");
        assert_eq!(path_from_name("Team.A"), "Team.A");
        assert_eq!(path_from_name("-x"), "x");
    }
}
