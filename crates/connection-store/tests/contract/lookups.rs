//! Connections by their ids, their accounts, and as operators list them.

use connection_store::{Connection, ConnectionFilter, Health, NewConnection};

use crate::connections::save;
use crate::{Accounts, contract_of_accounts, disconnect, event, now, seconds};

contract_of_accounts! {
    a_connection_is_found_by_its_id_active_or_not,
    an_account_is_found_by_either_id,
    lists_are_paged_in_the_order_of_ids,
    lists_show_one_state_only,
    what_is_sealed_with_a_lost_key_is_dead,
    [once]
    lists_leave_out_users_whose_ids_begin_alike,
    lists_of_one_state_are_paged,
}

async fn a_connection_is_found_by_its_id_active_or_not(accounts: Accounts) {
    let now = now();
    let one = save(&accounts, accounts.new_connection("ann", "17841400000000001", now), now).await;
    assert_eq!(accounts.connections().connection(&one.id).await.unwrap(), Some(one.clone()));
    disconnect(&accounts, "ann", now).await;
    let ended = Connection { is_active: false, access_token: String::new(), refresh_token: None, ..one };
    assert_eq!(accounts.connections().connection(&ended.id).await.unwrap(), Some(ended));
    for id in ["000000000000000000000000", "no id", ""] {
        assert_eq!(accounts.connections().connection(id).await.unwrap(), None);
    }
}

async fn an_account_is_found_by_either_id(accounts: Accounts) {
    let now = now();
    let of = |user: &str, account: &str, app_scoped: &str| NewConnection {
        other_account_id: Some(app_scoped.to_owned()),
        ..accounts.new_connection(user, account, now)
    };
    let one = save(&accounts, of("ann", "1", "7"), now).await;
    let two = save(&accounts, of("bob", "2", "7"), now).await;
    let same = save(&accounts, of("cleo", "3", "3"), now).await;
    let ids = async |account: &str| {
        let mut ids: Vec<_> = accounts
            .connections()
            .connections_of_account(account)
            .await
            .unwrap()
            .into_iter()
            .map(|c| c.id)
            .collect();
        ids.sort();
        ids
    };
    let mut both = [one.id.clone(), two.id];
    both.sort();
    assert_eq!(ids("7").await, both);
    assert_eq!(ids("1").await, [one.id]);
    assert_eq!(ids("3").await, [same.id], "once, though both ids match");
    assert_eq!(ids("4").await, [""; 0]);
}

async fn lists_are_paged_in_the_order_of_ids(accounts: Accounts) {
    let now = now();
    let mut all = Vec::new();
    for number in 0..6 {
        let user = if number % 2 == 0 { "ann" } else { "bob" };
        all.push(
            save(&accounts, accounts.new_connection(user, &format!("178414{number:011}"), now), now).await,
        );
    }
    accounts.connections().disconnect(&all[2].id, "ann", crate::event("disconnected"), now).await.unwrap();
    let mut all: Vec<_> = all.into_iter().map(|c| (c.id, c.user_id)).collect();
    let ended = all[2].0.clone();
    all.sort();
    let list = async |user: Option<&str>, with_inactive, after: Option<&str>, limit| {
        let filter = ConnectionFilter {
            user_id: user.map(str::to_owned),
            with_inactive,
            after: after.map(str::to_owned),
            ..ConnectionFilter::default()
        };
        let found = accounts.connections().list_connections(filter, limit).await.unwrap();
        found.into_iter().map(|connection| connection.id).collect::<Vec<_>>()
    };
    let expect = |user: Option<&str>, with_inactive: bool| -> Vec<String> {
        let of_user = all.iter().filter(|(_, owner)| user.is_none_or(|user| user == owner));
        of_user.map(|(id, _)| id.clone()).filter(|id| with_inactive || *id != ended).collect()
    };
    for user in [None, Some("ann"), Some("bob"), Some("cleo")] {
        for with_inactive in [false, true] {
            let whole = list(user, with_inactive, None, 10).await;
            assert_eq!(whole, expect(user, with_inactive), "{user:?} {with_inactive}");
            if let Some(second) = whole.get(1) {
                assert_eq!(
                    list(user, with_inactive, Some(second), 1).await,
                    whole.get(2..3).unwrap_or_default()
                );
            }
        }
    }
    assert_eq!(list(None, true, None, 0).await, [""; 0]);
}

/// Returns the users whose connections a filter lets through, in the order of their names.
async fn users(accounts: &Accounts, filter: ConnectionFilter) -> Vec<String> {
    let found = accounts.connections().list_connections(filter, 100).await.unwrap();
    let mut users: Vec<String> = found.into_iter().map(|connection| connection.user_id).collect();
    users.sort();
    users
}

