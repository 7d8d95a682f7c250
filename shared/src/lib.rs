#![doc = include_str!("../README.md")]

mod error;
mod instagram;
mod keys;
mod life;
mod provider;
mod sensitive;
pub mod sentence;
mod session;
mod timestamp;
pub mod validation;

pub use error::{ErrorBody, ErrorCode, ErrorReason};
pub use instagram::{
    CallbackAnswer, Connection, ConnectionAnswer, ConnectionStatus, ConnectionsAnswer, EndAnswer,
    INSTAGRAM_CALLBACK_PATH, Integration, IntegrationsAnswer, ListedConnection, LoginAnswer, ProviderProfile,
    SaveAnswer, SaveConnection, SavedConnection, SelectConnection, TokenAnswer, UserConnection,
    UserConnectionsAnswer, UserProfile, permission, without_fragment,
};
pub use keys::{ApiKey, ApiKeysAnswer, CreateApiKey, CreateHostLink, CreatedApiKey, HostLinkAnswer, Scope};
pub use life::{ConnectionEvent, EventKind, EventOutcome, EventsAnswer, HistoryAnswer, HistoryPoint};
pub use provider::Provider;
pub use sensitive::Sensitive;
pub use session::{
    BrowserSession, ChangePassword, CurrentSessionAnswer, DeleteAccount, SessionAnswer, SessionsAnswer,
    SignIn, SignUp, User,
};
pub use timestamp::Timestamp;
