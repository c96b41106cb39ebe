// SPDX-License-Identifier: GPL-3.0-or-later
/// The head of the file goes before the manifest of its crate.
pub fn sum(list: &[i64]) -> i64 {
    list.iter().sum()
}
