//! The emitter (`gopkg.in/yaml.v2` `emitterc.go`).

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::key_order;
use super::scalar::{Position, Style, is_break, is_printable, is_simple_key, style};

/// Scalars are folded at the first space after this column.
const BEST_WIDTH: usize = 80;

/// The indentation of each level.
const INDENT: usize = 2;

/// Renders a value as one document, with a line break at its end.
pub fn write(value: &Value) -> String {
    let mut emitter = Emitter {
        output: String::new(),
        column: 0,
        after_whitespace: true,
        after_indentation: true,
    };
    match value {
        Value::Object(map) if !map.is_empty() => emitter.mapping(map, 0),
        Value::Array(items) if !items.is_empty() => emitter.sequence(items, 0),
        scalar_or_empty => emitter.scalar_or_empty(scalar_or_empty, INDENT),
    }
    emitter.indent(0);
    emitter.output
}

struct Emitter {
    output: String,
    /// Characters since the last line break.
    column: usize,
    /// Whether no space is needed before the next token.
    after_whitespace: bool,
    /// Whether this line has only indentation and item indicators.
    after_indentation: bool,
}

impl Emitter {
    fn mapping(&mut self, map: &Map<String, Value>, indent: usize) {
        for (key, value) in key_order::sort(map.iter()) {
            self.indent(indent);
            if is_simple_key(key) {
                self.text(key, Position::SimpleKey, indent + INDENT);
                self.indicator(":", Spacing::NONE);
            } else {
                self.indicator("?", Spacing::ITEM);
                self.text(key, Position::Value, indent + INDENT);
                self.indent(indent);
                self.indicator(":", Spacing::ITEM);
            }
            match value {
                Value::Array(items) if !items.is_empty() => {
                    let deeper = if self.after_indentation { INDENT } else { 0 };
                    self.sequence(items, indent + deeper);
                }
                value => self.nested(value, indent),
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for item in items {
            self.indent(indent);
            self.indicator("-", Spacing::ITEM);
            self.nested(item, indent);
        }
    }

    /// Writes a value inside a mapping or sequence of the given indentation.
    fn nested(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, indent + INDENT),
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent + INDENT),
            scalar_or_empty => self.scalar_or_empty(scalar_or_empty, indent + INDENT),
        }
    }

    fn scalar_or_empty(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(_) => self.indicator("{}", Spacing::BEFORE),
            Value::Array(_) => self.indicator("[]", Spacing::BEFORE),
            Value::String(text) => self.text(text, Position::Value, indent),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.plain(&value.to_string(), Position::Value, indent);
            }
        }
    }

    fn text(&mut self, text: &str, position: Position, indent: usize) {
        match style(text, position) {
            Style::Plain => self.plain(text, position, indent),
            Style::SingleQuoted => self.single_quoted(text, position, indent),
            Style::DoubleQuoted => self.double_quoted(text, position, indent),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn plain(&mut self, text: &str, position: Position, indent: usize) {
        if !self.after_whitespace {
            self.put(' ');
        }
        self.folded(text, position, indent, Self::put);
        self.after_whitespace = false;
        self.after_indentation = false;
    }

    fn single_quoted(&mut self, text: &str, position: Position, indent: usize) {
        self.indicator("'", Spacing::BEFORE);
        self.folded(text, position, indent, |emitter, char| {
            if char == '\'' {
                emitter.put('\'');
            }
            emitter.put(char);
        });
        self.indicator("'", Spacing::NONE);
    }

    /// Writes a string without line breaks, folded at single spaces.
    fn folded(
        &mut self,
        text: &str,
        position: Position,
        indent: usize,
        mut put: impl FnMut(&mut Self, char),
    ) {
        let mut previous = None;
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            let lone_space = char == ' '
                && !matches!(previous, None | Some(' '))
                && rest.clone().next().is_some_and(|next| next != ' ');
            if lone_space && position == Position::Value && self.column > BEST_WIDTH {
                self.indent(indent);
            } else {
                put(self, char);
                self.after_indentation &= char == ' ';
            }
            previous = Some(char);
        }
    }

    fn double_quoted(&mut self, text: &str, position: Position, indent: usize) {
        self.indicator("\"", Spacing::BEFORE);
        let mut previous = None;
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            let next = rest.clone().next();
            if !is_printable(char) || is_break(char) || matches!(char, '"' | '\\') {
                self.escaped(char);
            } else if char == ' '
                && position == Position::Value
                && self.column > BEST_WIDTH
                && !matches!(previous, None | Some(' '))
                && next.is_some()
            {
                self.indent(indent);
                if next == Some(' ') {
                    self.put('\\');
                }
            } else {
                self.put(char);
            }
            previous = Some(char);
        }
        self.indicator("\"", Spacing::NONE);
    }

    fn escaped(&mut self, char: char) {
        self.put('\\');
        match char {
            '\0' => self.put('0'),
            '\u{7}' => self.put('a'),
            '\u{8}' => self.put('b'),
            '\t' => self.put('t'),
            '\n' => self.put('n'),
            '\u{b}' => self.put('v'),
            '\u{c}' => self.put('f'),
            '\r' => self.put('r'),
            '\u{1b}' => self.put('e'),
            '"' | '\\' => self.put(char),
            '\u{85}' => self.put('N'),
            '\u{2028}' => self.put('L'),
            '\u{2029}' => self.put('P'),
            char => {
                let code = u32::from(char);
                let digits = match code {
                    0..=0xff => format!("x{code:02X}"),
                    0x100..=0xffff => format!("u{code:04X}"),
                    _ => format!("U{code:08X}"),
                };
                digits.chars().for_each(|digit| self.put(digit));
            }
        }
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", Spacing::BEFORE);
        if text.starts_with([' ', '\n']) {
            self.put_number(INDENT);
        }
        match text.strip_suffix('\n') {
            None => self.put('-'),
            Some(rest) if rest.is_empty() || rest.ends_with('\n') => self.put('+'),
            Some(_) => {}
        }
        self.put('\n');
        self.after_whitespace = true;
        self.after_indentation = true;
        let mut at_line_start = true;
        for char in text.chars() {
            if char == '\n' {
                self.put('\n');
            } else {
                if at_line_start {
                    self.indent(indent);
                }
                self.put(char);
            }
            at_line_start = char == '\n';
            self.after_indentation = at_line_start;
        }
    }

    fn indicator(&mut self, text: &str, spacing: Spacing) {
        if spacing.before && !self.after_whitespace {
            self.put(' ');
        }
        text.chars().for_each(|char| self.put(char));
        self.after_whitespace = false;
        self.after_indentation &= spacing.keeps_indentation;
    }

    /// Moves to a column, on a new line if the current one has content.
    fn indent(&mut self, indent: usize) {
        let used = !self.after_indentation
            || self.column > indent
            || (self.column == indent && !self.after_whitespace);
        if used {
            self.put('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.after_whitespace = true;
        self.after_indentation = true;
    }

    fn put(&mut self, char: char) {
        self.output.push(char);
        self.column = if char == '\n' { 0 } else { self.column + 1 };
    }

    fn put_number(&mut self, number: usize) {
        let start = self.output.len();
        // Writing to a `String` never fails.
        let _ = write!(self.output, "{number}");
        self.column += self.output.len() - start;
    }
}

/// The whitespace around an indicator.
#[derive(Clone, Copy)]
struct Spacing {
    before: bool,
    keeps_indentation: bool,
}

impl Spacing {
    const NONE: Self = Self {
        before: false,
        keeps_indentation: false,
    };
    const BEFORE: Self = Self {
        before: true,
        keeps_indentation: false,
    };
    /// An item indicator, after which a nested collection may start on the same line.
    const ITEM: Self = Self {
        before: true,
        keeps_indentation: true,
    };
}
