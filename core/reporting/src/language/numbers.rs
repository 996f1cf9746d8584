//! How figures are written. What is not a finite number is written as [`NOT_MEASURED`], never as `NaN`.

use crate::model::Language;

/// Stands where there is no figure.
pub const NOT_MEASURED: &str = "–";

/// Keeps a number together with its groups and its unit.
const NO_BREAK_SPACE: char = '\u{a0}';
/// From here on digits say nothing more: such a figure is a fault of its source and is written with a power of ten.
const HUGE: f64 = 1e15;

/// A number with so many decimals: `1,234.5`, `1 234,5`.
#[must_use]
pub fn decimal(language: Language, value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NOT_MEASURED.to_owned();
    }
    if value.abs() >= HUGE {
        return with_power(language, value);
    }
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let negative = value < 0.0 && digits.bytes().any(|digit| (b'1'..=b'9').contains(&digit));
    let mut text = String::with_capacity(digits.len() + 8);
    if negative {
        text.push('\u{2212}');
    }
    push_grouped(language, whole, &mut text);
    if !fraction.is_empty() {
        text.push(decimal_mark(language));
        text.push_str(fraction);
    }
    text
}

/// A count: `1,234`, `1 234`.
#[must_use]
pub fn integer(language: Language, value: u64) -> String {
    let mut text = String::new();
    push_grouped(language, &value.to_string(), &mut text);
    text
}

/// An index from 0 to 1, to two decimals.
#[must_use]
pub fn index(language: Language, value: f64) -> String {
    decimal(language, value, 2)
}

/// A value in percent, with so many decimals: `12.5%`, `12,5 %`.
#[must_use]
pub fn percent(language: Language, value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NOT_MEASURED.to_owned();
    }
    with_percent_sign(language, &decimal(language, value, decimals))
}

/// A share of area in percent, where small ones matter: two decimals below 1 %, one above, and what is there but too
/// small to write is `< 0.01%`, never 0.
#[must_use]
pub fn share(language: Language, value: f64) -> String {
    if value > 0.0 && value < 0.005 {
        return format!("<{NO_BREAK_SPACE}{}", percent(language, 0.01, 2));
    }
    let decimals = match value {
        v if v <= 0.0 => 0,
        v if v < 0.995 => 2,
        _ => 1,
    };
    percent(language, value, decimals)
}

/// A covered share in percent, where what is missing matters: only full coverage is written as 100 %.
#[must_use]
pub fn share_covered(language: Language, value: f64) -> String {
    if value == 100.0 {
        return percent(language, value, 0);
    }
    if value > 99.995 && value < 100.0 {
        return format!(">{NO_BREAK_SPACE}{}", percent(language, 99.99, 2));
    }
    percent(language, value, if value >= 99.0 { 2 } else { 1 })
}

/// The same in a column, where each has the decimals of the next: `98.90%`, `100.00%`.
#[must_use]
pub fn share_covered_in_column(language: Language, value: f64) -> String {
    if value > 99.995 && value < 100.0 {
        return share_covered(language, value);
    }
    percent(language, value, 2)
}

/// A share of area in a column whose heading says percent: `1.20`, `< 0.01`.
#[must_use]
pub fn share_in_column(language: Language, value: f64) -> String {
    if value > 0.0 && value < 0.005 {
        return format!("<{NO_BREAK_SPACE}{}", decimal(language, 0.01, 2));
    }
    decimal(language, value, 2)
}

/// A size in bytes, in powers of 1000: `831 kB`, `1.2 MB`.
#[must_use]
pub fn bytes(language: Language, value: u64) -> String {
    let value = value as f64;
    let (unit, size) = match value {
        v if v < 1e3 => ("B", 1.0),
        v if v < 999_500.0 => ("kB", 1e3),
        v if v < 999_950_000.0 => ("MB", 1e6),
        _ => ("GB", 1e9),
    };
    let decimals = usize::from(size >= 1e6);
    format!("{}{NO_BREAK_SPACE}{unit}", decimal(language, value / size, decimals))
}

fn with_percent_sign(language: Language, number: &str) -> String {
    match language {
        Language::En => format!("{number}%"),
        Language::No => format!("{number}{NO_BREAK_SPACE}%"),
    }
}

