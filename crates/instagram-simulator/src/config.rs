//! Settings that the simulator is given at its start.

use std::net::{Ipv4Addr, SocketAddr};

/// The address on which the simulator listens, and the one app that it knows.
///
/// The default is for tests: any free port on the loopback interface, and the app that the project's documents use.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on. Port 0 takes any free port.
    pub bind: SocketAddr,
    /// The Instagram app id: `client_id` at the authorize and token endpoints.
    pub app_id: String,
    /// The Instagram app secret: `client_secret` at the token endpoints.
    pub app_secret: String,
    /// The redirect URIs registered for the app. A request must match one of them byte for byte.
    pub redirect_uris: Vec<String>,
}

impl Config {
    /// The app id where none is given.
    pub const APP_ID: &str = "1377811407203207";
    /// The app secret where none is given. It guards nothing.
    pub const APP_SECRET: &str = "simulator-app-secret";
    /// The redirect URIs where none are given: the backend's own port, and the frontend's development server.
    pub const REDIRECT_URIS: [&str; 2] =
        ["http://localhost:4002/auth/instagram/callback", "http://localhost:5176/auth/instagram/callback"];
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            app_id: Self::APP_ID.to_owned(),
            app_secret: Self::APP_SECRET.to_owned(),
            redirect_uris: Self::REDIRECT_URIS.map(str::to_owned).to_vec(),
        }
    }
}
