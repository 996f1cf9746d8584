//! Tells a format by the first bytes of a file, and names the well-known ones that are not read.

use super::{DecodeError, Format};

/// The format of a file, or an error that says what the file looks like instead.
pub(super) fn format_of(bytes: &[u8]) -> Result<Format, DecodeError> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::WebP);
    }
    Err(DecodeError::UnsupportedFormat { found: foreign_name(bytes) })
}

fn foreign_name(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        return Some("an empty file");
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some(iso_media_name(bytes));
    }
    let by_prefix: [(&[u8], &'static str); 13] = [
        (b"GIF8", "a GIF picture"),
        (b"II*\0", "a TIFF or camera raw picture"),
        (b"MM\0*", "a TIFF or camera raw picture"),
        (b"BM", "a BMP picture"),
        (b"%PDF-", "a PDF document"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
        (b"8BPS", "a Photoshop document"),
        (b"PK\x03\x04", "a ZIP archive or office document"),
        (b"\0\0\x01\0", "an icon"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"{", "JSON text"),
    ];
    if let Some((_, name)) = by_prefix.iter().find(|(prefix, _)| bytes.starts_with(prefix)) {
        return Some(name);
    }
    markup_name(bytes)
}

/// HEIC, AVIF and videos share one container; the brand behind `ftyp` tells them apart.
fn iso_media_name(bytes: &[u8]) -> &'static str {
    match bytes.get(8..12).unwrap_or_default() {
        b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" => "a HEIC picture",
        b"avif" | b"avis" => "an AVIF picture",
        b"crx " => "a camera raw picture",
        _ => "a video",
    }
}

fn markup_name(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let head = text[start..].get(..1024).unwrap_or(&text[start..]);
    if !head.starts_with(b"<") {
        return None;
    }
    if head.windows(4).any(|word| word.eq_ignore_ascii_case(b"<svg")) {
        return Some("an SVG drawing");
    }
    if head.windows(5).any(|word| word.eq_ignore_ascii_case(b"<html")) {
        return Some("a web page");
    }
    Some("an XML document")
}
