/// Greatest common divisor, in a crate whose manifest names a licence that is not on the list.
pub fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
