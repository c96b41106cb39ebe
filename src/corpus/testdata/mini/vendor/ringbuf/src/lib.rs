//! The last few samples of a signal.

/// Keeps the newest `N` values.
pub struct History<const N: usize> {
    values: [f32; N],
    next: usize,
    filled: bool,
}

impl<const N: usize> Default for History<N> {
    fn default() -> Self {
        History { values: [0.0; N], next: 0, filled: false }
    }
}

impl<const N: usize> History<N> {
    pub fn record(&mut self, value: f32) {
        self.values[self.next] = value;
        self.next += 1;
        if self.next == N {
            self.next = 0;
            self.filled = true;
        }
    }

    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = f32> + '_ {
        let (new, old) = self.values.split_at(self.next);
        let old = if self.filled { old } else { &[] };
        old.iter().chain(new).copied()
    }

    pub fn mean(&self) -> Option<f32> {
        let count = self.iter().count();
        (count > 0).then(|| self.iter().sum::<f32>() / count as f32)
    }
}
