//! The service and its Instagram, as the steps that ask it from outside need it.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::failure::{Failure, Result};
use crate::processes::{self, Group};
use crate::{ports, workspace};

/// The simulator's app. It plays no real app, so its secret is none.
const APP_ID: &str = "1377811407203207";
const APP_SECRET: &str = "simulated-app-secret";

/// Both programs on free ports, with an empty database. They stop when this is dropped.
pub(super) struct Running {
    // Dropped and so stopped in this order: the service may be asking the simulator something, and both use the folder.
    _backend: Group,
    _simulator: Group,
    folder: Folder,
    /// The service's address.
    pub(super) origin: String,
    /// The simulator's address.
    pub(super) instagram: String,
}

impl Running {
    /// Builds and starts them, for the step of this name.
    ///
    /// # Errors
    /// When they do not build or a server does not start.
    pub(super) fn start(step: &str) -> Result<Self> {
        // As the browser tests build it, so that nothing is compiled for one of the steps alone.
        processes::run(processes::cargo().args(["build", "--workspace", "--bins", "--examples"]))?;
        let folder = Folder::make(step)?;
        let (backend_port, simulator_port) = (ports::free(), ports::free());
        let origin = format!("http://localhost:{backend_port}");
        let redirect_uri = format!("{origin}/auth/instagram/callback");
        let instagram = format!("http://localhost:{simulator_port}");

        let mut command = processes::command(binary("instagram-simulator"));
        command.args(["--bind", &format!("127.0.0.1:{simulator_port}"), "--redirect-uri", &redirect_uri]);
        let mut simulator = Group::start(command.args(["--app-id", APP_ID, "--app-secret", APP_SECRET]))?;
        ports::wait_until_answers("simulator", &mut simulator, simulator_port, "/__simulator/health")?;
        let mut command = processes::command(binary("instagram-connect"));
        command.current_dir(&folder.0).envs([
            ("BIND_ADDRESS", format!("127.0.0.1:{backend_port}").as_str()),
            ("PUBLIC_URL", &origin),
            ("FRONTEND_URL", &origin),
            ("DATABASE_URL", &database_url(&folder.0)),
            ("INSTAGRAM_APP_ID", APP_ID),
            ("INSTAGRAM_APP_SECRET", APP_SECRET),
            ("INSTAGRAM_REDIRECT_URI", &redirect_uri),
            ("INSTAGRAM_AUTHORIZE_URL", &format!("{instagram}/oauth/authorize")),
            ("INSTAGRAM_TOKEN_URL", &format!("{instagram}/oauth/access_token")),
            ("INSTAGRAM_GRAPH_URL", &instagram),
            // Thousands of requests of one address are the point here.
            ("RATE_LIMITS", "off"),
            // Refused requests would be logged by the thousand; a fault of the service is what should be seen.
            ("RUST_LOG", "error"),
        ]);
        let mut backend = Group::start(&mut command)?;
        ports::wait_until_answers("backend", &mut backend, backend_port, "/readyz")?;
        Ok(Self { _backend: backend, _simulator: simulator, folder, origin, instagram })
    }

    /// A folder for the step's own files, which is removed with everything in it.
    pub(super) fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// The database, as `DATABASE_URL` names it.
    pub(super) fn database_url(&self) -> String {
        database_url(&self.folder.0)
    }
}

fn database_url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("service.db").display())
}

/// A program that `cargo build` made.
pub(super) fn binary(name: &str) -> PathBuf {
    workspace::target().join("debug").join(name)
}

/// A folder that is removed with everything in it.
struct Folder(PathBuf);

impl Folder {
    fn make(step: &str) -> Result<Self> {
        let folder = env::temp_dir().join(format!("instagram-connect-{step}-{}", process::id()));
        fs::create_dir(&folder)
            .map_err(Failure::while_doing(format!("{} cannot be made", folder.display())))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left in the system's place for such things does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
