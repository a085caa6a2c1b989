//! Plots with axes.

use crate::markup::svg::{Anchor, Svg};
use crate::words::shortened;

/// An axis, with its name and unit.
pub struct Axis<'a> {
    pub name: &'a str,
    pub scale: Scale,
}

/// How numbers lie along an axis.
#[derive(Clone, Copy, PartialEq)]
pub enum Scale {
    Linear,
    /// Decade by decade; only numbers above 0.
    Logarithmic,
}

impl Scale {
    /// Logarithmic where numbers above 0 go over more than a decade and a half.
    pub fn fitting(numbers: impl Iterator<Item = f64>) -> Scale {
        let (least, most) = extent(numbers);
        if least > 0.0 && most / least > 30.0 { Scale::Logarithmic } else { Scale::Linear }
    }
}

/// Some points, and how they are drawn: the class is one of the style's.
pub struct Series<'a> {
    pub name: &'a str,
    pub class: &'static str,
    pub points: Vec<[f64; 2]>,
    pub is_line: bool,
}

/// A place on the horizontal axis that is to be seen.
pub struct Mark<'a> {
    pub at: f64,
    pub name: &'a str,
}

const SIZE: [f64; 2] = [560.0, 320.0];
/// Left, right, top and bottom of the frame.
const MARGINS: [f64; 4] = [74.0, 16.0, 30.0, 48.0];

