//! Lists the files of `/migrations`, so that one which lies on disk can never be missing from the binary.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../migrations");
    println!("cargo::rerun-if-changed={}", folder.display());

    let mut files: Vec<PathBuf> = match fs::read_dir(&folder) {
        Ok(entries) => entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();

    let mut table = String::from("&[\n");
    for file in files {
        let name =
            file.file_stem().and_then(|stem| stem.to_str()).ok_or("a migration's name is not UTF-8")?;
        table.push_str(&format!("    Migration {{ name: {name:?}, sql: include_str!({file:?}) }},\n"));
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("migrations.rs"), table)?;
    Ok(())
}
