//! A disk of a set size that can be filled to its last byte: a file system in memory, mounted where the test wants it.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::Command,
};

/// The disk; it is unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many MiB. Whoever may not mount is told so.
    pub fn mount(place: &Path, mib: u32) -> Result<Self, String> {
        std::fs::create_dir_all(place).unwrap();
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(place)
            .output()
            .map_err(|error| error.to_string())?;
        match output.status.success() {
            true => Ok(Self { place: place.to_owned() }),
            false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }

    /// Takes all space but so many bytes.
    pub fn leave(&self, bytes: u64) {
        let mut ballast = self.ballast();
        let block = vec![0; 64 << 10];
        let full = loop {
            // What fitted of the last block stays there.
            if let Err(error) = ballast.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull, "{full}");
        let length = ballast.metadata().unwrap().len();
        assert!(length >= bytes, "the disk is too small: {length} bytes were free");
        ballast.set_len(length - bytes).unwrap();
    }

    /// Gives the space back.
    pub fn free(&self) {
        self.ballast().set_len(0).unwrap();
    }

    fn ballast(&self) -> File {
        OpenOptions::new().create(true).append(true).open(self.place.join("ballast")).unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // At once, whoever still has a file open on it.
        let _ = Command::new("umount").arg("-l").arg(&self.place).status();
    }
}
