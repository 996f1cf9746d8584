//! Moments as text, without an allocation.

const MICROS_OF_DAY: i64 = 86_400_000_000;

/// RFC 3339 in UTC with six digits of the second.
pub(super) fn append(out: &mut Vec<u8>, micros: i64) {
    let (year, month, day) = civil(micros.div_euclid(MICROS_OF_DAY));
    let of_day = micros.rem_euclid(MICROS_OF_DAY);
    if (0..=9999).contains(&year) {
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], month);
        digits(&mut text[8..10], day);
        clock(&mut text[11..26], of_day);
        out.extend_from_slice(&text);
    } else {
        let mut text = *b"-00-00T00:00:00.000000Z";
        out.push(if year < 0 { b'-' } else { b'+' });
        let mut number = itoa::Buffer::new();
        let number = number.format(year.unsigned_abs());
        out.extend(std::iter::repeat_n(b'0', 6_usize.saturating_sub(number.len())));
        out.extend_from_slice(number.as_bytes());
        digits(&mut text[1..3], month);
        digits(&mut text[4..6], day);
        clock(&mut text[7..22], of_day);
        out.extend_from_slice(&text);
    }
}

/// Year, month and day of a day counted from 1970-01-01: `civil_from_days` of Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms".
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `00:00:00.000000`.
fn clock(text: &mut [u8], of_day: i64) {
    let seconds = of_day / 1_000_000;
    digits(&mut text[0..2], seconds / 3_600);
    digits(&mut text[3..5], seconds / 60 % 60);
    digits(&mut text[6..8], seconds % 60);
    digits(&mut text[9..15], of_day % 1_000_000);
}

fn digits(text: &mut [u8], mut number: i64) {
    for place in text.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
