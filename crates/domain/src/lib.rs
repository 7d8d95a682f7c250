#![doc = include_str!("../README.md")]

pub mod clock;
pub mod connections;
mod error;
mod jitter;
mod observer;
mod persist;
pub mod providers;
mod secret_token;
pub mod user_id;
pub mod work;

pub use connections::Connections;
pub use error::{CauseChain, Error, Invalid};
pub use jitter::jittered;
pub use observer::Observer;
pub use persist::persist;
pub use providers::Providers;
pub use secret_token::SecretToken;
