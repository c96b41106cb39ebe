//! Small helpers for plain text.

pub mod count;
pub mod wrap;

/// Splits at the first `separator`; the rest is empty where there is none.
pub fn split_once_or_all(text: &str, separator: char) -> (&str, &str) {
    match text.find(separator) {
        Some(at) => (&text[..at], &text[at + separator.len_utf8()..]),
        None => (text, ""),
    }
}

/// Makes the first letter of each word a capital.
pub fn title_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at_start = true;
    for c in text.chars() {
        if at_start {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        at_start = c.is_whitespace();
    }
    out
}
