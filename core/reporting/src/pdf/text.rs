//! Makes any text safe to set: what cannot be drawn is replaced, what is too long is shortened, and a word without end
//! can be broken. Templates only ever show the result as text; nothing in it is markup.

use super::fonts::Fonts;

/// Longest text shown, in characters.
const LONGEST: usize = 160;
/// Characters without a blank after which a line may be broken.
const UNBROKEN: usize = 12;
/// Stands where a character cannot be drawn.
const REPLACEMENT: char = '\u{25A1}';

/// `text` fit to be set.
pub(super) fn settable(text: &str, fonts: &Fonts) -> String {
    let mut out = String::with_capacity(text.len().min(LONGEST * 4));
    let mut unbroken = 0;
    for (position, c) in text.chars().enumerate() {
        if position == LONGEST {
            out.push('…');
            break;
        }
        let c = match c {
            '\t' | '\n' | '\r' => ' ',
            c if c.is_control() => REPLACEMENT,
            c if c.is_whitespace() || fonts.draw(c) => c,
            _ => REPLACEMENT,
        };
        unbroken = if c.is_whitespace() { 0 } else { unbroken + 1 };
        if unbroken == UNBROKEN {
            out.push('\u{200B}');
            unbroken = 1;
        }
        out.push(c);
    }
    out
}
