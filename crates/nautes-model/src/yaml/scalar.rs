//! Selects the style of a scalar (`gopkg.in/yaml.v2`: `stringv` of `encode.go`,
//! `yaml_emitter_analyze_scalar` and `yaml_emitter_select_scalar_style` of `emitterc.go`).

use super::resolve;

/// The style of a scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// Where a scalar occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// A key with its colon on the same line.
    SimpleKey,
    /// Anything else.
    Value,
}

/// The maximum length, in bytes, of a key with its colon on the same line.
const SIMPLE_KEY_LENGTH: usize = 128;

/// Returns whether a key may have its colon on the same line.
pub(super) fn is_simple_key(text: &str) -> bool {
    text.len() <= SIMPLE_KEY_LENGTH && !text.contains(is_break)
}

/// Selects the style of a string.
pub(super) fn style(text: &str, position: Position) -> Style {
    let analysis = Analysis::new(text);
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if resolve::is_string(text) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    };
    match wanted {
        Style::Plain if analysis.plain_allowed => Style::Plain,
        Style::Plain if analysis.single_quoted_allowed => Style::SingleQuoted,
        Style::Literal if analysis.literal_allowed && position == Position::Value => Style::Literal,
        _ => Style::DoubleQuoted,
    }
}

/// The styles that preserve a string.
struct Analysis {
    plain_allowed: bool,
    single_quoted_allowed: bool,
    literal_allowed: bool,
}

impl Analysis {
    fn new(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                plain_allowed: true,
                single_quoted_allowed: true,
                literal_allowed: false,
            };
        }
        let space_or_break = |char: char| char == ' ' || is_break(char);
        let outer_whitespace = text.starts_with(space_or_break) || text.ends_with(space_or_break);
        let trailing_space = text.ends_with(' ');
        let pairs = || text.chars().zip(text.chars().skip(1));
        let break_then_space = pairs().any(|(left, right)| is_break(left) && right == ' ');
        let space_then_break = pairs().any(|(left, right)| left == ' ' && is_break(right));
        let special = !text.chars().all(is_printable);
        Self {
            plain_allowed: !outer_whitespace
                && !break_then_space
                && !space_then_break
                && !special
                && !text.contains(is_break)
                && !has_indicator(text),
            single_quoted_allowed: !break_then_space && !space_then_break && !special,
            literal_allowed: !trailing_space && !space_then_break && !special,
        }
    }
}

/// Returns whether unquoted text would have a character with a meaning of its own.
fn has_indicator(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let mut previous = None;
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        let before_blank = rest
            .clone()
            .next()
            .is_none_or(|next| matches!(next, ' ' | '\t'));
        let indicates = match (previous, char) {
            (
                None,
                '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                | '@' | '`',
            ) => true,
            (None, '?' | '-') | (_, ':') => before_blank,
            (Some(previous), '#') => matches!(previous, ' ' | '\t') || is_break(previous),
            _ => false,
        };
        if indicates {
            return true;
        }
        previous = Some(char);
    }
    false
}

/// Returns whether a character is a line break in YAML 1.1.
pub(super) fn is_break(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns whether a character may be written unescaped.
///
/// The Go library writes line separators unescaped, but parsers of YAML 1.2 do not read them as
/// line breaks, so they are escaped here.
pub(super) fn is_printable(char: char) -> bool {
    matches!(char,
        '\n' | '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && !matches!(char, '\u{feff}' | '\u{2028}' | '\u{2029}')
}
