/// Somebody else's crate without a licence: that of the tree around it does not reach into a vendor folder.
pub fn is_even(value: i32) -> bool {
    value % 2 == 0
}