/// A plot in a frame, with the names of the series above it.
pub fn plot(
    title: &str,
    description: &str,
    horizontal: Axis<'_>,
    vertical: Axis<'_>,
    series: &[Series<'_>],
    mark: Option<Mark<'_>>,
) -> Svg {
    let mut svg = Svg::new(SIZE[0], SIZE[1], title, description);
    let [left, right, top, bottom] = MARGINS;
    let across = Ruler::new(series, 0, horizontal.scale, [left, SIZE[0] - right]);
    let up = Ruler::new(series, 1, vertical.scale, [SIZE[1] - bottom, top]);
    for &tick in &across.ticks {
        let x = across.place(tick);
        svg.line("grid", [x, up.ends[0]], [x, up.ends[1]]);
        svg.text("", [x, SIZE[1] - bottom + 16.0], Anchor::Middle, &across.label(tick));
    }
    for &tick in &up.ticks {
        let y = up.place(tick);
        svg.line("grid", [left, y], [SIZE[0] - right, y]);
        svg.text("", [left - 6.0, y + 4.0], Anchor::End, &up.label(tick));
    }
    svg.rectangle("frame", [left, top], [SIZE[0] - left - right, SIZE[1] - top - bottom]);
    svg.text("", [(left + SIZE[0] - right) / 2.0, SIZE[1] - 10.0], Anchor::Middle, &shortened(horizontal.name, 60));
    svg.vertical_text([14.0, (top + SIZE[1] - bottom) / 2.0], &shortened(vertical.name, 36));
    if let Some(Mark { at, name }) = mark {
        let x = across.place(at);
        svg.line("arrow dash", [x, up.ends[0]], [x, up.ends[1]]);
        let anchor = if x > SIZE[0] / 2.0 { Anchor::End } else { Anchor::Start };
        let beside = if x > SIZE[0] / 2.0 { -5.0 } else { 5.0 };
        svg.text("small", [x + beside, top + 14.0], anchor, name);
    }
    let mut legend = left;
    for Series { name, class, points, is_line } in series {
        let is_there = |[x, y]: &[f64; 2]| across.holds(*x) && up.holds(*y);
        let places: Vec<[f64; 2]> =
            points.iter().filter(|point| is_there(point)).map(|[x, y]| [across.place(*x), up.place(*y)]).collect();
        match is_line {
            true => svg.path(class, &places),
            false => places.iter().for_each(|place| svg.circle(class, *place, 3.0)),
        }
        if name.is_empty() {
            continue;
        }
        match is_line {
            true => svg.line(class, [legend, 16.0], [legend + 26.0, 16.0]),
            false => svg.circle(class, [legend + 13.0, 16.0], 3.5),
        }
        svg.text("", [legend + 32.0, 20.0], Anchor::Start, name);
        legend += 52.0 + 7.0 * name.chars().count() as f64;
    }
    svg
}

/// From numbers to places along an axis.
struct Ruler {
    scale: Scale,
    range: [f64; 2],
    ends: [f64; 2],
    ticks: Vec<f64>,
    /// Digits after the point of a tick.
    digits: usize,
}

impl Ruler {
    fn new(series: &[Series<'_>], coordinate: usize, scale: Scale, ends: [f64; 2]) -> Self {
        let numbers = series.iter().flat_map(|series| &series.points).map(|point| point[coordinate]);
        let above_zero = |x: &f64| scale == Scale::Linear || *x > 0.0;
        let (least, most) = extent(numbers.filter(above_zero));
        match scale {
            Scale::Logarithmic => {
                let (least, most) = if least > 0.0 { (least, most) } else { (1.0, 10.0) }; // there is no point
                let (low, high) = (least.log10().floor() as i32, most.log10().ceil() as i32);
                let every = ((high - low) as usize).div_ceil(6).max(1);
                let ticks = (low..=high).step_by(every).map(|power| 10f64.powi(power)).collect();
                let range = [least.log10(), most.log10()].map(|x| 10f64.powf(x));
                let few: Vec<f64> = match high - low <= 2 {
                    true => {
                        (low..high).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(power))).collect()
                    }
                    false => ticks,
                };
                let ticks = few.into_iter().filter(|tick| (range[0]..=range[1]).contains(tick)).collect();
                Ruler { scale, range, ends, ticks, digits: 0 }
            }
            Scale::Linear => {
                let width = if most > least { most - least } else { least.abs().max(1.0) };
                let (least, most) =
                    if most > least { (least, most) } else { (least - width / 2.0, least + width / 2.0) };
                let pad = if coordinate == 0 { 0.0 } else { 0.05 * width };
                let range = [least - pad, most + pad];
                let step = nice_step((range[1] - range[0]) / 5.0);
                let first = (range[0] / step).ceil();
                let count = ((range[1] / step).floor() - first) as usize;
                let ticks = (0..=count).map(|i| (first + i as f64) * step).collect();
                let digits = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
                Ruler { scale, range, ends, ticks, digits }
            }
        }
    }

    fn holds(&self, x: f64) -> bool {
        x.is_finite() && (self.scale == Scale::Linear || x > 0.0)
    }

    fn place(&self, x: f64) -> f64 {
        let of = |x: f64| if self.scale == Scale::Logarithmic { x.log10() } else { x };
        let [low, high] = self.range.map(of);
        let share = if high > low { (of(x) - low) / (high - low) } else { 0.5 };
        self.ends[0] + share * (self.ends[1] - self.ends[0])
    }

    fn label(&self, tick: f64) -> String {
        let size = tick.abs();
        match self.scale {
            _ if size >= 1e6 || size > 0.0 && size < 1e-4 => format!("{tick:.2e}").replace(".00e", "e"),
            Scale::Logarithmic => format!("{tick}"),
            Scale::Linear if tick == 0.0 => "0".into(),
            Scale::Linear => format!("{tick:.*}", self.digits),
        }
    }
}

/// The least and the most of the numbers that are finite; 0 and 1 where there is none.
pub fn extent(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = numbers.filter(|x| x.is_finite());
    let (least, most) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if least <= most { (least, most) } else { (0.0, 1.0) }
}

/// The least of 1, 2 and 5 times a power of ten that is not below.
fn nice_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= least * 0.999).unwrap_or(least)
}

/// How often numbers fall into equal parts of their range, as bars without axes.
pub fn histogram(numbers: &[f64], title: &str) -> Svg {
    const BARS: usize = 24;
    let (least, most) = extent(numbers.iter().copied());
    let mut counts = [0usize; BARS];
    for x in numbers.iter().filter(|x| x.is_finite()) {
        let share = if most > least { (x / 2.0 - least / 2.0) / (most / 2.0 - least / 2.0) } else { 0.5 };
        counts[((share * BARS as f64) as usize).min(BARS - 1)] += 1;
    }
    bars(&counts, title, "how often numbers fall into 24 equal parts of their range")
}

