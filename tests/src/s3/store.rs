//! What lies in the store: objects, and uploads that are under way. It knows no HTTP.

use std::collections::{BTreeMap, HashMap};

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The least size of every part but the last.
const LEAST_PART_BYTES: usize = 5 << 20;

/// Objects by `bucket/key`, uploads by their id.
#[derive(Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<String, Object>,
    uploads: HashMap<String, Upload>,
    /// Parts that will be refused.
    pub(super) refusals: usize,
    /// What happens to the bytes of new objects.
    pub(super) damage: Damage,
}

/// How objects come out otherwise than they went in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Damage {
    /// They do not.
    #[default]
    None,
    /// The last byte is lost.
    Shorter,
    /// The last byte is another one.
    Changed,
}

#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) bytes: Bytes,
    pub(super) tag: String,
    pub(super) mime_type: String,
    pub(super) parts: usize,
}

#[derive(Debug)]
struct Upload {
    name: String,
    mime_type: String,
    parts: BTreeMap<usize, Bytes>,
}

/// What S3 calls a fault.
pub(super) type Fault = &'static str;

impl Store {
    pub(super) fn object(&self, name: &str) -> Option<&Object> {
        self.objects.get(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().map(String::as_str)
    }

    pub(super) fn open_uploads(&self) -> usize {
        self.uploads.len()
    }

    pub(super) fn waiting_parts(&self) -> usize {
        self.uploads.values().map(|upload| upload.parts.len()).sum()
    }

    pub(super) fn put(&mut self, name: &str, bytes: Bytes, mime_type: String, parts: usize) -> String {
        let tag = tag(&bytes);
        let kept = bytes.slice(..bytes.len().saturating_sub(1));
        let bytes = match (self.damage, bytes.last()) {
            (Damage::None, _) | (_, None) => bytes,
            (Damage::Shorter, _) => kept,
            (Damage::Changed, Some(last)) => [&kept[..], &[last ^ 1]].concat().into(),
        };
        self.objects.insert(name.to_owned(), Object { bytes, tag: tag.clone(), mime_type, parts });
        tag
    }

    pub(super) fn delete(&mut self, name: &str) {
        self.objects.remove(name);
    }

    pub(super) fn begin(&mut self, name: &str, mime_type: String) -> String {
        let id = Uuid::new_v4().simple().to_string();
        self.uploads.insert(id.clone(), Upload { name: name.to_owned(), mime_type, parts: BTreeMap::new() });
        id
    }

    pub(super) fn put_part(
        &mut self,
        name: &str,
        id: &str,
        number: usize,
        bytes: Bytes,
    ) -> Result<String, Fault> {
        if self.refusals > 0 {
            self.refusals -= 1;
            return Err("SlowDown");
        }
        if !(1..=10_000).contains(&number) {
            return Err("InvalidArgument");
        }
        let upload = self.uploads.get_mut(id).filter(|upload| upload.name == name).ok_or("NoSuchUpload")?;
        let tag = tag(&bytes);
        upload.parts.insert(number, bytes);
        Ok(tag)
    }

    /// `asked`: numbers and tags of the parts, as the client listed them.
    pub(super) fn complete(
        &mut self,
        name: &str,
        id: &str,
        asked: &[(usize, String)],
    ) -> Result<String, Fault> {
        let upload = self.uploads.get(id).filter(|upload| upload.name == name).ok_or("NoSuchUpload")?;
        if asked.is_empty() {
            return Err("MalformedXML");
        }
        if !asked.is_sorted_by(|(one, _), (next, _)| one < next) {
            return Err("InvalidPartOrder");
        }
        let mut whole = BytesMut::new();
        for (place, (number, wanted)) in asked.iter().enumerate() {
            let part = upload.parts.get(number).filter(|part| tag(part) == *wanted).ok_or("InvalidPart")?;
            if place + 1 < asked.len() && part.len() < LEAST_PART_BYTES {
                return Err("EntityTooSmall");
            }
            whole.extend_from_slice(part);
        }
        let Some(upload) = self.uploads.remove(id) else { return Err("NoSuchUpload") };
        Ok(self.put(name, whole.freeze(), upload.mime_type, asked.len()))
    }

    pub(super) fn abort(&mut self, name: &str, id: &str) -> Result<(), Fault> {
        match self.uploads.get(id) {
            Some(upload) if upload.name == name => {
                self.uploads.remove(id);
                Ok(())
            }
            _ => Err("NoSuchUpload"),
        }
    }
}

/// With its quotes, which belong to it.
fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &hex::encode(Sha256::digest(bytes))[..32])
}