async fn lists_leave_out_users_whose_ids_begin_alike(accounts: Accounts) {
    let now = now();
    let all = [
        "USR_1",
        "host:usr_1",
        "us",
        "usr",
        "usr\u{10ffff}",
        "usr_",
        "usr_1",
        "usr_\u{10ffff}x",
        "usr`",
        "usrx1",
    ];
    for (number, user) in all.into_iter().enumerate() {
        save(&accounts, accounts.new_connection(user, &number.to_string(), now), now).await;
    }
    let not_of = |prefix: &str| ConnectionFilter {
        not_of_users: Some(prefix.to_owned()),
        ..ConnectionFilter::default()
    };
    for prefix in ["usr_", "usr", "u", "host:", "usr\u{10ffff}", "x", "usr_%", "USR", ""] {
        let mut expected: Vec<&str> = all.into_iter().filter(|user| !user.starts_with(prefix)).collect();
        expected.sort_unstable();
        assert_eq!(users(&accounts, not_of(prefix)).await, expected, "{prefix:?}");
    }
    for (user, expected) in [("usr_1", &[][..]), ("us", &["us"][..])] {
        let of_user = ConnectionFilter { user_id: Some(user.to_owned()), ..not_of("usr_") };
        assert_eq!(users(&accounts, of_user).await, expected, "{user}");
    }
}

async fn lists_show_one_state_only(accounts: Accounts) {
    let now = now();
    // Seconds after which each user's token expires.
    for (user, ends) in
        [("a", -5), ("b", 0), ("c", 1), ("d", 60), ("e", 61), ("f", 30), ("g", 600), ("h", 600)]
    {
        let token_expires_at = now + seconds(ends);
        let new = NewConnection {
            token_expires_at,
            expires_at: token_expires_at,
            ..accounts.new_connection(user, user, now)
        };
        let saved = save(&accounts, new, now - seconds(100)).await;
        match user {
            "f" | "g" => {
                let token = &saved.access_token;
                let dead = event("needs_reauthorization");
                assert!(
                    accounts
                        .connections()
                        .mark_needs_reauthorization(&saved.id, token, "Refused.", dead, now)
                        .await
                        .unwrap()
                );
            }
            "h" => assert!(disconnect(&accounts, user, now).await),
            _ => {}
        }
    }
    let soon = now + seconds(60);
    for with_inactive in [false, true] {
        for (health, expected) in [
            (Health::EndsAfter(soon), &["e"][..]),
            (Health::EndsAfter(now), &["c", "d", "e"]),
            (Health::EndsWithin(now, soon), &["c", "d"]),
            (Health::DeadAt(now), &["a", "b", "f", "g"]),
        ] {
            let filter =
                ConnectionFilter { health: Some(health), with_inactive, ..ConnectionFilter::default() };
            assert_eq!(users(&accounts, filter.clone()).await, expected, "{health:?}");
            for user in ["a", "e", "g", "h"] {
                let of_user = ConnectionFilter { user_id: Some(user.to_owned()), ..filter.clone() };
                let expected: Vec<&&str> = expected.iter().filter(|expected| **expected == user).collect();
                assert_eq!(
                    users(&accounts, of_user).await.iter().collect::<Vec<_>>(),
                    expected,
                    "{user} {health:?}"
                );
            }
        }
    }
}

async fn what_is_sealed_with_a_lost_key_is_dead(accounts: Accounts) {
    let now = now();
    for (user, token) in [("a", "v1.k1.x"), ("b", "v1.k2.x"), ("c", "v1.lost.x"), ("d", "no text of ours")] {
        let access_token = token.to_owned();
        save(
            &accounts,
            NewConnection {
                access_token,
                refresh_token: accounts.refresh_token(token),
                ..accounts.new_connection(user, user, now)
            },
            now,
        )
        .await;
    }
    for (keys, health, expected) in [
        (&["k1", "k2"][..], Some(Health::DeadAt(now)), &["c", "d"][..]),
        (&["k2"], Some(Health::DeadAt(now)), &["a", "c", "d"]),
        (&[], Some(Health::DeadAt(now)), &[]),
        (&["k1"], Some(Health::EndsAfter(now)), &["a", "b", "c", "d"]),
        (&["k1"], None, &["a", "b", "c", "d"]),
    ] {
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        let filter = ConnectionFilter { health, keys, ..ConnectionFilter::default() };
        assert_eq!(users(&accounts, filter).await, expected, "{health:?}");
    }
}

async fn lists_of_one_state_are_paged(accounts: Accounts) {
    let now = now();
    let mut expected = Vec::new();
    for number in 0..20 {
        let ends = now + seconds(if number % 3 == 0 { -10 } else { 600 });
        let user = format!("{}{number}", if number % 2 == 0 { "usr_" } else { "host-" });
        let new = NewConnection {
            token_expires_at: ends,
            expires_at: ends,
            ..accounts.new_connection(&user, &number.to_string(), now)
        };
        let saved = save(&accounts, new, now).await;
        if number % 3 != 0 && number % 2 != 0 {
            expected.push(saved.id);
        }
    }
    expected.sort();
    let mut filter = ConnectionFilter {
        not_of_users: Some("usr_".to_owned()),
        health: Some(Health::EndsAfter(now)),
        ..ConnectionFilter::default()
    };
    let mut found = Vec::new();
    loop {
        let page = accounts.connections().list_connections(filter.clone(), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.id.clone());
        found.extend(page.into_iter().map(|connection| connection.id));
    }
    assert_eq!(found, expected);
}
