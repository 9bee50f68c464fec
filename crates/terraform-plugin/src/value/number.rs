//! Numbers of any size, compared by their decimal digits as Terraform does.

use std::fmt::{self, Display, Formatter, Write as _};
use std::str::FromStr;

/// The largest number of digits: far above Terraform's 512-bit precision.
const LONGEST_EXPANSION: usize = 4096;

/// A decimal number without loss of precision: `0.1`, 2^63 and a 150-digit integer survive a round trip.
///
/// Equality is numeric, so `1.50` equals `1.5`. The order is total and numeric.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    /// The significant digits without leading and trailing zeros; empty for zero.
    digits: String,
    /// The power of ten of the last digit.
    exponent: i64,
}

/// A string is not a decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a decimal number")]
pub struct NumberError {
    /// The string, truncated.
    pub text: String,
}

impl Number {
    fn new(negative: bool, digits: &str, exponent: i64) -> Self {
        let trimmed = digits.trim_end_matches('0');
        // A string of decimal digits is far shorter than i64::MAX bytes.
        let dropped = i64::try_from(digits.len() - trimmed.len()).unwrap_or_default();
        let digits = trimmed.trim_start_matches('0');
        if digits.is_empty() {
            return Self {
                negative: false,
                digits: String::new(),
                exponent: 0,
            };
        }
        Self {
            negative,
            digits: digits.to_owned(),
            exponent: exponent + dropped,
        }
    }

    /// Returns the number as a signed integer if it is whole and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.is_whole().then(|| self.to_string().parse().ok())?
    }

    /// Returns the number as an unsigned integer if it is whole and fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.is_whole().then(|| self.to_string().parse().ok())?
    }

    /// Returns the nearest floating-point number.
    pub fn as_f64(&self) -> f64 {
        self.scientific().parse().unwrap_or(f64::NAN)
    }

    /// Returns `true` if the number has no fraction.
    pub fn is_whole(&self) -> bool {
        self.exponent >= 0
    }

    fn scientific(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let digits = if self.digits.is_empty() {
            "0"
        } else {
            &self.digits
        };
        format!("{sign}{digits}e{}", self.exponent)
    }

    /// Returns the power of ten of the first digit.
    fn magnitude(&self) -> i64 {
        self.exponent + i64::try_from(self.digits.len()).unwrap_or(i64::MAX)
    }
}

impl Display for Number {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return formatter.write_char('0');
        }
        if self.negative {
            formatter.write_char('-')?;
        }
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        if self.exponent >= 0 {
            formatter.write_str(&self.digits)?;
            (0..self.exponent).try_for_each(|_| formatter.write_char('0'))
        } else if -self.exponent < length {
            let point = usize::try_from(length + self.exponent).unwrap_or_default();
            let (whole, fraction) = self.digits.split_at(point);
            write!(formatter, "{whole}.{fraction}")
        } else {
            formatter.write_str("0.")?;
            (length..-self.exponent).try_for_each(|_| formatter.write_char('0'))?;
            formatter.write_str(&self.digits)
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, formatter)
    }
}

impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let error = || NumberError {
            text: text.chars().take(40).collect(),
        };
        let (mantissa, power) = match text.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i64>().map_err(|_| error())?),
            None => (text, 0),
        };
        let (negative, unsigned) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        let exponent = i64::try_from(fraction.len())
            .ok()
            .and_then(|length| power.checked_sub(length))
            .ok_or_else(error)?;
        let longest = usize::try_from(exponent.unsigned_abs())
            .ok()
            .and_then(|zeros| zeros.checked_add(digits.len()))
            .ok_or_else(error)?;
        if longest > LONGEST_EXPANSION {
            return Err(error());
        }
        Ok(Self::new(negative, &digits, exponent))
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::new(number < 0, &number.unsigned_abs().to_string(), 0)
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::new(false, &number.to_string(), 0)
    }
}

impl TryFrom<f64> for Number {
    type Error = NumberError;

    /// Returns the exact decimal expansion. Infinities and NaN are errors.
    fn try_from(number: f64) -> Result<Self, NumberError> {
        if !number.is_finite() {
            return Err(NumberError {
                text: number.to_string(),
            });
        }
        // The smallest positive f64 has 1074 fraction digits.
        format!("{number:.1074}").parse()
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            let size = self
                .magnitude()
                .cmp(&other.magnitude())
                .then_with(|| self.digits.cmp(&other.digits));
            if self.negative { size.reverse() } else { size }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_displayed_without_exponent() {
        for (text, shown) in [
            ("1e3", "1000"),
            ("-0.00", "0"),
            ("0.10", "0.1"),
            ("-12.50", "-12.5"),
            ("5e-3", "0.005"),
            ("9223372036854775808", "9223372036854775808"),
            ("1e30", "1000000000000000000000000000000"),
        ] {
            assert_eq!(number(text).to_string(), shown);
        }
    }

    #[test]
    fn malformed_numbers_are_errors() {
        for text in [
            "",
            "-",
            ".",
            "1e",
            "0x10",
            "NaN",
            "inf",
            "1 2",
            "1e9223372036854775807",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_number_round_trip(negative: bool, digits in "[0-9]{1,150}", power in -80i64..80) {
            let sign = if negative { "-" } else { "" };
            let parsed = number(&format!("{sign}{digits}e{power}"));
            prop_assert_eq!(number(&parsed.to_string()), parsed);
        }

        #[test]
        fn order_agrees_with_integers(a: i64, b: i64) {
            prop_assert_eq!(Number::from(a).cmp(&Number::from(b)), a.cmp(&b));
            prop_assert_eq!(Number::from(a).as_i64(), Some(a));
        }

        #[test]
        fn order_agrees_with_floats(a in -1e9f64..1e9, b in -1e9f64..1e9) {
            let (x, y) = (Number::try_from(a).unwrap(), Number::try_from(b).unwrap());
            prop_assert_eq!(x.cmp(&y), a.partial_cmp(&b).unwrap());
            prop_assert_eq!(x.as_f64().total_cmp(&(a + 0.0)), std::cmp::Ordering::Equal);
        }
    }
}
