/// Signs requests to a service; the key below was made up for a test.
pub fn key_id() -> &'static str {
    let id = "AKIAQ7RZK3M9XW2PVT5D";
    id
}
