//! What the units of the first hidden layer answer to, as tiles.

use std::fmt::Write;

use ndarray::{Array2, ArrayView1};
use surefoot::Model;

use crate::error::{Error, Result};

/// Edge of the picture of a pixel, for tiles of so few pixels that it would be small without.
const WIDEST_TILE: usize = 64;
/// Between tiles, in pixels of a tile.
const GAP: usize = 1;

/// A tile for each unit of the first hidden layer: the input with norm 1 that excites it most, (F1) of `docs/math.md`, as an
/// image.
pub struct Features {
    /// How many tiles there are.
    pub count: usize,
    /// Rows and columns of a tile, in pixels.
    pub tile: [usize; 2],
    picture: Array2<f64>,
    zoom: usize,
}

impl Features {
    /// Those of a model whose inputs are the pixels of an image: named as pixel_3_0, or a square number of them.
    ///
    /// # Errors
    /// [`Error::NotAnImage`] when they are not.
    pub fn new(model: &Model) -> Result<Self> {
        let features = model.network.preferred_inputs(&model.parameters.to_f64())?;
        let image = Image::of(model)?;
        let picture = picture(&features, &image);
        let Image { rows, columns, .. } = image;
        let zoom = (WIDEST_TILE / rows.max(columns)).max(1);
        Ok(Features { count: features.nrows(), tile: [rows, columns], picture, zoom })
    }

    /// The pixels of the tile of a unit, row by row, as shares from −1 to 1 of the largest absolute value among them.
    pub fn pixels(&self, unit: usize) -> Vec<f64> {
        let [rows, columns] = self.tile;
        let [top, left] = corner(unit, self.count, self.tile);
        (0..rows * columns).map(|k| self.picture[[top + k / columns, left + k % columns]]).collect()
    }

    /// As the bytes of a PNG file.
    ///
    /// # Errors
    /// [`Error::Picture`] when it is too large for one.
    pub fn png(&self) -> Result<Vec<u8>> {
        let Features { picture, zoom, .. } = self;
        let (height, width) = (picture.nrows() * zoom, picture.ncols() * zoom);
        let pixel = |at: usize| grey(picture[[at / width / zoom, at % width / zoom]]);
        png(height, width, pixel).map_err(|source| Error::Picture { height, width, source })
    }

    /// As an SVG file.
    pub fn svg(&self) -> String {
        svg(&self.picture, self.zoom)
    }
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
    fn of(model: &Model) -> Result<Self> {
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
        by_name().or_else(square).ok_or(Error::NotAnImage { inputs })
    }
}

/// The tiles beside and below each other, as shares from −1 to 1 of the largest absolute value in their tile; 0 between.
fn picture(features: &Array2<f64>, image: &Image) -> Array2<f64> {
    let Image { rows, columns, places } = image;
    let across = across(features.nrows());
    let down = features.nrows().div_ceil(across);
    let mut picture = Array2::zeros((down * (rows + GAP) + GAP, across * (columns + GAP) + GAP));
    for (unit, feature) in features.outer_iter().enumerate() {
        let [top, left] = corner(unit, features.nrows(), [*rows, *columns]);
        let largest = largest(feature);
        for (place, x) in places.iter().zip(feature) {
            picture[[top + place / columns, left + place % columns]] = x / largest;
        }
    }
    picture
}

/// Where the tile of a unit begins.
fn corner(unit: usize, count: usize, [rows, columns]: [usize; 2]) -> [usize; 2] {
    let across = across(count);
    [GAP + unit / across * (rows + GAP), GAP + unit % across * (columns + GAP)]
}

/// How many tiles are beside each other.
fn across(count: usize) -> usize {
    (count as f64).sqrt().ceil() as usize
}

fn largest(feature: ArrayView1<'_, f64>) -> f64 {
    feature.iter().fold(f64::MIN_POSITIVE, |largest, x| largest.max(x.abs()))
}

/// From black for −1 to white for 1.
fn grey(share: f64) -> u8 {
    (127.5 * (share + 1.0)).round() as u8
}

fn png(height: usize, width: usize, pixel: impl Fn(usize) -> u8) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let side = |pixels: usize| u32::try_from(pixels).map_err(|_| png::EncodingError::LimitsExceeded);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side(width)?, side(height)?);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&(0..height * width).map(pixel).collect::<Vec<u8>>())?;
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
