// Author: Jane Roe <jane.roe@corp-mail.co.uk>
/// Where questions go. Reserved domains such as someone@example.com stay as they are.
pub fn contact() -> &'static str {
    "questions:help+rust@lists.rust-project.dev\n"
}

/// A pattern binding is no address.
pub fn first(list: &[u32]) -> Option<u32> {
    match list {
        [head @ 1..=9, ..] => Some(*head),
        _ => None,
    }
}
