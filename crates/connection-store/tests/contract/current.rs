//! The connection in use: of a user's several, the one that is meant where none is named.

use connection_store::Connection;
use futures_util::future::join_all;
use jiff::Timestamp;

use crate::connections::save;
use crate::{Accounts, contract_of_accounts, disconnect, event, now, seconds};

contract_of_accounts! {
    a_newly_connected_account_is_in_use,
    connecting_again_changes_nothing_about_the_one_in_use,
    an_account_that_comes_back_is_in_use,
    an_account_that_passes_to_another_user_is_in_use_there,
    the_one_connected_last_takes_the_place_of_one_that_ended,
    a_place_that_was_taken_is_kept,
    a_chosen_connection_is_in_use,
    nothing_is_chosen_that_is_not_active_or_not_theirs,
    a_choice_counts_though_a_clock_goes_backwards,
    one_users_choice_is_not_anothers,
    [once]
    of_many_choices_at_once_one_counts,
}

/// Connects an account of Ann, some seconds after a time.
async fn connect(accounts: &Accounts, account: &str, start: Timestamp, after: i64) -> Connection {
    let now = start + seconds(after);
    save(accounts, accounts.new_connection("ann", account, now), now).await
}

/// Returns the accounts of Ann's connections in their order, the one in use first.
async fn order(accounts: &Accounts) -> Vec<String> {
    let listed = accounts.connections().connections_of_user("ann", 9).await.unwrap();
    let current = accounts.connections().current_connection("ann").await.unwrap();
    assert_eq!(listed.first(), current.as_ref(), "the one in use comes first");
    let first = accounts.connections().connections_of_user("ann", 1).await.unwrap();
    assert_eq!(first, listed[..first.len()]);
    listed.into_iter().map(|connection| connection.provider_account_id).collect()
}

async fn end(accounts: &Accounts, connection: &Connection, now: Timestamp) {
    let ended = event("disconnected");
    assert!(accounts.connections().disconnect(&connection.id, "ann", ended, now).await.unwrap());
}

/// Makes a connection of Ann the one in use. Tells whether it is.
async fn select(accounts: &Accounts, id: &str, now: Timestamp) -> bool {
    let selected = accounts.connections().select_connection(id, "ann", now).await.unwrap();
    assert!(selected.as_ref().is_none_or(|selected| selected.id == id));
    selected.is_some()
}

async fn a_newly_connected_account_is_in_use(accounts: Accounts) {
    let start = now();
    assert_eq!(order(&accounts).await, [""; 0]);
    for (after, account) in ["1", "2", "3"].into_iter().enumerate() {
        connect(&accounts, account, start, after as i64).await;
        assert_eq!(order(&accounts).await[0], account);
    }
    connect(&accounts, "4", start, -60).await;
    assert_eq!(order(&accounts).await, ["4", "3", "2", "1"], "whatever the clock says");
    let bobs = accounts.new_connection("bob", "5", start);
    save(&accounts, bobs, start + seconds(9)).await;
    assert_eq!(order(&accounts).await[0], "4");
}

async fn connecting_again_changes_nothing_about_the_one_in_use(accounts: Accounts) {
    let start = now();
    connect(&accounts, "1", start, 0).await;
    connect(&accounts, "2", start, 1).await;
    connect(&accounts, "3", start, 2).await;
    connect(&accounts, "1", start, 3).await;
    assert_eq!(order(&accounts).await, ["3", "1", "2"]);
    connect(&accounts, "3", start, 4).await;
    connect(&accounts, "2", start, 5).await;
    assert_eq!(order(&accounts).await, ["3", "2", "1"]);
}

async fn an_account_that_comes_back_is_in_use(accounts: Accounts) {
    let start = now();
    let first = connect(&accounts, "1", start, 0).await;
    connect(&accounts, "2", start, 1).await;
    end(&accounts, &first, start + seconds(2)).await;
    assert_eq!(order(&accounts).await, ["2"]);
    connect(&accounts, "1", start, 3).await;
    assert_eq!(order(&accounts).await, ["1", "2"]);
}

async fn an_account_that_passes_to_another_user_is_in_use_there(accounts: Accounts) {
    let start = now();
    connect(&accounts, "1", start, 0).await;
    save(&accounts, accounts.new_connection("bob", "2", start), start + seconds(1)).await;
    disconnect(&accounts, "bob", start + seconds(2)).await;
    connect(&accounts, "2", start, 3).await;
    assert_eq!(order(&accounts).await, ["2", "1"]);
}

