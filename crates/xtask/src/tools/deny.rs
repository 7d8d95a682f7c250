//! cargo-deny, which checks the dependencies.

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Result;
use crate::tools::pinned::{Run, Tool, cargo_install};
use crate::tools::release::Release;

const VERSION: &str = "0.20.2";

const RELEASE: Release<'static> = Release {
    version: VERSION,
    path: "EmbarkStudios/cargo-deny/releases/download/{version}/cargo-deny-{version}-{target}.tar.gz",
    program: "cargo-deny-{version}-{target}/cargo-deny",
    sha256: [
        "9f12ed4c49936e09b48bf862b595cde2fe64fcbd9d74dfacac6131ca824c8d5f",
        "995c82be0defc7a025cae49a2aa2644ce8245c9a3318fc4103907c6a285e8c7d",
        "248da7f581724e470071990c088ffc55c811981715f4cbdb258621fb79f8b7a6",
        "fe67d82a10d8597a3549364cb733a3f9cc1bfff9031b7ae46384a9f2a72090c3",
    ],
};

/// The program, installed where it is missing.
///
/// # Errors
/// When it is neither there nor to be had.
pub(crate) fn program() -> Result<PathBuf> {
    tool().ensure()
}

/// Returns how long [`program`] takes on two cores where nothing can be downloaded ready-made.
///
/// # Errors
/// When there is no folder to look in.
pub(crate) fn time_to_install() -> Result<Duration> {
    tool().time_to_install()
}

fn tool() -> Tool {
    Tool {
        program: "cargo-deny",
        package: "cargo-deny",
        version: VERSION.to_owned(),
        reported: VERSION.to_owned(),
        inside: "bin",
        release: Some(RELEASE),
        usual: Duration::from_secs(120),
        install: |version, into| {
            // It looks at a few hundred crates: building it fast is worth more than a fast program.
            cargo_install(into)
                .args(["cargo-deny", "--version", version, "--locked"])
                .envs([("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")])
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .run()
        },
    }
}
