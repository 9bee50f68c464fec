//! The emitter (`gopkg.in/yaml.v2` `emitterc.go`), for the shapes that manifests have.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::key_order;
use super::scalar::{Place, Style, is_break, is_printable, is_simple_key, style};

/// Texts are folded at the first space behind this column.
const BEST_WIDTH: usize = 80;

/// How much deeper each level lies.
const INDENT: usize = 2;

/// Writes a value as one document that ends with a line break.
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
    /// Whether the last thing written needs no space behind it.
    after_whitespace: bool,
    /// Whether there is only indentation, and marks of items, on this line.
    after_indentation: bool,
}

impl Emitter {
    fn mapping(&mut self, map: &Map<String, Value>, indent: usize) {
        for (key, value) in key_order::sort(map.iter()) {
            self.indent(indent);
            if is_simple_key(key) {
                self.text(key, Place::SimpleKey, indent + INDENT);
                self.indicator(":", Spacing::NONE);
            } else {
                self.indicator("?", Spacing::ITEM);
                self.text(key, Place::Value, indent + INDENT);
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

    /// Writes what lies within a mapping or a sequence of the given indentation.
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
            Value::String(text) => self.text(text, Place::Value, indent),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.plain(&value.to_string(), Place::Value, indent);
            }
        }
    }

    fn text(&mut self, text: &str, place: Place, indent: usize) {
        match style(text, place) {
            Style::Plain => self.plain(text, place, indent),
            Style::SingleQuoted => self.single_quoted(text, place, indent),
            Style::DoubleQuoted => self.double_quoted(text, place, indent),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn plain(&mut self, text: &str, place: Place, indent: usize) {
        if !self.after_whitespace {
            self.put(' ');
        }
        self.folded(text, place, indent, Self::put);
        self.after_whitespace = false;
        self.after_indentation = false;
    }

    fn single_quoted(&mut self, text: &str, place: Place, indent: usize) {
        self.indicator("'", Spacing::BEFORE);
        self.folded(text, place, indent, |emitter, char| {
            if char == '\'' {
                emitter.put('\'');
            }
            emitter.put(char);
        });
        self.indicator("'", Spacing::NONE);
    }

    /// Writes a text without line breaks, folding it at single spaces.
    fn folded(
        &mut self,
        text: &str,
        place: Place,
        indent: usize,
        mut put: impl FnMut(&mut Self, char),
    ) {
        let mut previous = None;
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            let lone_space = char == ' '
                && !matches!(previous, None | Some(' '))
                && rest.clone().next().is_some_and(|next| next != ' ');
            if lone_space && place == Place::Value && self.column > BEST_WIDTH {
                self.indent(indent);
            } else {
                put(self, char);
                self.after_indentation &= char == ' ';
            }
            previous = Some(char);
        }
    }

    fn double_quoted(&mut self, text: &str, place: Place, indent: usize) {
        self.indicator("\"", Spacing::BEFORE);
        let mut previous = None;
        let mut rest = text.chars();
        while let Some(char) = rest.next() {
            let next = rest.clone().next();
            if !is_printable(char) || is_break(char) || matches!(char, '"' | '\\') {
                self.escaped(char);
            } else if char == ' '
                && place == Place::Value
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

    /// Writes a mark.
    fn indicator(&mut self, mark: &str, spacing: Spacing) {
        if spacing.before && !self.after_whitespace {
            self.put(' ');
        }
        mark.chars().for_each(|char| self.put(char));
        self.after_whitespace = false;
        self.after_indentation &= spacing.keeps_indentation;
    }

    /// Goes to a column, on a new line if this one has content.
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

/// What surrounds a mark.
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
    /// The mark of an item, behind which a nested collection may begin on the same line.
    const ITEM: Self = Self {
        before: true,
        keeps_indentation: true,
    };
}
