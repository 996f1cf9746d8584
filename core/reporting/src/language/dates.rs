//! How days and times of day are written. All times are UTC: a report does not know where its reader is.

use chrono::{DateTime, Datelike, Timelike, Utc};

use super::words;
use crate::model::Language;

const MONTHS: [&str; 12] = [
    "month.january",
    "month.february",
    "month.march",
    "month.april",
    "month.may",
    "month.june",
    "month.july",
    "month.august",
    "month.september",
    "month.october",
    "month.november",
    "month.december",
];

/// `21 November 2026`, `21. november 2026`.
#[must_use]
pub fn date(language: Language, at: DateTime<Utc>) -> String {
    let month = MONTHS.get(at.month0() as usize).map_or("", |key| words(language).get(key));
    match language {
        Language::En => format!("{} {month} {}", at.day(), at.year()),
        Language::No => format!("{}. {month} {}", at.day(), at.year()),
    }
}

/// For tables and axes: `2026-11-21` (no reader takes the month for the day), `21.11.2026`.
#[must_use]
pub fn date_short(language: Language, at: DateTime<Utc>) -> String {
    match language {
        Language::En => format!("{:04}-{:02}-{:02}", at.year(), at.month(), at.day()),
        Language::No => format!("{:02}.{:02}.{:04}", at.day(), at.month(), at.year()),
    }
}

/// `14:05 UTC`, `kl. 14.05 UTC`.
#[must_use]
pub fn time(language: Language, at: DateTime<Utc>) -> String {
    match language {
        Language::En => format!("{:02}:{:02}\u{a0}UTC", at.hour(), at.minute()),
        Language::No => format!("kl.\u{a0}{:02}.{:02}\u{a0}UTC", at.hour(), at.minute()),
    }
}

/// `21 November 2026, 14:05 UTC`, `21. november 2026 kl. 14.05 UTC`.
#[must_use]
pub fn date_time(language: Language, at: DateTime<Utc>) -> String {
    let comma = match language {
        Language::En => ",",
        Language::No => "",
    };
    format!("{}{comma} {}", date(language, at), time(language, at))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn days_and_times_are_written_as_the_language_does() {
        let at: DateTime<Utc> = "2026-11-01T04:05:59Z".parse().unwrap();
        assert_eq!(date_time(Language::En, at), "1 November 2026, 04:05\u{a0}UTC");
        assert_eq!(date_time(Language::No, at), "1. november 2026 kl.\u{a0}04.05\u{a0}UTC");
        assert_eq!(date_short(Language::En, at), "2026-11-01");
        assert_eq!(date_short(Language::No, at), "01.11.2026");
    }

    #[test]
    fn times_far_away_are_written_too() {
        for language in [Language::En, Language::No] {
            assert!(date_time(language, DateTime::<Utc>::MAX_UTC).contains("262142"));
            assert!(!date_time(language, DateTime::<Utc>::MIN_UTC).is_empty());
        }
    }
}
