//! Takes the force out of text that a spreadsheet would run as a formula. It changes nothing else about the text, and
//! is never asked about numbers.

use std::borrow::Cow;

/// The text as it may stand in a CSV cell: with a leading `'` if it begins, after blanks, with one of `=` `+` `-` `@`
/// (also in their full-width forms, which some spreadsheets fold to the narrow ones), a tab or a carriage return.
///
/// Blanks are all white space of Unicode, control characters and marks that have no width: programs drop those before
/// they look at what is left. The rule is that of OWASP's "CSV injection"; quoting a cell does not help, because the
/// quotes are gone by the time the spreadsheet looks.
#[must_use]
pub fn guard(text: &str) -> Cow<'_, str> {
    if is_dangerous(text) {
        let mut guarded = String::with_capacity(text.len() + 1);
        guarded.push('\'');
        guarded.push_str(text);
        Cow::Owned(guarded)
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether [`guard`] changes the text.
pub(crate) fn is_dangerous(text: &str) -> bool {
    // Nearly every cell begins with a letter or a digit.
    if text.as_bytes().first().is_none_or(u8::is_ascii_alphanumeric) {
        return false;
    }
    for char in text.chars() {
        match char {
            '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r' => return true,
            _ if is_blank(char) => {}
            _ => return false,
        }
    }
    false
}

fn is_blank(char: char) -> bool {
    char.is_whitespace()
        || char.is_control()
        || matches!(char, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_a_spreadsheet_would_run_gets_an_apostrophe() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tx",
            "\rx",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            "  =1",
            "\u{a0}=1",
            "\u{3000}\u{2009}@x",
            "\n=1",
            " \tx",
            "\u{feff}=1",
            "\u{200b}+1",
            "\u{202e}=1",
            "\0=1",
            "=cmd|' /C calc'!A0",
        ] {
            assert_eq!(guard(text), format!("'{text}"), "{text:?}");
        }
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in [
            "", " ", "\n", "a=1", "1-2", "1e5", "'=1", "\"=1\"", "  x", "\nx", "æ=1", "e\u{301}", "(=1)",
            "—x", "−1", "😀=1", "<b>",
        ] {
            assert!(matches!(guard(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }
}
