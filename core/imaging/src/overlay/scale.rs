//! Brings a photograph to the size of the overlay: box average downwards, whole factors upwards.

use crate::Picture;

/// The long side that large photographs are reduced to.
pub(crate) const LONG_SIDE: u32 = 1600;
/// Photographs with a shorter long side than this are enlarged, so that the text beside them stays readable.
pub(crate) const SMALL_SIDE: u32 = 1000;

/// Reduced to a long side of [`LONG_SIDE`], or enlarged by the smallest whole factor that reaches
/// [`SMALL_SIDE`]; in between a copy.
pub(crate) fn fitted(picture: &Picture) -> Picture {
    let (width, height) = fitted_size(picture.width, picture.height);
    if width < picture.width || height < picture.height {
        reduced(picture, width, height)
    } else if width > picture.width {
        enlarged(picture, width / picture.width)
    } else {
        picture.clone()
    }
}

/// Columns and rows that a photograph of such a size is brought to.
pub(crate) fn fitted_size(width: u32, height: u32) -> (u32, u32) {
    let long = width.max(height).max(1);
    let side = |length: u32| {
        if long > LONG_SIDE {
            let scaled = u64::from(length) * u64::from(LONG_SIDE) / u64::from(long);
            (scaled as u32).max(1)
        } else if long < SMALL_SIDE {
            length.saturating_mul(SMALL_SIDE.div_ceil(long))
        } else {
            length
        }
    };
    (side(width), side(height))
}

/// Every pixel is the mean of the source pixels it covers, at whole-pixel borders.
fn reduced(picture: &Picture, width: u32, height: u32) -> Picture {
    let (from_width, from_height) = (picture.width as usize, picture.height as usize);
    let (width, height) = (width as usize, height as usize);
    let stride = 3 * from_width;
    let columns: Vec<usize> = (0..=width).map(|x| x * from_width / width).collect();
    let mut sums = vec![0u32; stride];
    let mut rgb = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        let (top, bottom) = (y * from_height / height, (y + 1) * from_height / height);
        // Rows first: that loop is over whole rows and runs at the speed of memory.
        sums.fill(0);
        for row in picture.rgb[top * stride..bottom * stride].chunks_exact(stride) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += u32::from(*value);
            }
        }
        for pair in columns.windows(2) {
            // At most 255 times 200 MP over 1600: 32 bits hold it, and a float is exact enough to round.
            let share = 1.0 / ((pair[1] - pair[0]) * (bottom - top)) as f32;
            let mut total = [0u32; 3];
            for pixel in sums[3 * pair[0]..3 * pair[1]].chunks_exact(3) {
                for (total, value) in total.iter_mut().zip(pixel) {
                    *total += *value;
                }
            }
            rgb.extend(total.map(|total| (total as f32 * share + 0.5) as u8));
        }
    }
    Picture { width: width as u32, height: height as u32, rgb }
}

/// Every pixel `factor` times in both directions.
fn enlarged(picture: &Picture, factor: u32) -> Picture {
    let times = factor as usize;
    let stride = 3 * picture.width as usize;
    let mut rgb = Vec::with_capacity(picture.rgb.len() * times * times);
    for row in picture.rgb.chunks_exact(stride.max(1)) {
        let wide: Vec<u8> = row
            .chunks_exact(3)
            .flat_map(|pixel| std::iter::repeat_n(pixel, times))
            .flatten()
            .copied()
            .collect();
        for _ in 0..times {
            rgb.extend_from_slice(&wide);
        }
    }
    Picture { width: picture.width * factor, height: picture.height * factor, rgb }
}