async fn the_one_connected_last_takes_the_place_of_one_that_ended(accounts: Accounts) {
    let start = now();
    connect(&accounts, "1", start, 0).await;
    connect(&accounts, "2", start, 1).await;
    connect(&accounts, "1", start, 2).await;
    let third = connect(&accounts, "3", start, 3).await;
    end(&accounts, &third, start + seconds(4)).await;
    assert_eq!(order(&accounts).await, ["1", "2"]);

    // One that was chosen once has no place of its own from that.
    let fourth = connect(&accounts, "4", start, 5).await;
    let second = accounts.connections().connections_of_account("2").await.unwrap().remove(0);
    assert!(select(&accounts, &second.id, start + seconds(6)).await);
    assert!(select(&accounts, &fourth.id, start + seconds(7)).await);
    accounts
        .connections()
        .erase_connection(&fourth.id, start + seconds(8), event("deleted"), now())
        .await
        .unwrap();
    assert_eq!(order(&accounts).await, ["1", "2"]);
}

async fn a_place_that_was_taken_is_kept(accounts: Accounts) {
    let start = now();
    connect(&accounts, "1", start, 0).await;
    connect(&accounts, "2", start, 1).await;
    let third = connect(&accounts, "3", start, 2).await;
    end(&accounts, &third, start + seconds(3)).await;
    assert_eq!(order(&accounts).await, ["2", "1"]);
    connect(&accounts, "1", start, 4).await;
    assert_eq!(order(&accounts).await, ["2", "1"], "the other one was only connected again");
}

async fn a_chosen_connection_is_in_use(accounts: Accounts) {
    let start = now();
    let first = connect(&accounts, "1", start, 0).await;
    connect(&accounts, "2", start, 1).await;
    connect(&accounts, "3", start, 2).await;
    let selected = accounts.connections().select_connection(&first.id, "ann", start).await.unwrap();
    assert_eq!(selected, Some(first.clone()), "nothing else is changed");
    assert_eq!(order(&accounts).await, ["1", "3", "2"]);
    assert!(select(&accounts, &first.id, start).await, "it may be chosen again");
    assert_eq!(order(&accounts).await, ["1", "3", "2"]);
    connect(&accounts, "4", start, 3).await;
    assert_eq!(
        order(&accounts).await,
        ["4", "3", "2", "1"],
        "what is new is in use, and the choice is forgotten"
    );
}

async fn nothing_is_chosen_that_is_not_active_or_not_theirs(accounts: Accounts) {
    let start = now();
    let first = connect(&accounts, "1", start, 0).await;
    connect(&accounts, "2", start, 1).await;
    let bobs = save(&accounts, accounts.new_connection("bob", "3", start), start).await;
    end(&accounts, &first, start).await;
    for id in [first.id.as_str(), &bobs.id, "000000000000000000000000", "no id", ""] {
        assert!(!select(&accounts, id, start + seconds(2)).await, "{id}");
    }
    assert_eq!(order(&accounts).await, ["2"]);
}

async fn a_choice_counts_though_a_clock_goes_backwards(accounts: Accounts) {
    let start = now();
    let first = connect(&accounts, "1", start, 0).await;
    let second = connect(&accounts, "2", start, 0).await;
    for (id, account, after) in [(&first.id, "1", 0), (&second.id, "2", 0), (&first.id, "1", -60)] {
        assert!(select(&accounts, id, start + seconds(after)).await);
        assert_eq!(order(&accounts).await[0], account);
    }
}

async fn of_many_choices_at_once_one_counts(accounts: Accounts) {
    let start = now();
    let mut all = Vec::new();
    for number in 0..4 {
        all.push(connect(&accounts, &number.to_string(), start, number).await);
    }
    for round in 0..10 {
        let choices = all[..3].iter().map(|connection| {
            let (accounts, id) = (accounts.clone(), connection.id.clone());
            tokio::spawn(async move { select(&accounts, &id, start + seconds(round)).await })
        });
        assert!(join_all(choices).await.into_iter().all(Result::unwrap));
        let order = order(&accounts).await;
        assert_eq!(order.len(), 4);
        assert_ne!(order[0], "3", "round {round}: one of the chosen ones is in use");
    }
}

async fn one_users_choice_is_not_anothers(accounts: Accounts) {
    let start = now();
    let first = connect(&accounts, "1", start, 0).await;
    connect(&accounts, "2", start, 1).await;
    for account in ["3", "4"] {
        save(&accounts, accounts.new_connection("bob", account, start), start).await;
    }
    assert!(select(&accounts, &first.id, start).await);
    let bobs = accounts.connections().current_connection("bob").await.unwrap().unwrap();
    assert_eq!(bobs.provider_account_id, "4");
}
