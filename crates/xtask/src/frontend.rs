//! The web app: from its sources to files that a server can send.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::stopwatch::Stopwatch;
use crate::tools::WasmTools;
use crate::{processes, workspace};

/// Kinds of files that are text or code, and so worth compressing.
const COMPRESSIBLE: [&str; 5] = ["html", "js", "css", "wasm", "svg"];

/// Brotli's best: these files are compressed once and sent many times.
const BROTLI_QUALITY: i32 = 11;

/// The largest window that every browser accepts (RFC 7932, section 9.1).
const BROTLI_WINDOW: i32 = 22;

/// Builds the app for release into `dist/`, and puts compressed copies (`.br`, `.gz`) beside its files.
///
/// # Errors
/// When a tool is missing, the app does not build, or a file cannot be written.
pub(crate) fn build() -> Result {
    let tools = WasmTools::ensure()?;
    fetch_dependencies()?;
    let mut trunk = tools.trunk("build");
    if let Some(flags) = without_local_paths() {
        trunk.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags);
    }
    processes::run(trunk.arg("--release"))?;
    let dist = workspace::root().join("dist");
    let stopwatch = Stopwatch::start();
    let files = compress_all(&dist).map_err(Failure::while_doing("dist/ cannot be compressed"))?;
    println!("compressed {files} files of dist/ in {stopwatch}");
    Ok(())
}

/// Flags that keep this machine's folders out of the program's panic messages: it is public. Cargo adds them to those of
/// `.cargo/config.toml`. `None` where the dependencies' folder is not known or has a blank, at which flags are split.
fn without_local_paths() -> Option<String> {
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    let flags = format!("--remap-path-prefix={}/registry/src/=", cargo_home.to_str()?);
    (!flags.contains(char::is_whitespace)).then_some(flags)
}

/// Downloads what `Cargo.lock` names. Trunk works offline, and makes cargo do so too.
///
/// # Errors
/// When something cannot be downloaded.
pub(crate) fn fetch_dependencies() -> Result {
    processes::run(processes::cargo().arg("fetch"))
}

/// Compresses the files of a folder and of the folders in it. Returns how many there were.
fn compress_all(folder: &Path) -> io::Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            files += compress_all(&path)?;
        } else if COMPRESSIBLE.contains(&extension) {
            write_brotli(&path)?;
            write_gzip(&path)?;
            files += 1;
        }
    }
    Ok(files)
}

fn write_brotli(path: &Path) -> io::Result<()> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        ..Default::default()
    };
    let mut copy = File::create(beside(path, "br"))?;
    brotli::BrotliCompress(&mut BufReader::new(File::open(path)?), &mut copy, &parameters).map(|_| ())
}

fn write_gzip(path: &Path) -> io::Result<()> {
    let copy = File::create(beside(path, "gz"))?;
    let mut encoder = flate2::write::GzEncoder::new(copy, flate2::Compression::best());
    io::copy(&mut File::open(path)?, &mut encoder)?;
    encoder.finish().map(|_| ())
}

/// `app.js` → `app.js.br`
fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_compressed_copy_opens_to_the_same_bytes() {
        let folder = workspace::root().join(format!("target/xtask-compression-{}", std::process::id()));
        fs::create_dir_all(folder.join("assets")).unwrap();
        let text = "<p>hello</p>".repeat(100);
        fs::write(folder.join("assets/page.html"), &text).unwrap();
        fs::write(folder.join("picture.png"), [1, 2, 3]).unwrap();

        assert_eq!(compress_all(&folder).unwrap(), 1);

        let mut brotli = String::new();
        let copy = File::open(folder.join("assets/page.html.br")).unwrap();
        brotli::Decompressor::new(copy, 4096).read_to_string(&mut brotli).unwrap();
        let mut gzip = String::new();
        let copy = File::open(folder.join("assets/page.html.gz")).unwrap();
        flate2::read::GzDecoder::new(copy).read_to_string(&mut gzip).unwrap();
        assert_eq!((brotli.as_str(), gzip.as_str()), (text.as_str(), text.as_str()));
        assert!(!folder.join("picture.png.br").exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
