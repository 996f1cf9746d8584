//! Addresses as the writer of workbooks must be given them, so that the link in the file is the address itself.
//!
//! The writer takes `file:///` for the beginning of a Windows path and leaves it out, and it escapes every `%` again
//! unless it sees one of some escapes that it knows. An address that cannot be brought past it is no link here.

use rust_xlsxwriter::Url;

/// Escapes by which the writer knows an address that is escaped already.
const KNOWN_ESCAPES: [&str; 11] =
    ["%20", "%25", "%22", "%60", "%3c", "%3e", "%5b", "%5d", "%5e", "%7b", "%7d"];

/// The link; none if it would lead elsewhere.
pub(super) fn of(url: &str) -> Option<Url> {
    let lower = url.to_ascii_lowercase();
    let url = if !url.contains('%') || KNOWN_ESCAPES.iter().any(|escape| lower.contains(escape)) {
        url.to_owned()
    } else {
        readable(url).filter(|url| !url.contains('%'))?
    };
    Some(Url::new(if url.starts_with("file://") {
        // It takes off the first `file:///`, then the next `file://`.
        format!("file:///file://{url}")
    } else {
        url
    }))
}

/// The address with letters beyond ASCII as they are (RFC 3987, 3.2); all other escapes stay. None if they are no UTF-8.
fn readable(url: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if !byte.is_ascii() => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok().filter(|url| !url.chars().any(char::is_control))
}
