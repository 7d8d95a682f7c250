#![doc = include_str!("../README.md")]

mod error;
mod instagram;
mod keys;
mod life;
mod sensitive;
pub mod sentence;
mod session;
mod timestamp;
pub mod validation;

pub use error::{ErrorBody, ErrorCode, ErrorReason};
pub use instagram::{
    CallbackAnswer, Connection, ConnectionAnswer, ConnectionStatus, ConnectionsAnswer,
    INSTAGRAM_CALLBACK_PATH, InstagramUser, ListedConnection, LoginAnswer, SaveAnswer, SaveConnection,
    SavedConnection, TokenAnswer, UserConnectionsAnswer, permission, without_fragment,
};
pub use keys::{ApiKey, ApiKeysAnswer, CreateApiKey, CreateHostLink, CreatedApiKey, HostLinkAnswer, Scope};
pub use life::{ConnectionEvent, EventKind, EventOutcome, EventsAnswer, HistoryAnswer, HistoryPoint};
pub use sensitive::Sensitive;
pub use session::{
    BrowserSession, ChangePassword, CurrentSessionAnswer, DeleteAccount, SessionAnswer, SessionsAnswer,
    SignIn, SignUp, User,
};
pub use timestamp::Timestamp;
