//! Stands for a crate of bindings that a tool wrote.
extern "system" {
    pub fn GetTickCount64() -> u64;
}