fn decimal_mark(language: Language) -> char {
    match language {
        Language::En => '.',
        Language::No => ',',
    }
}

/// Writes digits in groups of three.
fn push_grouped(language: Language, digits: &str, text: &mut String) {
    let mark = match language {
        Language::En => ',',
        Language::No => NO_BREAK_SPACE,
    };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
}

/// `1.50 × 10³⁰⁰`.
fn with_power(language: Language, value: f64) -> String {
    let scientific = format!("{value:.2e}");
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let mantissa = mantissa.replace('.', &decimal_mark(language).to_string()).replace('-', "\u{2212}");
    let power: String = power.chars().map(raised).collect();
    format!("{mantissa}{NO_BREAK_SPACE}×{NO_BREAK_SPACE}10{power}")
}

fn raised(digit: char) -> char {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    digit.to_digit(10).and_then(|digit| RAISED.get(digit as usize)).copied().unwrap_or(digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{En, No};

    #[test]
    fn numbers_are_written_as_the_language_does() {
        for (value, decimals, english, norwegian) in [
            (0.0, 0, "0", "0"),
            (-0.0, 1, "0.0", "0,0"),
            (-0.04, 1, "0.0", "0,0"),
            (-1.25, 1, "−1.2", "−1,2"),
            (999.96, 1, "1,000.0", "1\u{a0}000,0"),
            (1234.5, 1, "1,234.5", "1\u{a0}234,5"),
            (-1_234_567.0, 0, "−1,234,567", "−1\u{a0}234\u{a0}567"),
            (123.0, 0, "123", "123"),
            (1e300, 2, "1.00\u{a0}×\u{a0}10³⁰⁰", "1,00\u{a0}×\u{a0}10³⁰⁰"),
            (f64::NAN, 2, "–", "–"),
            (f64::INFINITY, 0, "–", "–"),
            (f64::NEG_INFINITY, 0, "–", "–"),
        ] {
            assert_eq!(decimal(En, value, decimals), english);
            assert_eq!(decimal(No, value, decimals), norwegian);
        }
        assert_eq!(integer(En, u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(integer(No, 12), "12");
        assert_eq!(index(No, 0.876), "0,88");
    }

    #[test]
    fn shares_never_round_to_nothing_or_to_all() {
        for (value, english) in [
            (0.0, "0%"),
            (0.0001, "<\u{a0}0.01%"),
            (0.005, "0.01%"),
            (0.034, "0.03%"),
            (0.994, "0.99%"),
            (0.996, "1.0%"),
            (12.34, "12.3%"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(share(En, value), english, "{value}");
        }
        for (value, norwegian) in [
            (100.0, "100\u{a0}%"),
            (99.999, ">\u{a0}99,99\u{a0}%"),
            (99.98, "99,98\u{a0}%"),
            (87.25, "87,2\u{a0}%"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(share_covered(No, value), norwegian, "{value}");
        }
        assert_eq!(percent(No, f64::NAN, 1), "–");
        assert_eq!(percent(En, -3.0, 0), "−3%");
    }

    #[test]
    fn shares_of_a_column_have_the_same_decimals() {
        let covered = [100.0, 99.999, 99.13, 98.9, 0.0].map(|value| share_covered_in_column(No, value));
        assert_eq!(
            covered,
            ["100,00\u{a0}%", ">\u{a0}99,99\u{a0}%", "99,13\u{a0}%", "98,90\u{a0}%", "0,00\u{a0}%"]
        );
        let areas = [12.3, 0.4, 0.001, 0.0, f64::NAN].map(|value| share_in_column(En, value));
        assert_eq!(areas, ["12.30", "0.40", "<\u{a0}0.01", "0.00", "–"]);
    }

    #[test]
    fn sizes_take_the_unit_that_fits() {
        for (value, english) in [
            (0, "0\u{a0}B"),
            (999, "999\u{a0}B"),
            (1_000, "1\u{a0}kB"),
            (999_499, "999\u{a0}kB"),
            (999_500, "1.0\u{a0}MB"),
            (1_240_000, "1.2\u{a0}MB"),
            (2_500_000_000, "2.5\u{a0}GB"),
        ] {
            assert_eq!(bytes(En, value), english);
        }
        assert_eq!(bytes(No, 1_240_000), "1,2\u{a0}MB");
    }
}
