//! Programs from the release pages of their projects, so that they need not be compiled.

use std::env;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::failure::{Failure, Result};
use crate::processes;
use crate::tools::report;

/// Names another place than GitHub that has the same paths, such as a mirror. Empty: nothing is downloaded.
const VARIABLE: &str = "TOOL_RELEASES_URL";

/// The platforms of which the archives are pinned. Programs linked with musl run on every Linux.
const TARGETS: [&str; 4] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

/// The archives (`.tar.gz`) of one release. In `path` and `program`, `{version}` and `{target}` stand for these.
#[derive(Clone, Copy)]
pub(super) struct Release<'a> {
    pub(super) version: &'a str,
    /// The archive's path at GitHub, without a slash in front.
    pub(super) path: &'a str,
    /// The path of the program in the archive.
    pub(super) program: &'a str,
    /// The SHA-256 of each archive, in the order of [`TARGETS`].
    pub(super) sha256: [&'a str; 4],
}

/// Returns where releases are downloaded from; `None` where nothing is to be downloaded.
pub(super) fn base_url() -> Option<String> {
    let base = env::var(VARIABLE).unwrap_or_else(|_| "https://github.com".to_owned());
    (!base.is_empty()).then_some(base)
}

impl Release<'_> {
    /// Downloads the archive for this machine, checks it, and writes the program in it to `destination`.
    ///
    /// Returns `false`, having said why, where there is no such archive or it cannot be reached.
    ///
    /// # Errors
    /// When the archive is not the pinned one or cannot be unpacked: neither is a reason to go on by another way.
    pub(super) fn download(&self, tool: &str, base: Option<&str>, destination: &Path) -> Result<bool> {
        let Some(base) = base else {
            report(tool, format_args!("not downloaded, since {VARIABLE} is empty"));
            return Ok(false);
        };
        let Some((target, expected)) = TARGETS.into_iter().zip(self.sha256).find(|(name, _)| is_here(name))
        else {
            report(tool, "no release is pinned for this kind of machine");
            return Ok(false);
        };
        let fill = |template: &str| template.replace("{version}", self.version).replace("{target}", target);
        let url = format!("{}/{}", base.trim_end_matches('/'), fill(self.path));
        let archive = destination.with_extension("tar.gz");
        report(tool, format_args!("downloading {url}"));
        match fetch(&url, &archive) {
            Ok(()) => {}
            Err(Failure::Because(sentence)) => {
                // Half of it may be there.
                let _ = fs::remove_file(&archive);
                report(tool, format_args!("not downloaded: {sentence}"));
                return Ok(false);
            }
            Err(interrupted) => return Err(interrupted),
        }
        let unreadable = Failure::while_doing("The downloaded archive cannot be read");
        let actual = sha256(&fs::read(&archive).map_err(unreadable)?);
        if actual != expected {
            return Err(format!(
                "{url} has the SHA-256 {actual}, but {expected} is pinned. It was not unpacked. Something on the way \
                 may have replaced it; {VARIABLE}= (empty) compiles {tool} instead."
            )
            .into());
        }
        unpack(&archive, &fill(self.program), destination)
    }
}

/// Tells whether programs for `target` run on this machine.
fn is_here(target: &str) -> bool {
    let system = match env::consts::OS {
        "linux" => "-linux-",
        "macos" => "-apple-",
        _ => return false,
    };
    target.starts_with(env::consts::ARCH) && target.contains(system)
}

/// Tells whether an address answers with a success.
///
/// # Errors
/// When this process was asked to end.
pub(crate) fn reaches(url: &str) -> Result<bool> {
    match fetch(url, Path::new("/dev/null")) {
        Ok(()) => Ok(true),
        Err(Failure::Because(_)) => Ok(false),
        Err(interrupted) => Err(interrupted),
    }
}

/// Runs curl, which knows the person's proxies and certificates. A host that is out of reach or silent costs seconds.
fn fetch(url: &str, file: &Path) -> Result {
    let mut curl = processes::command("curl");
    curl.args(["-fsSL", "--connect-timeout", "5", "--speed-time", "10", "--speed-limit", "1000"]);
    curl.args(["--max-time", "300", "--max-filesize", "100000000", "--proto", "=http,https"]);
    processes::run(curl.arg("--output").arg(file).arg(url))
}

