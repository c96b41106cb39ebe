/// Where the stack keeps its values.
pub struct Storage<T> {
    pub values: Vec<T>,
}
