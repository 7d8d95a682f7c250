//! A file for each route, or a folder where it has parts. Two pages show the [`connection_card`].

mod callback;
mod connection;
mod connection_card;
mod integrations;
mod not_found;
mod settings;
mod sign_in;
mod sign_up;

pub use callback::CallbackHandler;
pub use connection::ConnectionPage;
pub use integrations::Integrations;
pub use not_found::NotFound;
pub use settings::{API_KEYS, ApiKeys, SESSIONS, Sessions};
pub use sign_in::SignIn;
pub use sign_up::SignUp;
