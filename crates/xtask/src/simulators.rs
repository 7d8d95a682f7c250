//! The simulators: for each provider a program that plays it, and what the service has to be told of it.

use crate::failure::Result;
use crate::processes::{self, Group};
use crate::{ports, workspace};

/// A program that plays a provider.
pub(crate) struct Simulator {
    /// The provider's name.
    pub(crate) title: &'static str,
    /// The program, and the package that it is made of.
    pub(crate) program: &'static str,
    /// The port on which `cargo xtask dev` starts it.
    pub(crate) port: u16,
    /// The app's id, secret and redirect URI, as variable and value. The app is none of the provider's, so its secret guards nothing.
    /// A redirect URI is a host and a path, with the backend's port between them.
    id: (&'static str, &'static str),
    secret: (&'static str, &'static str),
    redirect_uri: (&'static str, [&'static str; 2]),
    /// The variables of the provider's addresses, and the paths that they have below the simulator's own.
    addresses: &'static [(&'static str, &'static str)],
}

/// The simulators, in the order in which the service lists their providers.
pub(crate) static SIMULATORS: [Simulator; 2] = [
    Simulator {
        title: "Instagram",
        program: "instagram-simulator",
        port: 4003,
        id: ("INSTAGRAM_APP_ID", "1377811407203207"),
        secret: ("INSTAGRAM_APP_SECRET", "simulated-app-secret"),
        redirect_uri: ("INSTAGRAM_REDIRECT_URI", ["http://localhost", "/auth/instagram/callback"]),
        addresses: &[
            ("INSTAGRAM_AUTHORIZE_URL", "/oauth/authorize"),
            ("INSTAGRAM_TOKEN_URL", "/oauth/access_token"),
            ("INSTAGRAM_GRAPH_URL", ""),
        ],
    },
    Simulator {
        title: "Spotify",
        program: "spotify-simulator",
        port: 4004,
        id: ("SPOTIFY_CLIENT_ID", "5b1f0a9c3d7e4f28b6a1c0d9e8f72635"),
        secret: ("SPOTIFY_CLIENT_SECRET", "simulated-client-secret"),
        // Spotify refuses localhost.
        redirect_uri: ("SPOTIFY_REDIRECT_URI", ["http://127.0.0.1", "/auth/spotify/callback"]),
        addresses: &[("SPOTIFY_ACCOUNTS_URL", ""), ("SPOTIFY_API_URL", "")],
    },
];

impl Simulator {
    /// Returns the variable by which a person names an app of their own.
    pub(crate) fn id_variable(&self) -> &'static str {
        self.id.0
    }

    /// Starts the simulator on a port, and waits until it answers. Returns it with the variables of a backend that uses it from
    /// `backend_port`; the simulator itself reads those of the app.
    ///
    /// # Errors
    /// When it cannot be started, or ends before it answers.
    pub(crate) fn start(&self, port: u16, backend_port: u16) -> Result<(Group, Vec<(&'static str, String)>)> {
        let (variable, [host, path]) = self.redirect_uri;
        let mut variables: Vec<_> =
            [self.id, self.secret].map(|(name, value)| (name, value.to_owned())).to_vec();
        variables.push((variable, format!("{host}:{backend_port}{path}")));
        let mut command = processes::command(workspace::binary(self.program));
        command.args(["--bind", &format!("127.0.0.1:{port}")]).envs(variables.iter().cloned());
        let mut group = Group::start_with_log(self.program, &mut command)?;
        ports::wait_until_answers(self.program, &mut group, port, "/__simulator/health")?;
        variables.extend(
            self.addresses.iter().map(|(name, path)| (*name, format!("http://localhost:{port}{path}"))),
        );
        Ok((group, variables))
    }
}

/// Returns the arguments by which cargo builds the backend and the simulators.
pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
    ["backend"]
        .into_iter()
        .chain(SIMULATORS.iter().map(|simulator| simulator.program))
        .flat_map(|name| ["--package", name])
}
