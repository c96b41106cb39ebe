use crate::{Point, Shape};

/// A polygon without crossing edges, corners in either direction.
pub struct Polygon {
    corners: Vec<Point>,
}

impl Polygon {
    /// At least three corners are needed.
    pub fn from_corners(corners: impl IntoIterator<Item = Point>) -> Option<Self> {
        let corners: Vec<Point> = corners.into_iter().collect();
        (corners.len() >= 3).then_some(Polygon { corners })
    }

    fn edges(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        let shifted = self.corners.iter().cycle().skip(1);
        self.corners.iter().copied().zip(shifted.copied())
    }
}

impl Shape for Polygon {
    fn doubled_area(&self) -> i64 {
        self.edges().map(|(a, b)| a.x * b.y - b.x * a.y).sum::<i64>().abs()
    }

    fn contains(&self, point: Point) -> bool {
        let mut inside = false;
        for (a, b) in self.edges() {
            if (a.y > point.y) == (b.y > point.y) {
                continue;
            }
            let side = (b.x - a.x) * (point.y - a.y) - (point.x - a.x) * (b.y - a.y);
            if (side > 0) == (b.y > a.y) {
                inside = !inside;
            }
        }
        inside
    }
}
