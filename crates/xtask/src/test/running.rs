//! The service and its simulators, as the steps that ask it from outside need it.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use crate::failure::{Failure, Result};
use crate::processes::{self, Group};
use crate::simulators::SIMULATORS;
use crate::{ports, workspace};

/// All programs on free ports, with an empty database. They stop when this is dropped.
pub(super) struct Running {
    // Dropped and so stopped in this order: the service may be asking a simulator something, and it uses the folder.
    _backend: Group,
    _simulators: Vec<Group>,
    folder: Folder,
    /// The service's address.
    pub(super) origin: String,
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
        let backend_port = ports::free();
        let origin = format!("http://localhost:{backend_port}");
        let mut command = processes::command(workspace::binary("instagram-connect"));
        let mut simulators = Vec::new();
        for simulator in &SIMULATORS {
            let (group, variables) = simulator.start(ports::free(), backend_port)?;
            simulators.push(group);
            command.envs(variables);
        }
        command.current_dir(&folder.0).envs([
            ("BIND_ADDRESS", format!("127.0.0.1:{backend_port}").as_str()),
            ("PUBLIC_URL", &origin),
            ("FRONTEND_URL", &origin),
            ("DATABASE_URL", &database_url(&folder.0)),
            // Thousands of requests of one address are the point here.
            ("RATE_LIMITS", "off"),
            // Refused requests would be logged by the thousand; a fault of the service is what should be seen.
            ("RUST_LOG", "error"),
        ]);
        let mut backend = Group::start(&mut command)?;
        ports::wait_until_answers("backend", &mut backend, backend_port, "/readyz")?;
        Ok(Self { _backend: backend, _simulators: simulators, folder, origin })
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
