//! Addresses, origins, files served.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use shared::Provider;
use url::{Host, Url};

use super::{ConfigError, Variables};

/// Address that the server listens on, and the address at which browsers see it.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// `BIND_ADDRESS`: address and port to listen on.
    pub bind_address: SocketAddr,
    /// `PUBLIC_URL`: the backend as browsers see it: scheme, host and port.
    pub public_url: Url,
    /// `FRONTEND_URL`: the web app as browsers see it: scheme, host and port.
    pub frontend_url: Url,
    /// `FRONTEND_DIST`: a built web app for the backend to serve itself.
    pub frontend_dist: Option<PathBuf>,
    /// Requests in flight at once, at most. No variable: it follows from the number of cores.
    pub requests_in_flight: usize,
}

/// Requests in flight for each core, which has one worker. At a millisecond for each, which is slow, the last of them waits a
/// third of a second.
const IN_FLIGHT_FOR_A_CORE: usize = 320;

/// Requests in flight on the smallest machine: 512 clients that ask one after the other are no overload, and leave room for
/// others.
const IN_FLIGHT: usize = 640;

impl ServerConfig {
    /// Reads the variables named at the fields.
    ///
    /// # Errors
    /// On a wrong value.
    pub fn from_env(variables: &Variables) -> Result<Self, ConfigError> {
        let bind_address = variables
            .get_or("BIND_ADDRESS", "127.0.0.1:4002")?
            .parse()
            .map_err(|_| ConfigError::new("BIND_ADDRESS", "an IP address and port such as 127.0.0.1:4002"))?;
        let frontend_dist = variables.get("FRONTEND_DIST")?.map(PathBuf::from);
        if frontend_dist.as_ref().is_some_and(|dist| !dist.join("index.html").is_file()) {
            let accepts = "a folder with a built web app (an index.html is in it)";
            return Err(ConfigError::new("FRONTEND_DIST", accepts));
        }
        Ok(Self {
            bind_address,
            public_url: variables.web_origin("PUBLIC_URL", "http://localhost:4002")?,
            frontend_url: variables.web_origin("FRONTEND_URL", "http://localhost:5176")?,
            frontend_dist,
            requests_in_flight: IN_FLIGHT
                .max(std::thread::available_parallelism().map_or(1, usize::from) * IN_FLIGHT_FOR_A_CORE),
        })
    }

    /// Tells whether browsers reach the backend by https: cookies are `Secure` then.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The backend's origin as an `Origin` header writes it.
    pub fn public_origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }

    /// The web app's origin as an `Origin` header writes it.
    pub fn frontend_origin(&self) -> String {
        self.frontend_url.origin().ascii_serialization()
    }

    /// Returns the addresses at which a provider can send people back to this service, each after the variable that it is of.
    ///
    /// Spotify refuses `localhost`. Its own name for this machine leads to the backend, which passes the browser on to the web app at
    /// `FRONTEND_URL`; the web app's page would have no cookie under that name.
    pub(crate) fn callbacks(&self, provider: Provider) -> Vec<(&'static str, String)> {
        let address = |(variable, url): (&'static str, &Url)| {
            let mut url = url.clone();
            if provider == Provider::Spotify && url.host() == Some(Host::Domain("localhost")) {
                if variable != "PUBLIC_URL" {
                    return None;
                }
                url.set_ip_host(Ipv4Addr::LOCALHOST.into()).ok()?;
            }
            let origin = url.origin().ascii_serialization();
            Some((variable, format!("{origin}/auth/{}/callback", provider.as_str())))
        };
        [("PUBLIC_URL", &self.public_url), ("FRONTEND_URL", &self.frontend_url)]
            .into_iter()
            .filter_map(address)
            .collect()
    }
}
