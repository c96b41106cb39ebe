//! Counting words.

use std::collections::BTreeMap;

/// How often each word occurs, letters folded to lower case.
pub fn word_counts(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
        *counts.entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts
}

/// The `n` most frequent words, ties in alphabetical order.
pub fn most_frequent(text: &str, n: usize) -> Vec<(String, usize)> {
    let mut list: Vec<_> = word_counts(text).into_iter().collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list.truncate(n);
    list
}
