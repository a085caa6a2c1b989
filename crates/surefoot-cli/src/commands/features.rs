//! `surefoot show --features`: what the units of the first hidden layer answer to, as tiles.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use ndarray::{Array2, ArrayView1};
use surefoot::{Model, write_atomically};

use crate::output::{count, keep_inputs, print_line, usage};

/// Edge of the picture of a pixel, for tiles of so few pixels that it would be small without.
const WIDEST_TILE: usize = 64;
/// Between tiles, in pixels of a tile.
const GAP: usize = 1;

pub fn draw(model: &Model, model_path: &Path, path: &Path) -> anyhow::Result<()> {
    keep_inputs(path, &[model_path])?;
    let features = model.network.features(&model.parameters.to_f64())?;
    let image = Image::of(model)?;
    let picture = picture(&features, &image);
    let Image { rows, columns, .. } = image;
    let zoom = (WIDEST_TILE / rows.max(columns)).max(1);
    let file = match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => svg(&picture, zoom).into_bytes(),
        Some("png") => png(&picture, zoom).context("cannot draw the features")?,
        _ => return Err(usage("--features: expected FILE.png or FILE.svg", "the picture's format follows its name")),
    };
    write_atomically(path, &file)?;
    let tiles = count(features.nrows(), "tile");
    print_line(format_args!("{tiles} of {rows} × {columns} pixels in {}", path.display()))
}

/// The image that the inputs are pixels of.
struct Image {
    rows: usize,
    columns: usize,
    /// Where in it each input is, row by row.
    places: Vec<usize>,
}

impl Image {
    /// By names as pixel_3_0, of which some may be missing, as those that were constant; else a square.
    fn of(model: &Model) -> anyhow::Result<Self> {
        let inputs = model.network.inputs();
        let place = |name: &String| {
            let (rest, column) = name.rsplit_once('_')?;
            let (_, row) = rest.rsplit_once('_')?;
            Some((row.parse::<usize>().ok()?, column.parse::<usize>().ok()?))
        };
        let by_name = || {
            let places: Vec<(usize, usize)> = model.input_columns.iter().map(place).collect::<Option<_>>()?;
            let rows = places.iter().map(|(row, _)| row.saturating_add(1)).max()?;
            let columns = places.iter().map(|(_, column)| column.saturating_add(1)).max()?;
            let size = rows.checked_mul(columns)?;
            // most of the image is there
            (size <= 2 * inputs && places.len() == inputs).then_some(())?;
            Some(Image { rows, columns, places: places.iter().map(|(row, column)| row * columns + column).collect() })
        };
        let side = inputs.isqrt();
        let square =
            || (side * side == inputs).then(|| Image { rows: side, columns: side, places: (0..inputs).collect() });
        by_name().or_else(square).ok_or_else(|| {
            usage(
                format!("the {inputs} inputs are not the pixels of an image"),
                "features are drawn of models whose inputs are named pixel_ROW_COLUMN, or are a square number",
            )
        })
    }
}

/// The tiles beside and below each other, as shares from −1 to 1 of the largest absolute value in their tile; 0 between.
fn picture(features: &Array2<f64>, image: &Image) -> Array2<f64> {
    let Image { rows, columns, places } = image;
    let across = (features.nrows() as f64).sqrt().ceil() as usize;
    let down = features.nrows().div_ceil(across);
    let mut picture = Array2::zeros((down * (rows + GAP) + GAP, across * (columns + GAP) + GAP));
    for (unit, feature) in features.outer_iter().enumerate() {
        let (top, left) = (GAP + unit / across * (rows + GAP), GAP + unit % across * (columns + GAP));
        let largest = largest(feature);
        for (place, x) in places.iter().zip(feature) {
            picture[[top + place / columns, left + place % columns]] = x / largest;
        }
    }
    picture
}

fn largest(feature: ArrayView1<'_, f64>) -> f64 {
    feature.iter().fold(f64::MIN_POSITIVE, |largest, x| largest.max(x.abs()))
}

/// From black for −1 to white for 1.
fn grey(share: f64) -> u8 {
    (127.5 * (share + 1.0)).round() as u8
}

fn png(picture: &Array2<f64>, zoom: usize) -> anyhow::Result<Vec<u8>> {
    let (height, width) = (picture.nrows() * zoom, picture.ncols() * zoom);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::try_from(width)?, u32::try_from(height)?);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header()?;
    let pixels: Vec<u8> = (0..height * width).map(|at| grey(picture[[at / width / zoom, at % width / zoom]])).collect();
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

fn svg(picture: &Array2<f64>, zoom: usize) -> String {
    let (height, width) = picture.dim();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{}\" height=\"{}\" \
         shape-rendering=\"crispEdges\" role=\"img\"><title>What each hidden unit answers to: from black for the most \
         negative to white for the most positive</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#808080\"/>\n",
        width * zoom,
        height * zoom
    );
    for ((row, column), &share) in picture.indexed_iter().filter(|(_, share)| grey(**share) != grey(0.0)) {
        let grey = grey(share);
        let _ = writeln!(
            text,
            "<rect x=\"{column}\" y=\"{row}\" width=\"1\" height=\"1\" fill=\"#{grey:02x}{grey:02x}{grey:02x}\"/>"
        );
    }
    text + "</svg>\n"
}
