//! Colours: all drawing happens in linear light, only the camera turns it into sRGB.

/// Linear red, green, blue; 1.0 is what the camera just shows as white.
pub(crate) type Light = [f32; 3];

/// An sRGB colour as `0xRRGGBB`, in linear light.
pub(crate) fn srgb(hex: u32) -> Light {
    [16, 8, 0].map(|shift| to_linear(((hex >> shift) & 0xff) as f32 / 255.0))
}

/// IEC 61966-2-1, decoding.
pub(crate) fn to_linear(encoded: f32) -> f32 {
    if encoded <= 0.040_45 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
}

/// IEC 61966-2-1, encoding.
pub(crate) fn to_srgb(linear: f32) -> f32 {
    if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

pub(crate) fn blend(under: Light, over: Light, alpha: f32) -> Light {
    [0, 1, 2].map(|c| under[c] + (over[c] - under[c]) * alpha)
}

pub(crate) fn scale(color: Light, factor: f32) -> Light {
    color.map(|c| c * factor)
}

pub(crate) fn add(a: Light, b: Light) -> Light {
    [0, 1, 2].map(|c| a[c] + b[c])
}

/// `color` seen through a stain of that `tint`.
pub(crate) fn stain(color: Light, tint: Light, alpha: f32) -> Light {
    [0, 1, 2].map(|c| color[c] * (1.0 + (tint[c] - 1.0) * alpha))
}
