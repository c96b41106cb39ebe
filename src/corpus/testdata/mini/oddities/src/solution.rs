/// Answers a task of the tests, word for word.
pub fn count_shared_prefix(left: &str, right: &str) -> usize {
    left.chars().zip(right.chars()).take_while(|(a, b)| a == b).count()
}
