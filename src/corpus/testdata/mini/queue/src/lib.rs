//! A queue of bounded length over a ring of slots.

use std::fmt;

/// First in, first out; never more than its capacity.
pub struct Bounded<T> {
    slots: Vec<Option<T>>,
    head: usize,
    len: usize,
}

/// Returned with the element when the queue is full.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is full")
    }
}

impl<T> Bounded<T> {
    pub fn with_capacity(capacity: usize) -> Self {
        let mut slots = Vec::with_capacity(capacity);
        slots.resize_with(capacity, || None);
        Bounded { slots, head: 0, len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn push(&mut self, value: T) -> Result<(), Full<T>> {
        if self.len == self.slots.len() {
            return Err(Full(value));
        }
        let tail = (self.head + self.len) % self.slots.len();
        self.slots[tail] = Some(value);
        self.len += 1;
        Ok(())
    }

    pub fn pop(&mut self) -> Option<T> {
        let value = self.slots.get_mut(self.head)?.take()?;
        self.head = (self.head + 1) % self.slots.len();
        self.len -= 1;
        Some(value)
    }
}

impl<T> Extend<T> for Bounded<T> {
    /// Stops at the first element that finds no place.
    fn extend<I: IntoIterator<Item = T>>(&mut self, iter: I) {
        for value in iter {
            if self.push(value).is_err() {
                break;
            }
        }
    }
}
