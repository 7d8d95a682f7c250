//! `keys status`: which key is used for how many tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use connection_store::{KeyUse, Store, StoreResult};
use futures_util::future::try_join_all;
use serde::Serialize;
use shared::Provider;

use crate::commands::output::{print_json, print_line, print_table};
use crate::commands::{Outcome, opened};
use crate::request::Idempotency;

pub(super) async fn run(json: bool) -> Outcome {
    let data = opened::data().await?;
    let keyring = data.keyring?;
    let key_ids: Vec<_> = keyring.key_ids().collect();
    let used = used(data.store.as_ref(), &key_ids).await;
    opened::close(&data.store).await;
    let (key_use, answers) = used?;
    let status = Status::new(&key_ids, key_use, &answers);
    if json {
        print_json(&status)?;
    } else {
        let rows = status.keys.iter().map(|key| {
            let id = key.id.clone().unwrap_or_else(|| "(none)".to_owned());
            [id, key.role.words().to_owned(), key.tokens.to_string()]
        });
        print_table(["key", "role", "tokens"], rows)?;
        for line in &status.next {
            print_line(line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Counts the tokens that each key is used for, and finds the keys of the keyring that are used for kept
/// answers.
async fn used(store: &dyn Store, key_ids: &[&str]) -> StoreResult<(Vec<KeyUse>, BTreeSet<String>)> {
    let key_use =
        try_join_all(Provider::ALL.map(|provider| store.connections(provider).key_use())).await?.concat();
    let mut answers = BTreeSet::new();
    for &id in key_ids {
        if Idempotency::are_sealed_with(store, id).await? {
            answers.insert(id.to_owned());
        }
    }
    Ok((key_use, answers))
}

/// Counts, for each key, the tokens of active connections that use it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Status {
    /// Those of the keyring first, in its order.
    keys: Vec<KeyStatus>,
    /// Next steps for the operator, a sentence each.
    next: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct KeyStatus {
    /// `None`: stored texts that name no key.
    id: Option<String>,
    role: Role,
    tokens: u64,
    /// Tells whether answers that are kept for repeated requests are sealed with it, too.
    answers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Role {
    Encrypts,
    DecryptsOnly,
    Missing,
}

impl Role {
    fn words(self) -> &'static str {
        match self {
            Self::Encrypts => "encrypts",
            Self::DecryptsOnly => "decrypts only",
            Self::Missing => "not in the keyring",
        }
    }
}

impl Status {
    /// From the ids of the keyring, the one that encrypts first, and what the store counted.
    fn new(key_ids: &[&str], key_use: Vec<KeyUse>, answers: &BTreeSet<String>) -> Self {
        let mut counted: BTreeMap<Option<String>, u64> = BTreeMap::new();
        for KeyUse { key_id, tokens } in key_use {
            // What cannot be a key's id was not put there by this service, and is not shown.
            *counted.entry(key_id.filter(|id| is_key_id(id))).or_default() += tokens;
        }
        let mut keys: Vec<KeyStatus> = Vec::new();
        for (index, &id) in key_ids.iter().enumerate() {
            let tokens = counted.remove(&Some(id.to_owned())).unwrap_or(0);
            let role = if index == 0 { Role::Encrypts } else { Role::DecryptsOnly };
            keys.push(KeyStatus { id: Some(id.to_owned()), role, tokens, answers: answers.contains(id) });
        }
        let missing = counted.into_iter().filter(|&(_, tokens)| tokens > 0);
        keys.extend(missing.map(|(id, tokens)| KeyStatus {
            id,
            role: Role::Missing,
            tokens,
            answers: false,
        }));
        let next = keys.iter().filter_map(KeyStatus::next).collect();
        Self { keys, next }
    }
}

impl KeyStatus {
    /// Returns the next step for this key.
    fn next(&self) -> Option<String> {
        let count = tokens(self.tokens);
        match (self.role, &self.id, self.tokens) {
            (Role::Encrypts, ..) | (_, None, 0) => None,
            (Role::DecryptsOnly, Some(id), 0) if self.answers => Some(format!(
                "Keep {id}: answers for those who repeat a request are still sealed with it. The running service seals them \
                 anew by itself."
            )),
            (Role::DecryptsOnly, Some(id), 0) => Some(format!("{id} can be removed now.")),
            (Role::DecryptsOnly, Some(id), _) => Some(format!(
                "Keep {id}: {count} still sealed with it. The running service seals them anew by itself."
            )),
            (_, Some(id), _) => Some(format!(
                "{id} is not in the keyring: {count} sealed with it and cannot be read. Restore this key, or the people have \
                 to reconnect."
            )),
            (_, None, _) => Some(format!(
                "{count} stored in another form and cannot be read: the people have to reconnect."
            )),
        }
    }
}

fn tokens(count: u64) -> String {
    if count == 1 { "1 token is".to_owned() } else { format!("{count} tokens are") }
}

/// Tells whether a text has the form of a key's id.
fn is_key_id(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(pairs: &[(Option<&str>, u64)]) -> Vec<KeyUse> {
        pairs.iter().map(|&(id, tokens)| KeyUse { key_id: id.map(str::to_owned), tokens }).collect()
    }

    #[test]
    fn each_key_is_told_what_to_do_with_it() {
        let status = Status::new(
            &["k3", "k2", "k1", "ka"],
            counted(&[(Some("k3"), 5), (Some("k2"), 1), (Some("k0"), 2), (None, 3)]),
            &["k3", "ka"].map(str::to_owned).into(),
        );
        let roles: Vec<_> = status.keys.iter().map(|key| (key.id.as_deref(), key.role, key.tokens)).collect();
        assert_eq!(
            roles,
            [
                (Some("k3"), Role::Encrypts, 5),
                (Some("k2"), Role::DecryptsOnly, 1),
                (Some("k1"), Role::DecryptsOnly, 0),
                (Some("ka"), Role::DecryptsOnly, 0),
                (None, Role::Missing, 3),
                (Some("k0"), Role::Missing, 2),
            ]
        );
        assert!(status.next[0].starts_with("Keep k2: 1 token is still sealed with it."));
        assert_eq!(status.next[1], "k1 can be removed now.");
        assert!(status.next[2].starts_with("Keep ka: answers for those who repeat"));
        assert!(status.next[3].starts_with("3 tokens are stored in another form"));
        assert!(status.next[4].contains("k0 is not in the keyring: 2 tokens are"));
    }

    #[test]
    fn what_is_no_key_id_is_counted_and_not_shown() {
        let status = Status::new(&["k1"], counted(&[(Some("IGAA canary"), 1), (None, 1)]), &BTreeSet::new());
        assert_eq!(status.keys[1], KeyStatus { id: None, role: Role::Missing, tokens: 2, answers: false });
        assert!(!format!("{status:?}").contains("canary"));
    }
}
