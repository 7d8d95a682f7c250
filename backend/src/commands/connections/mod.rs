//! `connections`: connected accounts, of all providers.

mod disconnect;
mod erase;
mod list;
mod row;
mod show;

use clap::Subcommand;

use super::Outcome;

/// Connected accounts.
#[derive(Subcommand)]
pub enum ConnectionsCommand {
    /// Print connections, Instagram's first, those of a provider in the order of their ids.
    List(list::Arguments),
    /// Print all about one connection, an account's or a user's, with what happened to it last.
    Show(show::Arguments),
    /// End a connection: its token is erased, and its owner has to connect again.
    Disconnect(disconnect::Arguments),
    /// Erase all that is stored about an account: connection, token, profile, history and events.
    Erase(erase::Arguments),
}

impl ConnectionsCommand {
    pub(super) async fn run(self) -> Outcome {
        match self {
            Self::List(arguments) => list::run(arguments).await,
            Self::Show(arguments) => show::run(arguments).await,
            Self::Disconnect(arguments) => disconnect::run(arguments).await,
            Self::Erase(arguments) => erase::run(arguments).await,
        }
    }
}
