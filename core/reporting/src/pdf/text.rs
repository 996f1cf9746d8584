//! Makes any text safe to set: what cannot be drawn is replaced, what is too long is shortened, and a word without end
//! can be broken. Templates only ever show the result as text; nothing in it is markup.

use super::fonts::Fonts;

/// Longest text shown, in characters.
const LONGEST: usize = 160;
/// Characters without a blank after which a line may be broken: ids and usual names of files are shorter, so that they
/// can be searched for and copied as they are. Where there is less room, templates break them without a character.
const UNBROKEN: usize = 64;
/// Lets a line break without a hyphen.
const BREAK_HERE: char = '\u{200B}';
/// Stands where a character cannot be drawn.
const REPLACEMENT: char = '\u{25A1}';

/// Makes text fit to be set with certain fonts.
pub(super) struct Settable<'a> {
    fonts: &'a Fonts,
}

impl<'a> Settable<'a> {
    pub(super) fn new(fonts: &'a Fonts) -> Self {
        Self { fonts }
    }

    /// Whether [`Self::text`] shows all of `text`: nothing is cut off or replaced, so that no other text looks the same.
    pub(super) fn shows_all_of(&self, text: &str) -> bool {
        let shown = self.text(text);
        !shown.contains(REPLACEMENT) && text.chars().nth(LONGEST).is_none()
    }

    /// `text` fit to be set, in one line of at most [`LONGEST`] characters.
    pub(super) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len().min(LONGEST * 4));
        let mut unbroken = 0;
        for (position, c) in text.chars().enumerate() {
            if position == LONGEST {
                out.push('…');
                break;
            }
            let c = match c {
                '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
                c if c.is_control() => REPLACEMENT,
                c if is_direction(c) || (is_selector(c) && !self.fonts.draw(c)) => continue,
                c if c.is_whitespace() || self.fonts.draw(c) => c,
                _ => REPLACEMENT,
            };
            unbroken = if c.is_whitespace() { 0 } else { unbroken + 1 };
            if unbroken > UNBROKEN {
                out.push(BREAK_HERE);
                unbroken = 1;
            }
            out.push(c);
        }
        out
    }
}

/// What joins or varies the characters beside it and is nothing by itself.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{1F3FB}'..='\u{1F3FF}')
}

/// Marks that turn the direction of all that follows: a name must not turn the words around it.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}
