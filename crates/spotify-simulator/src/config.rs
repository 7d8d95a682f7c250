//! Settings that the simulator is given at its start.

use std::net::{Ipv4Addr, SocketAddr};

/// The address on which the simulator listens, and the one app that it knows.
///
/// The default is for tests: any free port on the loopback interface, and an app of the simulator's own.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on. Port 0 takes any free port.
    pub bind: SocketAddr,
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: String,
    /// The redirect URIs registered for the app. A request must match one of them byte for byte, but for the
    /// port of a loopback address that is registered without one.
    pub redirect_uris: Vec<String>,
}

impl Config {
    /// The client id where none is given.
    pub const CLIENT_ID: &str = "5b1f0a9c3d7e4f28b6a1c0d9e8f72635";
    /// The client secret where none is given. It guards nothing.
    pub const CLIENT_SECRET: &str = "spotify-simulator-client-secret";
    /// The redirect URIs where none are given: the backend's own port.
    pub const REDIRECT_URIS: [&str; 1] = ["http://127.0.0.1:4002/auth/spotify/callback"];
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            client_id: Self::CLIENT_ID.to_owned(),
            client_secret: Self::CLIENT_SECRET.to_owned(),
            redirect_uris: Self::REDIRECT_URIS.map(str::to_owned).to_vec(),
        }
    }
}
