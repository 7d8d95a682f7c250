//! Sealing anew what is stored after a key was put in front of the others.

use actix_web::web::Data;

use crate::state::AppState;
use domain::work::Progress;
use domain::{Connections, Error};

/// Tokens, or answers, that are read at once.
const PAGE: u32 = 200;

/// Seals anew what is not sealed with the first key. It can stop at any point: what is done has left the list of what is to
/// be done. Any number of processes can be at it at once.
pub(super) struct Reencryption {
    state: Data<AppState>,
    /// Tokens that did not open when it last ran, so that the log says it once and not with each run.
    unreadable: u64,
}

impl Reencryption {
    pub(super) fn new(state: &Data<AppState>) -> Self {
        Self { state: Data::clone(state), unreadable: 0 }
    }
}

/// Counts the work that a run has done so far.
#[derive(Default)]
struct Done {
    reencrypted: u64,
    unreadable: u64,
    /// Tokens that have an old key; known from the first one on that was sealed anew.
    left: Option<u64>,
}

impl Reencryption {
    /// Encrypts anew what there is. Costs one look at an index for each old key when there is nothing to do.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(super) async fn run(&mut self, progress: &impl Progress) -> Result<(), Error> {
        let mut done = Done::default();
        for key_id in self.state.connections.old_keys() {
            for connections in self.state.connections.iter() {
                reencrypt_key(connections, key_id.as_deref(), &mut done, progress).await?;
            }
            if let Some(key_id) = key_id {
                self.reencrypt_answers(&key_id, progress).await?;
            }
        }
        if progress.is_stopped() {
            return Ok(());
        }
        let Done { reencrypted, unreadable, .. } = done;
        if reencrypted > 0 {
            tracing::info!(reencrypted, unreadable, "all readable tokens are sealed with the first key");
        }
        if unreadable > 0 && unreadable != self.unreadable {
            tracing::warn!(
                unreadable,
                "tokens do not open and were not sealed anew: they were moved or changed, and their owners have to reconnect"
            );
        }
        self.unreadable = unreadable;
        Ok(())
    }

    async fn reencrypt_answers(&self, key_id: &str, progress: &impl Progress) -> Result<(), Error> {
        let mut after = None;
        while !progress.is_stopped() {
            after = self.state.idempotency.reencrypt(key_id, after.as_ref(), PAGE).await?;
            if after.is_none() {
                break;
            }
            progress.made();
        }
        Ok(())
    }
}

/// Encrypts anew what a provider's connections have sealed with a key.
async fn reencrypt_key(
    connections: &Connections,
    key_id: Option<&str>,
    done: &mut Done,
    progress: &impl Progress,
) -> Result<(), Error> {
    let mut after = None;
    while !progress.is_stopped() {
        let tokens = connections.sealed_with(key_id, after.as_deref(), PAGE).await?;
        let Some(last) = tokens.last() else { return Ok(()) };
        let page = connections.reencrypt(&tokens).await?;
        done.reencrypted += page.reencrypted;
        done.unreadable += page.unreadable;
        if page.reencrypted > 0 {
            let left = match done.left {
                Some(left) => left.saturating_sub(page.reencrypted + page.superseded),
                None => connections.left_to_reencrypt().await?,
            };
            done.left = Some(left);
            let key = key_id.unwrap_or_default();
            tracing::info!(key, reencrypted = done.reencrypted, left, "sealing tokens anew");
        }
        if tokens.len() < PAGE as usize {
            return Ok(());
        }
        after = Some(last.connection_id.clone());
        progress.made();
    }
    Ok(())
}
