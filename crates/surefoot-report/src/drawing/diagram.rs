//! The network as the notes draw it: layers of units with a bias unit each, and what goes from one to the next.

use surefoot::{Activation, Loss, Model, Network, Trace};

use super::plot::{Axis, Scale, Series, plot};
use crate::error::{Error, Result};
use crate::markup::svg::{Anchor, Svg};
use crate::words::{count, shortened};

/// Units of a layer that are drawn before it is shortened: of a larger one the first and the last.
const MOST_UNITS: usize = 8;
const FIRST_UNITS: usize = 4;
const LAST_UNITS: usize = 2;
const RADIUS: f64 = 15.0;
const LAYER_GAP: f64 = 170.0;
const UNIT_GAP: f64 = 44.0;
const TOP: f64 = 64.0;

/// What units are called: inputs on the left, outputs on the right.
pub struct Names<'a> {
    /// One for each input, or none.
    pub inputs: &'a [String],
    /// One for each output, or none.
    pub outputs: &'a [String],
}

/// What the outputs of a model say: a class each, the probability of the second of two, or numbers.
pub fn output_names(model: &Model) -> Vec<String> {
    match (&model.classes[..], model.network.outputs()) {
        ([], _) => model.target_columns.clone(),
        ([.., last], 1) => vec![format!("P({last})")],
        (classes, _) => classes.to_vec(),
    }
}

/// What is drawn in a place of a layer's column.
#[derive(Clone, Copy, PartialEq)]
#[cfg_attr(test, derive(Debug))]
enum Place {
    Unit(usize),
    /// Units that are left out.
    Gap,
    Bias,
}

/// The places of a layer with so many units, from above.
fn places(units: usize, has_bias: bool) -> Vec<Place> {
    let mut places: Vec<Place> = match units > MOST_UNITS {
        false => (0..units).map(Place::Unit).collect(),
        true => {
            let first = (0..FIRST_UNITS).map(Place::Unit);
            let last = (units - LAST_UNITS..units).map(Place::Unit);
            first.chain([Place::Gap]).chain(last).collect()
        }
    };
    places.extend(has_bias.then_some(Place::Bias));
    places
}

/// The diagram of a network with its parameters: the stronger a weight, the thicker its line, positive and negative in two
/// colours.
pub fn diagram(network: &Network, parameters: &[f64], names: &Names<'_>) -> Svg {
    let units: Vec<usize> =
        std::iter::once(network.inputs()).chain(network.layers().iter().map(|layer| layer.outputs)).collect();
    let layers: Vec<Vec<Place>> =
        units.iter().enumerate().map(|(l, &units)| places(units, l + 1 < network.layers().len() + 1)).collect();
    let tallest = layers.iter().map(Vec::len).max().unwrap_or(1) as f64;
    let (left, right) = (150.0, 150.0);
    let width = left + right + LAYER_GAP * (layers.len() - 1) as f64;
    let height = TOP + tallest * UNIT_GAP + 12.0;
    let counts: Vec<String> = units.iter().map(usize::to_string).collect();
    let description = format!(
        "layers of {} units from the inputs to the outputs, with a bias unit +1 in each but the last",
        counts.join(", ")
    );
    let mut svg = Svg::new(width, height, &format!("the network {}", network.widths()), &description);
    let centre = |layer: usize, place: usize| {
        let above = (tallest - layers[layer].len() as f64) / 2.0 * UNIT_GAP;
        [left + LAYER_GAP * layer as f64, TOP + above + (place as f64 + 0.5) * UNIT_GAP]
    };
    for l in 0..network.layers().len() {
        let (weight, bias) = (network.weight(parameters, l), network.bias(parameters, l));
        let strongest = weight.iter().chain(bias).fold(0.0, |most: f64, w| most.max(w.abs()));
        for (to, place) in layers[l + 1].iter().enumerate() {
            let Place::Unit(i) = *place else { continue };
            for (from, place) in layers[l].iter().enumerate() {
                let w = match *place {
                    Place::Unit(j) => weight[[i, j]],
                    Place::Bias => bias[i],
                    Place::Gap => continue,
                };
                let strength = if strongest > 0.0 { w.abs() / strongest } else { 0.0 };
                let class = if w < 0.0 { "minus" } else { "plus" };
                let look = [0.5 + 2.5 * strength, 0.25 + 0.75 * strength];
                svg.stroke(class, centre(l, from), centre(l + 1, to), look);
            }
        }
    }
    for (l, places) in layers.iter().enumerate() {
        let [x, _] = centre(l, 0);
        // counted as everywhere: the first layer is the first with weights
        let (name, activation) = match l {
            0 => ("inputs".into(), "x".into()),
            l => (format!("layer {l}"), network.layers()[l - 1].activation.to_string()),
        };
        svg.text("", [x, 20.0], Anchor::Middle, &name);
        svg.text("small", [x, 36.0], Anchor::Middle, &activation);
        svg.text("small", [x, 51.0], Anchor::Middle, &count(units[l], "unit"));
        for (i, place) in places.iter().enumerate() {
            let [x, y] = centre(l, i);
            match *place {
                Place::Gap => {
                    for shift in [-7.0, 0.0, 7.0] {
                        svg.circle("dot", [x, y + shift], 1.8);
                    }
                    let left_out = units[l] - FIRST_UNITS - LAST_UNITS;
                    svg.text("small", [x + 12.0, y + 4.0], Anchor::Start, &format!("{left_out} more"));
                }
                Place::Bias => {
                    svg.circle("unit bias", [x, y], RADIUS);
                    svg.text("", [x, y + 4.0], Anchor::Middle, "+1");
                }
                Place::Unit(unit) => {
                    svg.circle("unit", [x, y], RADIUS);
                    let symbol = if l == 0 { "x" } else { "a" };
                    let class = if unit < 999 { "" } else { "small" };
                    svg.text(class, [x, y + 4.0], Anchor::Middle, &format!("{symbol}{}", subscript(unit + 1)));
                    if l == 0
                        && let Some(name) = names.inputs.get(unit)
                    {
                        svg.text("small", [x - RADIUS - 8.0, y + 4.0], Anchor::End, &shortened(name, 20));
                    }
                    if l + 1 == layers.len() {
                        let name = names.outputs.get(unit).map_or("h(x)", |name| name);
                        svg.line("arrow", [x + RADIUS, y], [x + RADIUS + 18.0, y]);
                        svg.text("small", [x + RADIUS + 24.0, y + 4.0], Anchor::Start, &shortened(name, 17));
                    }
                }
            }
        }
    }
    svg
}

