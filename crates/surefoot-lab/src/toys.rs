//! Two-dimensional sets to play with, made anew from a seed.

use std::f64::consts::{PI, TAU};
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use surefoot::{Purpose, Random};

/// A shape of two classes in the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Toy {
    /// A disc within a ring.
    Circles,
    /// Four clouds; those across from each other are one class.
    Xor,
    /// Two arms around each other.
    Spirals,
    /// Two half circles that reach into each other.
    Moons,
}

impl Toy {
    /// All of them, with what they hold.
    pub const ALL: [(Toy, &'static str); 4] = [
        (Toy::Circles, "a disc within a ring"),
        (Toy::Xor, "four clouds, exclusive or"),
        (Toy::Spirals, "two arms around each other"),
        (Toy::Moons, "two half circles"),
    ];

    /// The name of its file.
    pub fn file(self) -> &'static str {
        match self {
            Toy::Circles => "circles.csv",
            Toy::Xor => "xor-clouds.csv",
            Toy::Spirals => "spirals.csv",
            Toy::Moons => "moons.csv",
        }
    }

    /// The set as a table: `rows` points in turns of the two classes, each moved by N(0, noise²) in both coordinates.
    pub fn csv(self, rows: usize, noise: f64, seed: u64) -> String {
        let mut random = Random::new(seed, Purpose::Examples, 1);
        let mut csv = String::from("x1,x2,class\n");
        for row in 0..rows {
            let class = row % 2;
            let (x1, x2) = self.point(class, &mut random);
            let (x1, x2) = (x1 + noise * random.normal(), x2 + noise * random.normal());
            let name = ["negative", "positive"][class];
            // writing to a string does not fail
            let _ = writeln!(csv, "{x1:.6},{x2:.6},{name}");
        }
        csv
    }

    fn point(self, class: usize, random: &mut Random) -> (f64, f64) {
        let of_class = class as f64;
        match self {
            Toy::Circles => {
                let (radius, angle) = (0.5 * random.uniform() + 0.75 * of_class, TAU * random.uniform());
                (radius * angle.cos(), radius * angle.sin())
            }
            Toy::Xor => {
                let side = if random.below(2) == 0 { -1.0 } else { 1.0 };
                let other = if class == 0 { side } else { -side };
                (side * (0.2 + 0.8 * random.uniform()), other * (0.2 + 0.8 * random.uniform()))
            }
            Toy::Spirals => {
                let along = random.uniform();
                let angle = 1.75 * TAU * along * 0.85 + PI * of_class;
                (along * angle.sin(), along * angle.cos())
            }
            Toy::Moons => {
                let angle = PI * random.uniform();
                let (x1, x2) = (angle.cos(), angle.sin());
                if class == 0 { (x1 - 0.5, x2 - 0.25) } else { (0.5 - x1, 0.25 - x2) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_the_same_for_a_seed_and_has_both_classes() {
        for (toy, _) in Toy::ALL {
            let csv = toy.csv(40, 0.1, 7);
            assert_eq!(csv, toy.csv(40, 0.1, 7));
            assert_ne!(csv, toy.csv(40, 0.1, 8));
            assert_eq!((csv.matches("negative").count(), csv.matches("positive").count()), (20, 20));
        }
    }
}
