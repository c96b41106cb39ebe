mod storage;
use storage::Storage;

/// A stack with a largest size.
pub struct Stack<T> {
    storage: Storage<T>,
    limit: usize,
}

impl<T> Stack<T> {
    pub fn new(limit: usize) -> Self {
        todo!()
    }

    /// Gives the value back when the stack is full.
    pub fn push(&mut self, value: T) -> Result<(), T> {
        todo!()
    }

    pub fn pop(&mut self) -> Option<T> {
        todo!()
    }
}
