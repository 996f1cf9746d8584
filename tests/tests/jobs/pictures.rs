//! Pictures that the tests draw themselves, good and bad.

use forgeos_tests::TestWorld;
use uuid::Uuid;

/// Puts a picture of its own under a fresh image id into the folder of `owner` (none: the top, for service jobs).
pub(crate) fn put(world: &TestWorld, owner: Option<Uuid>, bytes: &[u8], extension: &str) -> Uuid {
    let id = Uuid::new_v4();
    let folder = owner.map_or_else(String::new, |user| format!("{user}/"));
    world.put("images", &format!("{folder}{id}.{extension}"), bytes);
    id
}

/// Puts so many small panels, all different.
pub(crate) fn put_panels(world: &TestWorld, owner: Option<Uuid>, count: u64) -> Vec<Uuid> {
    (0..count).map(|seed| put(world, owner, &forgeos_samples::variant(seed).bytes, "jpg")).collect()
}

/// A picture of plain colour with a darker left half, as PNG.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    encode(width, height, image::ImageFormat::Png)
}

pub(crate) fn encode(width: u32, height: u32, format: image::ImageFormat) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        let shade = if x < width / 2 { 90 } else { 170 };
        // A little grain: no photograph is without it.
        let grain = ((x * 7 + y * 13) % 5) as u8;
        image::Rgb([shade + grain, shade + grain, shade + 10])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A JPEG with an EXIF block that says how the camera was held (1 to 8, TIFF 6.0 tag 274).
pub(crate) fn jpeg_with_orientation(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let plain = encode(width, height, image::ImageFormat::Jpeg);
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01".to_vec();
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
    let mut block = b"Exif\0\0".to_vec();
    block.extend(tiff);
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xFF, 0xE1]);
    bytes.extend(u16::try_from(block.len() + 2).unwrap().to_be_bytes());
    bytes.extend(block);
    bytes.extend(&plain[2..]);
    bytes
}

/// A PNG whose header promises this size, and that holds next to nothing.
pub(crate) fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(1, 1);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// CRC-32 as PNG has it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 },
        )
    })
}

/// Width and height of an encoded picture.
pub(crate) fn size_of(bytes: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory(bytes).unwrap();
    (picture.width(), picture.height())
}
