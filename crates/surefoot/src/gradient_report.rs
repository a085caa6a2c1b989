//! What a gradient check found.

/// What a gradient check found.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientReport {
    /// J(θ).
    pub cost: f64,
    /// The length of θ.
    pub parameters: usize,
    /// EPSILON, as it was set.
    pub epsilon: f64,
    /// The comparison over all layers.
    pub total: Comparison,
    /// The same for each layer, in order.
    pub layers: Vec<Comparison>,
    /// The claimed gradient ∇J(θ).
    pub gradient: Vec<f64>,
}

/// A comparison over some coordinates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Coordinates that were compared.
    pub checked: usize,
    /// Coordinates given up because a kink lies within the smallest step.
    pub kinks: usize,
    /// Coordinates whose two values differ beyond the error of the numerical one.
    pub wrong: usize,
    /// Coordinates where at least one of the two values is beyond that error: where something was there to compare.
    pub significant: usize,
    /// ‖n − g‖ / ‖n + g‖; 0 where both norms are 0, infinite where n = −g.
    pub difference: f64,
    /// The largest |nᵢ − gᵢ|.
    pub max_difference: f64,
    /// The coordinate to look at: of the wrong ones, else of all, that with the largest |nᵢ − gᵢ|.
    pub worst: Option<Coordinate>,
    /// ‖n − g‖ and ‖n + g‖.
    pub(crate) norms: (f64, f64),
}

/// One coordinate of the gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinate {
    /// Its index in θ.
    pub index: usize,
    /// Its name: `layers.0.weight[3, 17]`, counted from 0.
    pub place: String,
    /// nᵢ, the numerical derivative.
    pub numeric: f64,
    /// gᵢ, as claimed.
    pub analytic: f64,
    /// How far apart the two can be by truncation and rounding.
    pub error: f64,
}

impl Coordinate {
    /// |nᵢ − gᵢ|; a value that is not finite differs infinitely.
    pub fn difference(&self) -> f64 {
        let difference = (self.numeric - self.analytic).abs();
        if difference.is_finite() { difference } else { f64::INFINITY }
    }

    /// Whether the two differ beyond the error.
    pub fn is_wrong(&self) -> bool {
        self.error.is_nan() || self.difference() > self.error
    }

    pub(crate) fn is_significant(&self) -> bool {
        self.numeric.abs().max(self.analytic.abs()) > self.error
    }
}

impl GradientReport {
    /// No coordinate is wrong, and something was there to compare: a gradient that is zero everywhere, by both ways,
    /// says nothing and does not pass.
    pub fn passed(&self) -> bool {
        self.total.wrong == 0 && self.total.significant > 0
    }
}

impl Comparison {
    pub(crate) fn add(&mut self, coordinate: Option<Coordinate>) {
        let Some(coordinate) = coordinate else {
            self.kinks += 1;
            return;
        };
        let alone = Comparison {
            checked: 1,
            wrong: usize::from(coordinate.is_wrong()),
            significant: usize::from(coordinate.is_significant()),
            max_difference: coordinate.difference(),
            norms: (coordinate.difference(), coordinate.numeric + coordinate.analytic),
            worst: Some(coordinate),
            ..Comparison::default()
        };
        self.merge(&alone);
    }

    pub(crate) fn merge(&mut self, other: &Comparison) {
        let severity = |c: &Option<Coordinate>| c.as_ref().map(|c| (c.is_wrong(), c.difference()));
        if severity(&other.worst) > severity(&self.worst) {
            self.worst.clone_from(&other.worst);
        }
        self.checked += other.checked;
        self.kinks += other.kinks;
        self.wrong += other.wrong;
        self.significant += other.significant;
        self.max_difference = self.max_difference.max(other.max_difference);
        // by hypot, because squares could overflow
        self.norms = (self.norms.0.hypot(other.norms.0), self.norms.1.hypot(other.norms.1));
        self.difference = match self.norms {
            (0.0, _) => 0.0,
            (f64::INFINITY, _) => f64::INFINITY,
            (difference, sum) => difference / sum, // (C2)
        };
    }
}
