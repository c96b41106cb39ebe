// In a folder that holds what tools wrote.
pub const NAMES: &[&str] = &["circle", "polygon", "segment", "ellipse", "point"];
