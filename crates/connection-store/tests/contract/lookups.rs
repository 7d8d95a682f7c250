//! Connections by their ids, their accounts, and as operators list them.

use std::sync::Arc;

use connection_store::{Connection, ConnectionFilter, NewConnection, Store};

use crate::connections::{new_connection, save};
use crate::{contract, disconnect, now};

contract! {
    a_connection_is_found_by_its_id_active_or_not,
    an_account_is_found_by_either_id,
    lists_are_paged_in_the_order_of_ids,
}

async fn a_connection_is_found_by_its_id_active_or_not(store: Arc<dyn Store>) {
    let now = now();
    let one = save(&store, new_connection("ann", "17841400000000001", now), now).await;
    assert_eq!(store.connection(&one.id).await.unwrap(), Some(one.clone()));
    disconnect(&store, "ann", now).await;
    let ended = Connection { is_active: false, access_token: String::new(), ..one };
    assert_eq!(store.connection(&ended.id).await.unwrap(), Some(ended));
    for id in ["000000000000000000000000", "no id", ""] {
        assert_eq!(store.connection(id).await.unwrap(), None);
    }
}

async fn an_account_is_found_by_either_id(store: Arc<dyn Store>) {
    let now = now();
    let of = |user: &str, account: &str, app_scoped: &str| NewConnection {
        app_scoped_user_id: Some(app_scoped.to_owned()),
        ..new_connection(user, account, now)
    };
    let one = save(&store, of("ann", "1", "7"), now).await;
    let two = save(&store, of("bob", "2", "7"), now).await;
    let same = save(&store, of("cleo", "3", "3"), now).await;
    let ids = async |account: &str| {
        let mut ids: Vec<_> =
            store.connections_of_account(account).await.unwrap().into_iter().map(|c| c.id).collect();
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

async fn lists_are_paged_in_the_order_of_ids(store: Arc<dyn Store>) {
    let now = now();
    let mut all = Vec::new();
    for number in 0..6 {
        let user = if number % 2 == 0 { "ann" } else { "bob" };
        all.push(save(&store, new_connection(user, &format!("178414{number:011}"), now), now).await);
    }
    store.disconnect(&all[2].id, "ann", crate::event("disconnected"), now).await.unwrap();
    let mut all: Vec<_> = all.into_iter().map(|c| (c.id, c.user_id)).collect();
    let ended = all[2].0.clone();
    all.sort();
    let list = async |user: Option<&str>, with_inactive, after: Option<&str>, limit| {
        let filter = ConnectionFilter {
            user_id: user.map(str::to_owned),
            with_inactive,
            after: after.map(str::to_owned),
        };
        let found = store.list_connections(filter, limit).await.unwrap();
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
