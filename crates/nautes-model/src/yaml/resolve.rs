//! The type that a parser resolves an unquoted scalar to.

/// Returns whether `gopkg.in/yaml.v2` reads an unquoted scalar as a string (`resolve.go`) and
/// writes that string unquoted (`encode.go`, which also quotes the base-60 numbers of YAML 1.1).
pub(super) fn is_string(text: &str) -> bool {
    let Some(first) = text.bytes().next() else {
        return false;
    };
    if is_reserved_word(text) {
        return false;
    }
    match first {
        b'.' => !(underscores_separate_digits(text) && is_float(&without_underscores(text))),
        b'+' | b'-' | b'0'..=b'9' => {
            let digits = without_underscores(text);
            !(is_timestamp(text)
                || is_integer(&digits)
                || is_float(&digits)
                || is_base_60_number(text))
        }
        _ => true,
    }
}

fn is_reserved_word(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "true"
            | "True"
            | "TRUE"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "false"
            | "False"
            | "FALSE"
            | "off"
            | "Off"
            | "OFF"
            | "~"
            | "null"
            | "Null"
            | "NULL"
            | ".nan"
            | ".NaN"
            | ".NAN"
            | ".inf"
            | ".Inf"
            | ".INF"
            | "+.inf"
            | "+.Inf"
            | "+.INF"
            | "-.inf"
            | "-.Inf"
            | "-.INF"
    )
}

/// Returns whether Go's `strconv.ParseInt` or `ParseUint` accepts the text, with base 0 and
/// underscores removed.
fn is_integer(text: &str) -> bool {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..)),
        Some(b'+') => (false, text.get(1..)),
        _ => (false, Some(text)),
    };
    let Some(unsigned) = unsigned else {
        return false;
    };
    let signed = unsigned.len() != text.len();
    let radix = match unsigned.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => 0,
    };
    let (digits, radix) = match (radix, unsigned.strip_prefix('0')) {
        (0, Some(octal)) if !octal.is_empty() => (octal, 8),
        (0, _) => (unsigned, 10),
        (radix, _) => (unsigned.get(2..).unwrap_or_default(), radix),
    };
    if let Some(signed_digits) = digits.strip_prefix(['+', '-']) {
        // The library parses binary numbers itself and accepts a sign here; Go does not.
        return unsigned.starts_with("0b")
            && !signed
            && !signed_digits.starts_with(['+', '-'])
            && i64::from_str_radix(digits, 2).is_ok();
    }
    match u64::from_str_radix(digits, radix) {
        Ok(number) if negative => number <= i64::MIN.unsigned_abs(),
        Ok(number) if signed => number <= i64::MAX.unsigned_abs(),
        Ok(_) => true,
        Err(_) => false,
    }
}

/// Returns whether the text is a decimal floating-point number.
///
/// Numbers too large for 64 bits count as well: the Go library reads them as strings, but other
/// parsers do not.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_is_number = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    exponent_is_number
        && all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
}

fn without_underscores(text: &str) -> String {
    text.chars().filter(|char| *char != '_').collect()
}

/// Returns whether Go's `strconv.ParseFloat` accepts the underscores: only between digits.
fn underscores_separate_digits(text: &str) -> bool {
    let mut parts = text.split('_').peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let starts = first || part.starts_with(|char: char| char.is_ascii_digit());
        let ends = parts.peek().is_none() || part.ends_with(|char: char| char.is_ascii_digit());
        if !(starts && ends) {
            return false;
        }
        first = false;
    }
    true
}

/// Returns whether the text matches `^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$`.
fn is_base_60_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits_or_underscores = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    first.starts_with(|char: char| char.is_ascii_digit())
        && digits_or_underscores(first)
        && digits_or_underscores(fraction)
        && !rest.is_empty()
        && rest.iter().all(|part| match part.as_bytes() {
            [digit] | [b'0'..=b'5', digit] => digit.is_ascii_digit(),
            _ => false,
        })
}

/// Returns whether the text is a date, alone or with a time, in one of the four layouts of the Go
/// library.
fn is_timestamp(text: &str) -> bool {
    let Some((date, time)) = split_date(text) else {
        return false;
    };
    let mut parts = date.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (
        number(year, 4..=4),
        number(month, 1..=2),
        number(day, 1..=2),
    ) else {
        return false;
    };
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
        && match time {
            None => true,
            Some((' ', time)) => is_time(time),
            Some((_, time)) => split_zone(time).is_some_and(is_time),
        }
}

fn split_date(text: &str) -> Option<(&str, Option<(char, &str)>)> {
    match text.find(['T', 't', ' ']) {
        None => Some((text, None)),
        Some(at) => {
            let (date, rest) = text.split_at_checked(at)?;
            let separator = rest.chars().next()?;
            Some((date, Some((separator, rest.get(1..)?))))
        }
    }
}

/// Strips `Z` or `+hh:mm` from the end of a time.
fn split_zone(time: &str) -> Option<&str> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some(time);
    }
    let (time, zone) = time.split_at_checked(time.len().checked_sub(6)?)?;
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let in_range = number(hours, 2..=2)? <= 24 && number(minutes, 2..=2)? <= 60;
    in_range.then_some(time)
}

/// Returns whether the text is `h:m:s`, each with one or two digits, and an optional fraction.
fn is_time(time: &str) -> bool {
    let (clock, fraction) = match time.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (time, None),
    };
    let mut parts = clock.split(':');
    let (Some(hour), Some(minute), Some(second), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    number(hour, 1..=2).is_some_and(|hour| hour < 24)
        && number(minute, 1..=2).is_some_and(|minute| minute < 60)
        && number(second, 1..=2).is_some_and(|second| second < 60)
        && fraction.is_none_or(|fraction| !fraction.is_empty() && all_digits(fraction))
}

fn number(digits: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    (lengths.contains(&digits.len()) && all_digits(digits))
        .then(|| digits.parse().ok())
        .flatten()
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}
