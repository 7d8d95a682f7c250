#![doc = include_str!("../README.md")]

mod accounts;
mod answer;
mod base;
mod consent;
mod faults;
pub mod pages;
mod parameters;
mod picture;
mod random;
mod routes;
mod server;
mod weather;
mod wire;
mod world;

pub use accounts::{Account, Accounts, AddError};
pub use answer::Answer;
pub use base::Base;
pub use consent::{Consent, Permission, return_url};
pub use faults::{Endpoint, Fault, FaultQueue, Mishap, PlannedFault, Times};
pub use parameters::Parameters;
pub use picture::avatar;
pub use random::random_text;
pub use routes::{WorldData, bearer, no_account, origin, picture_response};
pub use server::Server;
pub use weather::{RandomFailures, Weather};
pub use wire::{respond, respond_with};
pub use world::{SharedWorld, World};

/// What the code that [`faults!`] writes refers to.
#[doc(hidden)]
pub use serde;