/// Returns the SHA-256 as release pages write it.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes one file of the archive to `destination`. Its content passes through a pipe, so that nothing in the archive can name
/// a place to write to.
fn unpack(archive: &Path, program: &str, destination: &Path) -> Result<bool> {
    let unwritable = || Failure::while_doing(format!("{} cannot be written", destination.display()));
    let file = File::create(destination).map_err(unwritable())?;
    let mut tar = processes::command("tar");
    processes::run(tar.args(["-xzOf"]).arg(archive).arg(program).stdout(file))?;
    fs::set_permissions(destination, Permissions::from_mode(0o755)).map_err(unwritable())?;
    fs::remove_file(archive).map_err(Failure::while_doing("The downloaded archive cannot be removed"))?;
    Ok(true)
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::path::PathBuf;
    use std::thread;

    use super::*;

    /// A folder of one test's own, removed at its end.
    pub(in crate::tools) struct Folder(pub(in crate::tools) PathBuf);

    impl Folder {
        pub(in crate::tools) fn new(test: &str) -> Self {
            let folder = env::temp_dir().join(format!("xtask-{test}-{}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        /// Returns the names of the files in it.
        fn files(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    /// Returns an archive with a program that says its version, and with another file.
    pub(in crate::tools) fn archive(version: &str) -> Vec<u8> {
        let folder = Folder::new(&format!("archive-{version}"));
        fs::create_dir(folder.0.join("greet")).unwrap();
        let program = folder.0.join("greet/greet");
        fs::write(&program, format!("#!/bin/sh\necho greet {version}\n")).unwrap();
        fs::write(folder.0.join("greet/README"), "Read me.").unwrap();
        let mut tar = processes::command("tar");
        processes::run(tar.arg("-czf").arg(folder.0.join("a.tar.gz")).arg("-C").arg(&folder.0).arg("greet"))
            .unwrap();
        fs::read(folder.0.join("a.tar.gz")).unwrap()
    }

    /// Serves `body` at `/greet/1.0/greet.tar.gz`, and 404 elsewhere. Returns its URL.
    pub(in crate::tools) fn serve(body: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines =
                    BufReader::new(stream.try_clone().unwrap()).lines().map_while(std::result::Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let found = head[0].starts_with("GET /greet/1.0/greet.tar.gz ");
                let (status, body) = if found { ("200 OK", &*body) } else { ("404 Not Found", &b""[..]) };
                let length = body.len();
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
                    .unwrap();
                stream.write_all(body).unwrap();
            }
        });
        url
    }

    pub(in crate::tools) fn greet<'a>(version: &'a str, sha256: &'a str) -> Release<'a> {
        Release { version, path: "greet/{version}/greet.tar.gz", program: "greet/greet", sha256: [sha256; 4] }
    }

    #[test]
    fn the_right_archive_gives_the_program_and_nothing_else() {
        let (folder, archive) = (Folder::new("right"), archive("right"));
        let checksum = sha256(&archive);
        let program = folder.0.join("greet");
        // A slash at the end is how people write a mirror's address.
        let base = format!("{}/", serve(archive));
        assert!(greet("1.0", &checksum).download("greet", Some(&base), &program).unwrap());
        let said = processes::answer(&mut processes::command(&program));
        assert_eq!(said.as_deref(), Some("greet right"));
        assert_eq!(folder.files(), ["greet"]);
    }

    #[test]
    fn a_wrong_checksum_is_an_error_and_nothing_is_unpacked() {
        let (folder, archive) = (Folder::new("wrong"), archive("wrong"));
        let (actual, pinned) = (sha256(&archive), "0".repeat(64));
        let program = folder.0.join("greet");
        let refused = greet("1.0", &pinned).download("greet 1.0", Some(&serve(archive)), &program);
        let sentence = refused.unwrap_err().to_string();
        assert!(
            sentence.contains(&format!("has the SHA-256 {actual}, but {pinned} is pinned")),
            "{sentence}"
        );
        assert!(!program.exists());
    }

    #[test]
    fn what_cannot_be_had_is_left_to_the_compiler() {
        let folder = Folder::new("unreachable");
        let program = folder.0.join("greet");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let somebody = serve(Vec::new());
        for (case, base, version) in [
            ("a host that nobody listens on", Some(nobody.as_str()), "1.0"),
            ("a page that is not there", Some(somebody.as_str()), "2.0"),
            ("downloads that are turned off", None, "1.0"),
        ] {
            assert!(!greet(version, "").download("greet", base, &program).unwrap(), "{case}");
            assert!(folder.files().is_empty(), "{case}");
        }
    }

    #[test]
    fn only_a_success_counts_as_reached() {
        let base = serve(b"here".to_vec());
        assert!(reaches(&format!("{base}/greet/1.0/greet.tar.gz")).unwrap());
        assert!(!reaches(&format!("{base}/elsewhere")).unwrap());
    }
}
