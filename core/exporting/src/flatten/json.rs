//! Steps over JSON text without building a tree of it: the ends of values, nothing else. What lies inside an array or
//! an object is not checked, because a database that stores `jsonb` has done so; a text that is no JSON at all is
//! refused or stepped over, never a panic.

/// What a value begins with says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Null,
    True,
    False,
    Number,
    /// Whether a backslash stands in it.
    String {
        escaped: bool,
    },
    Array,
    Object,
}

/// A value and where it lies: `start..end` of the text, quotes and brackets included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) shape: Shape,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A place in a JSON text.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    /// `at`: where to begin, at the first byte of a value or at blanks before it.
    pub(crate) fn at(text: &'a str, at: usize) -> Self {
        Self { bytes: text.as_bytes(), at }
    }

    /// Steps over blanks and, if it comes next, over this byte.
    #[inline]
    pub(crate) fn takes(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    /// Whether nothing but blanks is left.
    pub(crate) fn is_done(&mut self) -> bool {
        self.skip_blanks();
        self.at >= self.bytes.len()
    }

    /// Whether an object comes next.
    #[inline]
    pub(crate) fn is_at_object(&mut self) -> bool {
        self.skip_blanks();
        self.bytes.get(self.at) == Some(&b'{')
    }

    /// Steps over one value; `None` if none begins here or it does not end.
    pub(crate) fn value(&mut self) -> Option<Token> {
        self.skip_blanks();
        let start = self.at;
        let shape = match self.bytes.get(start)? {
            b'"' => Shape::String { escaped: self.skip_string()? },
            b'{' => self.skip_nested().map(|()| Shape::Object)?,
            b'[' => self.skip_nested().map(|()| Shape::Array)?,
            b'n' => self.skip_word(b"null").map(|()| Shape::Null)?,
            b't' => self.skip_word(b"true").map(|()| Shape::True)?,
            b'f' => self.skip_word(b"false").map(|()| Shape::False)?,
            b'-' | b'0'..=b'9' => {
                let more = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
                self.at += self.bytes[start..].iter().take_while(more).count();
                Shape::Number
            }
            _ => return None,
        };
        Some(Token { shape, start, end: self.at })
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn skip_word(&mut self, word: &[u8]) -> Option<()> {
        let found = self.bytes[self.at..].starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    /// Behind the closing quote; whether there was a backslash.
    #[inline]
    fn skip_string(&mut self) -> Option<bool> {
        let mut escaped = false;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            self.at += length + 1;
            if rest[length] == b'"' {
                return Some(escaped);
            }
            escaped = true;
            self.at += 1;
        }
    }

    /// Behind the closing bracket. Counts depth instead of going down, so that no depth is too much.
    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            let rest = self.bytes.get(self.at..)?;
            let plain = rest.iter().position(|byte| BREAKS[usize::from(*byte)])?;
            self.at += plain;
            match rest[plain] {
                b'"' => {
                    self.skip_string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                _ => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return Some(());
                    }
                }
            }
            self.at += 1;
        }
    }
}

/// Bytes that matter between the brackets of an array or an object.
const BREAKS: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};

/// Appends what the inside of a JSON string means. An escape that means nothing (half of a surrogate pair) becomes
/// U+FFFD.
pub(crate) fn unescape(inside: &str, out: &mut String) {
    let mut rest = inside;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        let plain = match after.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (char, length) = unicode(&rest[at..]);
                out.push(char);
                rest = rest.get(at + length..).unwrap_or_default();
                continue;
            }
            Some(other) => other,
            None => '\u{fffd}',
        };
        out.push(plain);
        rest = after.as_str();
    }
    out.push_str(rest);
}

/// The character of `\uXXXX`, or of a pair of them, at the beginning of the text, and how long that is.
fn unicode(text: &str) -> (char, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    match (unit(0), unit(6)) {
        (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
            let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
        }
        (Some(code), _) => (char::from_u32(code).unwrap_or('\u{fffd}'), 6),
        (None, _) => ('\u{fffd}', 2),
    }
}

