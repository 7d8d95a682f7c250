#![doc = include_str!("../README.md")]

mod error;
mod instagram;
mod life;
mod sensitive;
mod session;
mod timestamp;
pub mod validation;

pub use error::{ErrorBody, ErrorCode, ErrorReason};
pub use instagram::{
    CallbackAnswer, Connection, ConnectionAnswer, ConnectionStatus, InstagramUser, LoginAnswer, SaveAnswer,
    SaveConnection, SavedConnection, permission,
};
pub use life::{ConnectionEvent, EventKind, EventOutcome, EventsAnswer, HistoryAnswer, HistoryPoint};
pub use sensitive::Sensitive;
pub use session::{SessionAnswer, SignIn, SignUp, User};
pub use timestamp::Timestamp;
