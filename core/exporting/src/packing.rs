//! Where the text formats write to: a buffer, or a compressor behind one. It knows nothing of rows.

use std::{io::Write, mem};

use flate2::{GzBuilder, write::GzEncoder};

use crate::{Compression, EncodeError};

/// Plain bytes that a compressor is given at once.
const BLOCK_BYTES: usize = 128 << 10;

/// Bytes on their way out.
pub(crate) struct Sink {
    /// What is not compressed yet; without a compressor, what is finished.
    plain: Vec<u8>,
    packer: Packer,
}

enum Packer {
    None,
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Sink {
    pub(crate) fn new(compression: Compression) -> Result<Self, EncodeError> {
        let packer = match compression {
            Compression::None => Packer::None,
            Compression::Gzip => {
                // No time and no name in the header: the same rows give the same bytes.
                Packer::Gzip(GzBuilder::new().write(Vec::new(), flate2::Compression::new(3)))
            }
            Compression::Zstd => {
                let mut encoder =
                    zstd::stream::write::Encoder::new(Vec::new(), 3).map_err(EncodeError::Pack)?;
                encoder.include_checksum(true).map_err(EncodeError::Pack)?;
                Packer::Zstd(encoder)
            }
        };
        Ok(Self { plain: Vec::with_capacity(BLOCK_BYTES * 2), packer })
    }

    /// Where to append.
    pub(crate) fn plain(&mut self) -> &mut Vec<u8> {
        &mut self.plain
    }

    /// To be called between rows.
    pub(crate) fn pack(&mut self) -> Result<(), EncodeError> {
        if self.plain.len() >= BLOCK_BYTES { self.pack_all() } else { Ok(()) }
    }

    fn pack_all(&mut self) -> Result<(), EncodeError> {
        match &mut self.packer {
            Packer::None => return Ok(()),
            Packer::Gzip(encoder) => encoder.write_all(&self.plain),
            Packer::Zstd(encoder) => encoder.write_all(&self.plain),
        }
        .map_err(EncodeError::Pack)?;
        self.plain.clear();
        Ok(())
    }

    pub(crate) fn ready(&self) -> usize {
        match &self.packer {
            Packer::None => self.plain.len(),
            Packer::Gzip(encoder) => encoder.get_ref().len(),
            Packer::Zstd(encoder) => encoder.get_ref().len(),
        }
    }

    /// `part` is empty.
    pub(crate) fn take(&mut self, part: &mut Vec<u8>) {
        let finished = match &mut self.packer {
            Packer::None => &mut self.plain,
            Packer::Gzip(encoder) => encoder.get_mut(),
            Packer::Zstd(encoder) => encoder.get_mut(),
        };
        mem::swap(finished, part);
    }

    pub(crate) fn finish(mut self) -> Result<Vec<u8>, EncodeError> {
        self.pack_all()?;
        match self.packer {
            Packer::None => Ok(self.plain),
            Packer::Gzip(encoder) => encoder.finish().map_err(EncodeError::Pack),
            Packer::Zstd(encoder) => encoder.finish().map_err(EncodeError::Pack),
        }
    }
}
