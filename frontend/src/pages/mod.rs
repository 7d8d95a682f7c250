//! A file for each route.

mod instagram_callback;
mod instagram_connection;
mod integrations;
mod not_found;
mod settings;
mod sign_in;
mod sign_up;

pub use instagram_callback::{InstagramCallbackHandler, PATH as CALLBACK};
pub use instagram_connection::InstagramConnection;
pub use integrations::Integrations;
pub use not_found::NotFound;
pub use settings::{API_KEYS, ApiKeys, SESSIONS, Sessions};
pub use sign_in::SignIn;
pub use sign_up::SignUp;
