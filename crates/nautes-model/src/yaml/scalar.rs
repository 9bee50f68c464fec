//! In which style a text is written (`gopkg.in/yaml.v2`: `stringv` of `encode.go`,
//! `yaml_emitter_analyze_scalar` and `yaml_emitter_select_scalar_style` of `emitterc.go`).

use super::resolve;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A key that is followed by a colon on its own line.
    SimpleKey,
    /// Anything else.
    Value,
}

/// The longest key, in bytes, that is written on one line with its colon.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Tells whether a key may be followed by a colon on its own line.
pub(super) fn is_simple_key(text: &str) -> bool {
    text.len() <= LONGEST_SIMPLE_KEY && !text.contains(is_break)
}

/// Selects the style.
pub(super) fn style(text: &str, place: Place) -> Style {
    let analysis = Analysis::of(text);
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
        Style::Literal if analysis.literal_allowed && place == Place::Value => Style::Literal,
        _ => Style::DoubleQuoted,
    }
}

/// Which styles would keep a text what it is.
struct Analysis {
    plain_allowed: bool,
    single_quoted_allowed: bool,
    literal_allowed: bool,
}

impl Analysis {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self {
                plain_allowed: true,
                single_quoted_allowed: true,
                literal_allowed: false,
            };
        }
        let outer = |char: char| char == ' ' || is_break(char);
        let ragged = text.starts_with(outer) || text.ends_with(outer);
        let trailing_space = text.ends_with(' ');
        let pairs = || text.chars().zip(text.chars().skip(1));
        let break_then_space = pairs().any(|(left, right)| is_break(left) && right == ' ');
        let space_then_break = pairs().any(|(left, right)| left == ' ' && is_break(right));
        let special = !text.chars().all(is_printable);
        Self {
            plain_allowed: !ragged
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

/// Tells whether a character of the text would mean something if the text were unquoted.
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

/// Tells whether a character ends a line, in YAML 1.1.
pub(super) fn is_break(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Tells whether a character may be written as it is.
///
/// The Go library takes the line separators for printable, but readers of YAML 1.2 do not take
/// them for line breaks; so they are escaped here.
pub(super) fn is_printable(char: char) -> bool {
    matches!(char,
        '\n' | '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && !matches!(char, '\u{feff}' | '\u{2028}' | '\u{2029}')
}