/// Bars for counts, without axes.
pub fn bars(counts: &[usize], title: &str, description: &str) -> Svg {
    let (width, height) = (120.0, 26.0);
    let mut svg = Svg::new(width, height, title, description);
    let highest = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let each = width / counts.len().max(1) as f64;
    for (i, &count) in counts.iter().enumerate() {
        let size = count as f64 / highest * (height - 2.0);
        svg.rectangle("bar", [i as f64 * each, height - size], [(each - 1.0).max(0.5), size]);
    }
    svg.line("grid", [0.0, height], [width, height]);
    svg
}

/// A bar for each name, from 0 to both sides, with the spread as a whisker, and its number.
pub fn ranking(title: &str, description: &str, unit: &str, rows: &[(String, f64, f64)]) -> Svg {
    let (width, left, right, each) = (640.0, 210.0, 90.0, 22.0);
    let mut svg = Svg::new(width, rows.len() as f64 * each + 44.0, title, description);
    let (least, most) = extent(rows.iter().flat_map(|(_, mean, spread)| [0.0, mean - spread, mean + spread]));
    let most = if most > least { most } else { least + 1.0 };
    let place = |x: f64| left + (x - least) / (most - least) * (width - left - right);
    for (i, (name, mean, spread)) in rows.iter().enumerate() {
        let y = 6.0 + i as f64 * each;
        let (from, to) = (place(mean.min(0.0)), place(mean.max(0.0)));
        svg.text("", [left - 8.0, y + 13.0], Anchor::End, &shortened(name, 30));
        svg.rectangle(if *mean < 0.0 { "bar2" } else { "bar" }, [from, y + 2.0], [to - from, each - 8.0]);
        let middle = y + each / 2.0 - 2.0;
        svg.line("frame", [place(mean - spread), middle], [place(mean + spread), middle]);
        svg.text("small", [place(mean.max(0.0) + spread) + 6.0, y + 13.0], Anchor::Start, &format!("{mean:.4}"));
    }
    let bottom = 6.0 + rows.len() as f64 * each;
    svg.line("frame", [place(0.0), 4.0], [place(0.0), bottom]);
    svg.text("", [(left + width - right) / 2.0, bottom + 22.0], Anchor::Middle, unit);
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: Vec<[f64; 2]>) -> Vec<Series<'static>> {
        vec![Series { name: "a", class: "one", points, is_line: true }]
    }

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        let ruler = Ruler::new(&line(vec![[0.0, 0.3], [10.0, 0.97]]), 1, Scale::Linear, [100.0, 0.0]);
        let labels: Vec<String> = ruler.ticks.iter().map(|tick| ruler.label(*tick)).collect();
        assert_eq!(labels, ["0.4", "0.6", "0.8", "1.0"]);
        assert!(
            ruler.place(0.4) > ruler.place(0.6) && ruler.ticks.iter().all(|t| (0.0..=100.0).contains(&ruler.place(*t)))
        );
        let ruler = Ruler::new(&line(vec![[0.0, 0.003], [1.0, 40.0]]), 1, Scale::Logarithmic, [100.0, 0.0]);
        assert_eq!(ruler.ticks.iter().map(|tick| ruler.label(*tick)).collect::<Vec<_>>(), ["0.01", "0.1", "1", "10"]);
        assert!((ruler.place(0.01) - ruler.place(0.1) - (ruler.place(0.1) - ruler.place(1.0))).abs() < 1e-9);
    }

    #[test]
    fn numbers_of_any_size_and_none_can_be_plotted() {
        for points in
            [vec![], vec![[1.0, 5.0]], vec![[1.0, f64::NAN], [2.0, f64::INFINITY]], vec![[1.0, -1e300], [2.0, 1e300]]]
        {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                let axes = [Axis { name: "x", scale: Scale::Linear }, Axis { name: "y", scale }];
                let [across, up] = axes;
                let svg = plot("t", "d", across, up, &line(points.clone()), None).standalone();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            }
        }
        assert!(!histogram(&[1e308, -1e308, f64::NAN], "t").standalone().contains("NaN"));
        assert!(Scale::fitting([0.1, 20.0].into_iter()) == Scale::Logarithmic);
        assert!(Scale::fitting([0.0, 20.0].into_iter()) == Scale::Linear);
    }
}
