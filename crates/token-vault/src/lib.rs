#![doc = include_str!("../README.md")]

mod aead;
mod handle;
mod keyring;
mod secret_buffer;
mod vault;

pub use handle::{HandleClaims, OpenedHandle, is_handle};
pub use keyring::{Keyring, KeyringError};
pub use vault::{Context, OpenError, Vault};
