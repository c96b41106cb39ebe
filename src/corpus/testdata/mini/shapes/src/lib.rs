//! Plane shapes with integer coordinates.

mod circle;
mod polygon;

pub use circle::Circle;
pub use polygon::Polygon;

/// A point of the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Point {
    pub x: i64,
    pub y: i64,
}

impl Point {
    pub const ORIGIN: Point = Point { x: 0, y: 0 };

    pub fn new(x: i64, y: i64) -> Self {
        Point { x, y }
    }

    /// Square of the distance to another point.
    pub fn distance_squared(self, other: Point) -> i64 {
        let dx = self.x - other.x;
        let dy = self.y - other.y;
        dx * dx + dy * dy
    }
}

/// Everything that covers a part of the plane.
pub trait Shape {
    /// Twice the area, rounded down: an integer for every polygon.
    fn doubled_area(&self) -> i64;

    fn contains(&self, point: Point) -> bool;

    fn is_larger_than(&self, other: &dyn Shape) -> bool {
        self.doubled_area() > other.doubled_area()
    }
}

/// The largest shape of a list, the first one if several are equally large.
pub fn largest<'a>(shapes: &'a [Box<dyn Shape>]) -> Option<&'a dyn Shape> {
    let mut best: Option<&'a dyn Shape> = None;
    for shape in shapes {
        match best {
            Some(found) if !shape.is_larger_than(found) => {}
            _ => best = Some(shape.as_ref()),
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_takes_the_first_of_equals() {
        let shapes: Vec<Box<dyn Shape>> = vec![
            Box::new(Circle::new(Point::ORIGIN, 2)),
            Box::new(Circle::new(Point::new(5, 5), 2)),
        ];
        assert_eq!(largest(&shapes).unwrap().doubled_area(), 25);
        assert!(largest(&[]).is_none());
    }
}
