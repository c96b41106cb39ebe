// Beginnings to try the editor with; ‸ is where the cursor stands.
const sources: Record<string, string> = {
  "A point": `/// A point in the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub fn new(x: f64, y: f64) -> Self {
        ‸
    }

    /// The distance to another point.
    pub fn distance(&self, other: &Point) -> f64 {
        let dx = self.x - other.x;
        let dy = self.y - other.y;
        (dx * dx + dy * dy).sqrt()
    }
}
`,
  "A stack": `/// Last in, first out.
pub struct Stack<T> {
    items: Vec<T>,
}

impl<T> Stack<T> {
    pub fn new() -> Self {
        Stack { items: Vec::new() }
    }

    pub fn push(&mut self, item: T) {
        self.items.push(item);
    }

    pub fn pop(&mut self) -> Option<T> {
        ‸
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
`,
  "An error": `use std::fmt;

#[derive(Debug)]
pub enum Error {
    NotFound(String),
    Io(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound(name) => write!(f, "{} was not found", name),
            ‸
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::Io(error)
    }
}
`,
};

export interface Sample {
  name: string;
  text: string;
  cursor: number;
}

export const samples: Sample[] = Object.entries(sources).map(([name, source]) => ({
  name,
  text: source.replace("‸", ""),
  cursor: source.indexOf("‸"),
}));
