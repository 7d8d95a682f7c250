//! Connections that are saved, ended and read at the same time.

use std::sync::Arc;

use connection_store::{NewConnection, SaveOutcome};
use futures_util::future::join_all;
use tokio::sync::Barrier;

use crate::connections::save;
use crate::{Accounts, contract_of_accounts, disconnect, event, now, seconds};

contract_of_accounts! {
    [once]
    two_users_claim_one_account_at_once_and_one_gets_it,
    two_users_claim_one_abandoned_account_at_once_and_one_gets_it,
    one_user_connects_twice_at_once_and_both_succeed,
    a_mark_never_hits_a_token_that_was_saved_meanwhile,
    a_reader_never_sees_half_a_save,
}

/// Saves for each of the users at the same moment.
async fn claim(accounts: &Accounts, users: &[&str], account: &str) -> Vec<SaveOutcome> {
    let start = Arc::new(Barrier::new(users.len()));
    let claims = users.iter().map(|user| {
        let (accounts, start) = (accounts.clone(), Arc::clone(&start));
        let new = accounts.new_connection(user, account, now());
        tokio::spawn(async move {
            start.wait().await;
            accounts.connections().save_connection(new, event("connected"), now()).await.unwrap()
        })
    });
    join_all(claims).await.into_iter().map(Result::unwrap).collect()
}

async fn assert_one_owner(accounts: &Accounts, outcomes: &[SaveOutcome], account: &str) {
    let saved: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            SaveOutcome::Saved(connection) => Some(connection),
            SaveOutcome::AccountInUse => None,
        })
        .collect();
    assert_eq!(saved.len(), 1, "{account}: {outcomes:#?}");
    for user in ["ann", "bob"] {
        let holds = accounts
            .connections()
            .current_connection(user)
            .await
            .unwrap()
            .is_some_and(|c| c.provider_account_id == account);
        assert_eq!(holds, user == saved[0].user_id, "{account}, {user}");
    }
}

async fn two_users_claim_one_account_at_once_and_one_gets_it(accounts: Accounts) {
    for round in 0..40 {
        let account = format!("178414{round:011}");
        let outcomes = claim(&accounts, &["ann", "bob"], &account).await;
        assert_one_owner(&accounts, &outcomes, &account).await;
    }
}

async fn two_users_claim_one_abandoned_account_at_once_and_one_gets_it(accounts: Accounts) {
    let account = "17841400000000001";
    let first = save(&accounts, accounts.new_connection("cleo", account, now()), now()).await;
    disconnect(&accounts, "cleo", now()).await;
    for _ in 0..40 {
        let outcomes = claim(&accounts, &["ann", "bob"], account).await;
        assert_one_owner(&accounts, &outcomes, account).await;
        for user in ["ann", "bob"] {
            if let Some(connection) = accounts.connections().current_connection(user).await.unwrap() {
                assert_eq!(connection.id, first.id, "the document stays the same one");
            }
            disconnect(&accounts, user, now()).await;
        }
    }
}

async fn one_user_connects_twice_at_once_and_both_succeed(accounts: Accounts) {
    for round in 0..20 {
        let outcomes = claim(&accounts, &["ann"; 4], &format!("178414{round:011}")).await;
        let mut ids: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| match outcome {
                SaveOutcome::Saved(connection) => (connection.id, connection.connected_at),
                SaveOutcome::AccountInUse => panic!("the user's own account is in use"),
            })
            .collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "one document, connected once");
    }
}

async fn a_mark_never_hits_a_token_that_was_saved_meanwhile(accounts: Accounts) {
    let account = "17841400000000001";
    let mut current = save(&accounts, accounts.new_connection("ann", account, now()), now()).await;
    for round in 0..30 {
        let next = NewConnection {
            access_token: format!("v1.k1.{round}"),
            ..accounts.new_connection("ann", account, now())
        };
        let marking = {
            let (accounts, current) = (accounts.clone(), current.clone());
            tokio::spawn(async move {
                accounts
                    .connections()
                    .mark_needs_reauthorization(
                        &current.id,
                        &current.access_token,
                        "refused",
                        event("needs_reauthorization"),
                        now(),
                    )
                    .await
                    .unwrap()
            })
        };
        current = save(&accounts, next, now()).await;
        marking.await.unwrap();
        let found = accounts.connections().current_connection("ann").await.unwrap().unwrap();
        assert_eq!((found.last_error, found.needs_reauthorization_since), (None, None), "round {round}");
    }
}

async fn a_reader_never_sees_half_a_save(accounts: Accounts) {
    let account = "17841400000000001";
    let start = now();
    save(&accounts, accounts.new_connection("ann", account, start), start).await;
    let writer = {
        let accounts = accounts.clone();
        tokio::spawn(async move {
            for round in 1..=50 {
                let now = start + seconds(round);
                let mut new = accounts.new_connection("ann", account, now);
                new.access_token = format!("v1.k1.sealed-for-{}", now.as_second());
                save(&accounts, new, now).await;
            }
        })
    };
    while !writer.is_finished() {
        let found = accounts.connections().current_connection("ann").await.unwrap().unwrap();
        if found.last_synced_at != start {
            let expected = format!("v1.k1.sealed-for-{}", found.last_synced_at.as_second());
            assert_eq!(found.access_token, expected);
            assert_eq!(found.token_issued_at, found.last_synced_at - seconds(5));
        }
    }
    writer.await.unwrap();
}
