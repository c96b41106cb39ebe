mod storage;
use storage::Storage;

/// A stack with a largest size.
pub struct Stack<T> {
    storage: Storage<T>,
    limit: usize,
}

impl<T> Stack<T> {
    pub fn new(limit: usize) -> Self {
        Stack { storage: Storage { values: Vec::new() }, limit }
    }

    /// Gives the value back when the stack is full.
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.storage.values.len() >= self.limit {
            return Err(value);
        }
        self.storage.values.push(value);
        Ok(())
    }

    pub fn pop(&mut self) -> Option<T> {
        self.storage.values.pop()
    }
}