/// The strings of a JSON array, each as it lies between its quotes and whether it is escaped; `None` for an element
/// of another shape, after which it must not be asked again.
pub(crate) struct Strings<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    begun: bool,
}

impl<'a> Strings<'a> {
    pub(crate) fn of(array: &'a str) -> Self {
        Self { text: array, scanner: Scanner::at(array, 0), begun: false }
    }
}

impl<'a> Iterator for Strings<'a> {
    type Item = Option<(&'a str, bool)>;

    fn next(&mut self) -> Option<Self::Item> {
        let opens = if self.begun { b',' } else { b'[' };
        self.begun = true;
        if !self.scanner.takes(opens) || self.scanner.takes(b']') {
            return None;
        }
        let element = self.scanner.value().and_then(|token| match token.shape {
            Shape::String { escaped } => Some((self.text.get(token.start + 1..token.end - 1)?, escaped)),
            _ => None,
        });
        Some(element)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn values_end_where_they_end() {
        for (text, shape) in [
            ("null", Shape::Null),
            ("true", Shape::True),
            ("false", Shape::False),
            ("-12.5e+3", Shape::Number),
            (r#""a, b""#, Shape::String { escaped: false }),
            (r#""a\"]}\\""#, Shape::String { escaped: true }),
            (r#"[1, "]", {"a": [2]}]"#, Shape::Array),
            (r#"{"a": "}", "b": {}}"#, Shape::Object),
        ] {
            let token = Scanner::at(&format!(" {text} , 1"), 0).value().unwrap();
            assert_eq!(token, Token { shape, start: 1, end: 1 + text.len() });
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in ["", " ", "nul", "\"a", "\"a\\", "{\"a\": 1", "[[]", "]", "}", "x", ","] {
            assert_eq!(Scanner::at(text, 0).value(), None, "{text}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let text = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(Scanner::at(&text, 0).value().unwrap().end, text.len());
    }

    #[test]
    fn escapes_mean_what_they_mean_to_serde() {
        let strings = [r"a\n\t\r\b\f\/\\\u0041\u00e6", r#"\""#, r"\ud83d\ude00!", "æ\\u2028å", "plain"];
        for inside in strings {
            let expected: String = serde_json::from_str(&format!("\"{inside}\"")).unwrap();
            let mut read = String::new();
            unescape(inside, &mut read);
            assert_eq!(read, expected);
        }
        let mut read = String::new();
        unescape(r"\ud83d \udead\u12", &mut read);
        assert_eq!(read, "\u{fffd} \u{fffd}\u{fffd}12");
    }

    #[test]
    fn an_array_gives_its_strings_until_another_shape_comes() {
        let all = |text| Strings::of(text).collect::<Vec<_>>();
        assert_eq!(all("[]"), []);
        assert_eq!(all(r#"["a", "b\n"]"#), [Some(("a", false)), Some(("b\\n", true))]);
        assert_eq!(Strings::of(r#"["a", null]"#).last().unwrap(), None);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_one_value(value in json()) {
            let text = value.to_string();
            prop_assert_eq!(Scanner::at(&text, 0).value().unwrap().end, text.len());
        }

        #[test]
        fn any_text_is_stepped_over_or_refused(text: String) {
            let mut scanner = Scanner::at(&text, 0);
            while scanner.value().is_some() && !scanner.is_done() {}
            let mut out = String::new();
            unescape(&text, &mut out);
            Strings::of(&text).for_each(drop);
        }

        #[test]
        fn any_string_is_unescaped_as_serde_does(text: String) {
            let quoted = serde_json::to_string(&text).unwrap();
            let mut read = String::new();
            unescape(&quoted[1..quoted.len() - 1], &mut read);
            prop_assert_eq!(read, text);
        }
    }
}
