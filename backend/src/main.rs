//! The binary `instagram-connect`.

use std::process::ExitCode;

use backend::commands::Command;
use clap::Parser;

/// Connects people's accounts at Instagram and Spotify to your application, and keeps them connected.
#[derive(Parser)]
#[command(name = "instagram-connect", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[actix_web::main]
async fn main() -> ExitCode {
    give_back_large_blocks();
    Arguments::parse().command.unwrap_or(Command::Serve).run().await
}

/// Has memory for one password hash, 19 MiB, go back to the system when it is done. Left alone, the GNU C library takes
/// the first such block as a sign to keep the next ones, one for every thread that ever made a hash.
fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const THRESHOLD: i32 = 1024 * 1024;
        // SAFETY: `mallopt` takes two numbers, may be called at any time, and touches no memory of ours.
        #[expect(unsafe_code, reason = "there is no safe interface to this setting")]
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, THRESHOLD);
        }
    }
}