/// A number as an index below the line.
fn subscript(number: usize) -> String {
    number.to_string().bytes().filter_map(|digit| char::from_u32(0x2080 + u32::from(digit - b'0'))).collect()
}

/// The activation functions of a network with their derivatives over z, as the notes plot them, below each other. Softmax,
/// which takes the units of a layer together, is none of a single z and left out.
///
/// # Errors
/// [`Error::NoFunctionOfOneSum`] when nothing is left.
pub fn activation_plots(network: &Network) -> Result<Svg> {
    let is_used = |activation: &Activation| network.layers().iter().any(|layer| layer.activation == *activation);
    let mut all = Svg::new(0.0, 0.0, "activation functions and their derivatives", "");
    for activation in
        Activation::ALL.into_iter().filter(|activation| *activation != Activation::Softmax).filter(is_used)
    {
        let points = (-400..=400).map(|i| f64::from(i) / 100.0).map(|z| Ok((z, value_and_slope(activation, z)?)));
        let points = points.collect::<surefoot::Result<Vec<_>>>()?;
        let line = |of: fn(&(f64, f64)) -> f64| points.iter().map(|(z, both)| [*z, of(both)]).collect();
        let name = activation.to_string();
        all.append(&plot(
            &format!("{name} and its derivative"),
            &format!("{name} f(z) and f′(z) for z from −4 to 4"),
            Axis { name: "z", scale: Scale::Linear },
            Axis { name: &name, scale: Scale::Linear },
            &[
                Series { name: "f(z)", class: "one", points: line(|(f, _)| *f), is_line: true },
                Series { name: "f′(z)", class: "two dash", points: line(|(_, slope)| *slope), is_line: true },
            ],
            None,
        ));
    }
    if all.height == 0.0 { Err(Error::NoFunctionOfOneSum) } else { Ok(all) }
}

/// f(z) and f′(z), as training computes them: of one unit with the weight 1 and the bias 0, whose error term is f′(z) where
/// the target is one below the output.
fn value_and_slope(activation: Activation, z: f64) -> surefoot::Result<(f64, f64)> {
    let network = Network::new(1, &[(1, activation)])?;
    let theta = [1.0, 0.0];
    let h = Trace::new(&network, Loss::SquaredError, &theta, &[z], None)?.a[0][0];
    let trace = Trace::new(&network, Loss::SquaredError, &theta, &[z], Some(&[h - 1.0]))?;
    Ok((h, trace.backward.map_or(0.0, |backward| backward.delta[0][0])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_the_formulas() {
        let (f, slope) = value_and_slope(Activation::Tanh, 0.5).unwrap();
        assert!((f - 0.5f64.tanh()).abs() < 1e-15 && (slope - (1.0 - f * f)).abs() < 1e-15);
        assert_eq!(value_and_slope(Activation::Relu, -1.0).unwrap(), (0.0, 0.0));
        let layers = [Activation::Tanh, Activation::Sigmoid, Activation::Tanh, Activation::Softmax].map(|f| (2, f));
        let svg = activation_plots(&Network::new(1, &layers).unwrap()).unwrap();
        assert!(svg.height == 640.0 && svg.standalone().contains("tanh f(z)"));
        assert!(activation_plots(&Network::new(1, &layers[3..]).unwrap()).is_err());
    }

    #[test]
    fn large_layers_are_shortened_and_each_but_the_last_has_a_bias_unit() {
        use Place::{Bias, Gap, Unit};
        assert_eq!(places(2, true), [Unit(0), Unit(1), Bias]);
        assert_eq!(places(100, false), [Unit(0), Unit(1), Unit(2), Unit(3), Gap, Unit(98), Unit(99)]);
        let network = Network::new(3, &[(20, Activation::Tanh), (1, Activation::Sigmoid)]).unwrap();
        let theta = vec![0.5; network.parameter_count()];
        let inputs = ["a".to_string(), "<b>".into(), "c".into()];
        let svg = diagram(&network, &theta, &Names { inputs: &inputs, outputs: &[] }).standalone();
        assert_eq!(svg.matches(">+1<").count(), 2);
        assert!(svg.contains("14 more") && svg.contains("a₂₀") && svg.contains("&lt;b&gt;") && svg.contains("h(x)"));
        // from 3 inputs and their bias to 6 shown units, from these and their bias to the output
        assert_eq!(svg.matches(r#"class="plus""#).count(), 4 * 6 + 7);
    }
}
