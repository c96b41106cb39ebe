// Grüße in einer alten Kodierung, die kein UTF-8 ist.
pub fn greet() -> u32 {
    42
}
