//! Line wrapping by words.

/// Breaks `text` into lines of at most `width` characters. A word that is longer than a line stands alone on one.
///
/// ```
/// let lines = textkit::wrap::wrap("one two three", 7);
/// assert_eq!(lines, ["one two", "three"]);
/// ```
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let size = word.chars().count();
        if used > 0 && used + 1 + size > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += size;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Puts `prefix` before every line.
pub fn indent(lines: &[String], prefix: &str) -> String {
    let mut out = String::new();
    for line in lines {
        out.push_str(prefix);
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Left-aligned text in a field of `width` characters.
pub fn pad_right(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let mut out = String::from(text);
    out.extend(std::iter::repeat(' ').take(missing));
    out
}
