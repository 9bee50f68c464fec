//! The order of keys in a mapping (`gopkg.in/yaml.v2` `sorter.go`): letters after everything
//! else, runs of digits by their numeric value.
//!
//! That order has cycles: `2` < `10` < `1a` < `2`. For such keys the Go library's output varies
//! from run to run. [`sort`] is deterministic.

use std::cmp::Ordering;

/// Sorts distinct keys.
///
/// Uses an insertion sort, because the standard library's sort may panic on an order with cycles.
pub(super) fn sort<'a, T>(entries: impl Iterator<Item = (&'a String, T)>) -> Vec<(&'a String, T)> {
    let mut by_bytes: Vec<(&String, T)> = entries.collect();
    by_bytes.sort_by_key(|(key, _)| *key);
    let mut sorted: Vec<(&String, T)> = Vec::with_capacity(by_bytes.len());
    for (key, value) in by_bytes {
        let position = sorted
            .iter()
            .rposition(|(other, _)| compare(other, key) != Ordering::Greater)
            .map_or(0, |last| last + 1);
        sorted.insert(position, (key, value));
    }
    sorted
}

/// Compares two keys.
fn compare(left: &str, right: &str) -> Ordering {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(start) = left
        .iter()
        .zip(&right)
        .position(|(left, right)| left != right)
    else {
        return left.len().cmp(&right.len());
    };
    let (common, left) = left.split_at(start);
    let (_, right) = right.split_at(start);
    let (Some(&left_char), Some(&right_char)) = (left.first(), right.first()) else {
        return left.len().cmp(&right.len());
    };
    match (left_char.is_alphabetic(), right_char.is_alphabetic()) {
        (true, true) => left_char.cmp(&right_char),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            let inside_number = (left_char == '0' || right_char == '0')
                && common
                    .iter()
                    .rev()
                    .take_while(|char| is_digit(**char))
                    .any(|char| *char != '0');
            let seed = u8::from(inside_number);
            let (left_number, left_digits) = leading_number(left, seed);
            let (right_number, right_digits) = leading_number(right, seed);
            left_number
                .cmp(&right_number)
                .then(left_digits.cmp(&right_digits))
                .then(left_char.cmp(&right_char))
        }
    }
}

/// Parses the leading digits as a number that wraps like Go's `int64`, and counts them.
fn leading_number(text: &[char], seed: u8) -> (i64, usize) {
    text.iter().take_while(|char| is_digit(**char)).fold(
        (i64::from(seed), 0),
        |(number, count), char| {
            let digit = i64::from(u32::from(*char)) - i64::from(u32::from('0'));
            (number.wrapping_mul(10).wrapping_add(digit), count + 1)
        },
    )
}

/// Go's `unicode.IsDigit`, limited to the digits that occur in names and keys.
fn is_digit(char: char) -> bool {
    char.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_compared_as_numbers() {
        assert_eq!(compare("a2", "a10"), Ordering::Less);
        assert_eq!(compare("a10", "a10"), Ordering::Equal);
        assert_eq!(compare("a1", "a01"), Ordering::Less);
    }

    #[test]
    fn keys_in_a_cycle_are_sorted_deterministically() {
        let keys = ["2", "10", "1a"].map(str::to_owned);
        let sort = |keys: Vec<&String>| -> Vec<String> {
            sort(keys.into_iter().map(|key| (key, ())))
                .into_iter()
                .map(|(key, ())| key.clone())
                .collect()
        };
        let sorted = sort(keys.iter().collect());
        assert_eq!(sorted.len(), 3);
        assert_eq!(sort(keys.iter().rev().collect()), sorted);
    }

    #[test]
    fn letters_come_last() {
        assert_eq!(compare("a-b", "ab"), Ordering::Less);
        assert_eq!(compare("B", "a"), Ordering::Less);
        assert_eq!(compare("ab", "a_b"), Ordering::Greater);
    }
}
