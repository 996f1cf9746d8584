//! Otsu's threshold of a grey histogram.

/// The grey level that best parts dark from bright: the first of the levels with the largest variance between the
/// two classes, where the brighter class is what lies strictly above. 0 when there is nothing to part.
///
/// A class that holds less than one part in 2^23 of the pixels is no class, and its share of the running mean is
/// dropped, as in OpenCV.
pub(super) fn threshold(histogram: &[u64; 256]) -> u8 {
    let smallest_class = f64::from(f32::EPSILON);
    let scale = 1.0 / histogram.iter().sum::<u64>() as f64;
    let levels = || (0..=u8::MAX).zip(histogram.iter().map(|&count| count as f64));
    let mean = scale * levels().map(|(level, count)| f64::from(level) * count).sum::<f64>();

    let (mut dark_share, mut dark_mean) = (0.0_f64, 0.0);
    let (mut best_variance, mut best_level) = (0.0, 0);
    for (level, count) in levels() {
        let share = count * scale;
        dark_mean *= dark_share;
        dark_share += share;
        let bright_share = 1.0 - dark_share;
        if dark_share.min(bright_share) < smallest_class
            || dark_share.max(bright_share) > 1.0 - smallest_class
        {
            continue;
        }
        dark_mean = (dark_mean + f64::from(level) * share) / dark_share;
        let bright_mean = (mean - dark_share * dark_mean) / bright_share;
        let variance = dark_share * bright_share * (dark_mean - bright_mean) * (dark_mean - bright_mean);
        if variance > best_variance {
            (best_variance, best_level) = (variance, level);
        }
    }
    best_level
}
